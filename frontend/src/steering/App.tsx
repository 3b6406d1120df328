// The whole panel: what is looked at, what counted, what was decided, and the rules.
import { useEffect } from "preact/hooks";
import { Believing } from "./views/Believing";
import { DecisionView } from "./views/Decision";
import { InputView } from "./views/Input";
import { Pieces } from "./views/Pieces";
import { RuleList } from "./views/RuleList";
import { Top } from "./views/Top";
import { useShown, useStore } from "./store";
import { told } from "./words";

export function App() {
  const store = useStore();
  const { lang, desk, answer } = useShown();
  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
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
    <div class="zhuyi" lang={lang === "zh" ? "zh-Hans" : "en"}>
      <Top />
      <main>
        <div class="left">
          <InputView />
          {answer && <Pieces />}
          {answer && <Believing />}
        </div>
        <div class="right">
          <DecisionView />
          <RuleList />
        </div>
      </main>
      <footer>
        <h2>{store.say("notes")}</h2>
        <ul id="notes">
          {desk.notes.map((one) => <li>{told(one, lang)}</li>)}
          <li>{store.say("noteSteers")}</li>
          <li>{store.say("noteLocal")}</li>
        </ul>
      </footer>
    </div>
  );
}
