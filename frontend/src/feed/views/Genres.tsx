// All genres, each with its weight.
import { ofGenre, useShown, useStore } from "../store";
import { Handle, openAt, Weigh } from "./Weigh";

export function Genres() {
  const store = useStore();
  const { desk, open } = useShown();
  const topics = desk.genres.map(ofGenre);
  const chosen = openAt(open, "genres", topics);
  return (
    <section class="genres" aria-labelledby="genres-title">
      <h2 id="genres-title">{store.say("genres")}</h2>
      <p class="caption">{store.say("genresCaption")}</p>
      <div class="handles" id="genres">
        {topics.map((one) => <Handle key={one.name} topic={one} place="genres" kind="chip" />)}
      </div>
      {chosen && <Weigh topic={chosen} />}
    </section>
  );
}
