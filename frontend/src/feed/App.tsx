// The whole page: the list with its reasons, what was watched, and the rules.
import { useEffect } from "preact/hooks";
import { told } from "../steering/words";
import { useShown, useStore } from "./store";
import { Believing } from "./views/Believing";
import { Genres } from "./views/Genres";
import { ListView } from "./views/ListView";
import { RuleList } from "./views/RuleList";
import { Seen } from "./views/Seen";
import { Top } from "./views/Top";

export function App() {
  const store = useStore();
  const { lang, desk, error, done } = useShown();
  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && store.state.open) store.set({ open: "" });
      const target = event.composedPath()[0] as HTMLElement;
      // Fields have an undoing of their own; a slider has none.
      const field = target.matches?.("textarea, input:not([type=range], [type=checkbox], [type=file])");
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || field) return;
      event.preventDefault();
      if (event.shiftKey) store.redo();
      else store.undo();
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, [store]);
  return (
    <div class="zhuyi feed" lang={lang === "zh" ? "zh-Hans" : "en"}>
      <Top />
      {desk.missing === null ? (
        <main>
          <div class="left">
            <ListView />
            {error && <p class="stop" id="error" role="alert">{error}</p>}
            <Believing />
          </div>
          <div class="right">
            <Genres />
            <RuleList />
            <Seen />
          </div>
        </main>
      ) : <Missing />}
      <footer>
        <h2>{store.say("notes")}</h2>
        <ul id="notes">
          {desk.notes.map((one) => <li>{told(one, lang)}</li>)}
          {desk.missing === null && <Measured />}
          <li>{store.say("noteLocal")}</li>
        </ul>
      </footer>
      <p class="aside" id="done" role="status">{done}</p>
    </div>
  );
}

// Without data: how to get it.
function Missing() {
  const store = useStore();
  const { desk } = useShown();
  return (
    <main class="missing">
      <section>
        <h1>{store.say("missingTitle")}</h1>
        <p>{store.say("missingWhy")}</p>
        <p class="stop" id="missing">{desk.missing}</p>
        <p>{store.say("missingThen")}</p>
      </section>
    </main>
  );
}

function Measured() {
  const store = useStore();
  const { about } = useShown().desk;
  if (typeof about.recommender !== "number") return null;
  const values = Object.fromEntries(Object.entries(about).map(([name, one]) => [name, typeof one === "number" && one < 1 ? one.toFixed(3) : one]));
  return <li id="measured">{store.say("noteMeasured", values)}</li>;
}
