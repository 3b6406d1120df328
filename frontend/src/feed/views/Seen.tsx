// What was watched and how much of the attention it gets; films can be added and taken away.
import { useState } from "preact/hooks";
import { percent } from "../../steering/numbers";
import { ofSeen, useShown, useStore } from "../store";
import { Handle, openAt, Weigh } from "./Weigh";

const SHOWN = 12;
const FOUND = 8;

export function Seen() {
  const store = useStore();
  const { answer, watched, personal, open } = useShown();
  const [all, setAll] = useState(false);
  if (!personal) return null;
  const seen = answer?.personal ? answer.seen.toReversed() : [];
  const most = Math.max(1e-9, ...seen.flatMap((one) => [one.before, one.after]));
  return (
    <section class="seen" aria-labelledby="seen-title">
      <h2 id="seen-title">{store.say("seen", { n: watched.length })}</h2>
      <p class="caption">{store.say("seenCaption", { n: seen.length })}</p>
      <Search />
      <ul id="seen">
        {(all ? seen : seen.slice(0, SHOWN)).map((one) => {
          const topic = ofSeen(store.title(one.film));
          const label = store.say(one.before === one.after ? "looked" : "lookedBoth", { now: percent(one.after), before: percent(one.before) });
          return (
            <li key={one.film} data-film={one.film}>
              <div class="line">
                <Handle topic={topic} place="seen" kind="film" />
                <span class="amount" title={label}>{percent(one.after)}</span>
                <button type="button" class="close" aria-label={store.say("unwatch", { title: topic.name })}
                  onClick={() => store.watch(watched.filter((film) => film !== one.film))}>×</button>
              </div>
              <span class="track" role="img" aria-label={label}>
                <i class="fill" style={`--now: ${one.after / most}`} />
                {one.before !== one.after && <i class="mark" style={`--was: ${one.before / most}`} />}
              </span>
              {openAt(open, "seen", [topic]) && <Weigh topic={topic} />}
            </li>
          );
        })}
      </ul>
      {seen.length > SHOWN && (
        <button type="button" class="quiet" id="all-seen" aria-expanded={all} onClick={() => setAll(!all)}>
          {store.say(all ? "fewer" : "allSeen", { n: seen.length })}
        </button>
      )}
    </section>
  );
}

// Films by a part of their title; before anything is typed, what many people watched.
function Search() {
  const store = useStore();
  const { desk, watched } = useShown();
  const [wanted, setWanted] = useState("");
  const words = wanted.trim().toLowerCase();
  const pool = words ? desk.films.keys() : watched.length ? [] : desk.popular;
  const found: number[] = [];
  for (const film of pool) {
    if (found.length === FOUND) break;
    if (!watched.includes(film) && store.title(film).toLowerCase().includes(words)) found.push(film);
  }
  return (
    <div class="search">
      <input type="search" id="search" value={wanted} placeholder={store.say("search")} aria-label={store.say("search")}
        maxLength={80} onInput={(event) => setWanted(event.currentTarget.value)} />
      {found.length > 0 && (
        <ul id="found">
          {found.map((film) => (
            <li key={film}><button type="button" class="quiet" onClick={() => {
              store.watch([...watched, film]);
              setWanted("");
            }}>+ {store.title(film)}</button></li>
          ))}
        </ul>
      )}
      {words && found.length === 0 && <p class="note">{store.say("notFound")}</p>}
    </div>
  );
}
