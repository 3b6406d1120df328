// The list: place, film, where it came from, and why it is there.
import { ofFilm, ofGenre, useShown, useStore } from "../store";
import type { Offer } from "../types";
import { Handle, openAt, Weigh } from "./Weigh";

const REASONS = 2; // of those that speak for a film

export function ListView() {
  const store = useStore();
  const { desk, person, personal, answer, asking } = useShown();
  return (
    <section class="list" aria-labelledby="list-title" aria-busy={asking}>
      <div class="heading">
        <h1 id="list-title">{store.say(personal ? "title" : "titlePopular")}</h1>
        <label class="check switch">
          <input type="checkbox" id="personal" checked={personal}
            onChange={(event) => store.set({ personal: event.currentTarget.checked, open: "" })} />{" "}
          {store.say("personal")}
        </label>
      </div>
      <p class="caption" id="list-caption">{store.say(personal ? "caption" : "captionPopular")}</p>
      {personal && (
        <label class="pick">
          {store.say("asWhom")}{" "}
          <select id="person" value={person} onChange={(event) => {
            const chosen = Number(event.currentTarget.value);
            store.set({ person: chosen, watched: desk.people[chosen]?.history ?? [], open: "", done: "" });
          }}>
            <option value={-1}>{store.say("oneself")}</option>
            {desk.people.map((one, i) => <option value={i}>{store.say("personOf", { name: one.name, n: one.history.length })}</option>)}
          </select>
        </label>
      )}
      {answer && answer.personal === personal && (answer.offers.length
        ? <ol class="offers" id="offers">{answer.offers.map((one) => <Card key={one.film} offer={one} />)}</ol>
        : <p class="note">{store.say("nothingLeft")}</p>)}
      {answer && answer.personal === personal && answer.gone.length > 0 && <Gone />}
    </section>
  );
}

function Card({ offer }: { offer: Offer }) {
  const store = useStore();
  const { desk, open, answer } = useShown();
  const [title, ...genres] = desk.films[offer.film] ?? ["?"];
  const film = ofFilm(title);
  const place = `list ${offer.film}`;
  const topics = genres.map(ofGenre);
  const chosen = openAt(open, place, [film, ...topics]);
  const moved = offer.place_before - offer.place;
  return (
    <li class="offer" data-film={offer.film}>
      <span class="place">{offer.place}</span>
      <div class="what">
        <p class="line">
          <Handle topic={film} place={place} kind="film" />
          {answer && answer.rules.length > 0 && moved !== 0 && (
            <span class={moved > 0 ? "move up" : "move down"}>
              {store.say(moved > 0 ? "movedUp" : "movedDown", { n: offer.place_before })}
            </span>
          )}
        </p>
        <p class="handles">{topics.map((one) => <Handle key={one.name} topic={one} place={place} kind="genre" />)}</p>
        <Why offer={offer} />
        {chosen && <Weigh topic={chosen} />}
      </div>
    </li>
  );
}

function Why({ offer }: { offer: Offer }) {
  const store = useStore();
  const { personal, answer } = useShown();
  if (!personal || !answer?.personal) return null;
  const speak = offer.reasons.filter((one) => one.log_odds > 0).slice(0, REASONS);
  const by = Object.entries(offer.place_without).filter(([, place]) => place !== offer.place);
  return (
    <>
      {speak.length > 0 && <p class="why-said">{store.say("because", { list: speak.map((one) => store.title(one.film)).join(" · ") })}</p>}
      <details>
        <summary>{store.say("whyExactly")}</summary>
        <ul class="reasons">
          {offer.reasons.length === 0 && <li>{store.say("noReasons")}</li>}
          {offer.reasons.map((one) => (
            <li>
              {store.say(one.log_odds > 0 ? "reasonFor" : "reasonAgainst", { title: store.title(one.film), times: factor(one.log_odds) })}{" "}
              {store.say(one.place_without === offer.place ? "reasonStill" : "reasonPlace", { n: one.place_without })}
            </li>
          ))}
          {by.map(([id, place]) => (
            <li class="by-rule">{place === null ? store.say("ruleOut", { id }) : store.say("rulePlace", { id, n: place })}</li>
          ))}
        </ul>
      </details>
    </>
  );
}

// The larger of a factor and its inverse.
const factor = (logOdds: number): string => {
  const times = Math.exp(Math.abs(logOdds));
  return times >= 10 ? times.toFixed(0) : times.toFixed(1);
};

function Gone() {
  const store = useStore();
  const { answer } = useShown();
  return (
    <details class="gone" id="gone">
      <summary>{store.say("gone", { n: answer?.gone.length })}</summary>
      <ul>
        {answer?.gone.map((one) => (
          <li>{store.say(one.place === null ? "goneNever" : "goneNow", { title: store.title(one.film), was: one.place_before, now: one.place })}</li>
        ))}
      </ul>
    </details>
  );
}
