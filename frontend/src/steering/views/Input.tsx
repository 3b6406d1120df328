// What the model is asked about: a text, a record of a table, or one of the series there are.
import { useState } from "preact/hooks";
import { same } from "../rule";
import { useShown, useStore } from "../store";
import { RecordFields } from "./RecordFields";

export function InputView() {
  const store = useStore();
  const { desk, input } = useShown();
  const { examples, kind } = desk;
  const chosen = examples.findIndex((one) => same(one.input, input));
  return (
    <section class="input" aria-labelledby="title">
      <div class="heading">
        <h1 id="title">{store.say("title")}</h1>
        {examples.length > 0 && (
          <label class="pick">
            <span>{store.say("examples")}</span>{" "}
            <select id="example" value={chosen}
              onChange={(event) => {
                const found = examples[Number(event.currentTarget.value)];
                if (found) store.set({ input: found.input });
              }}>
              {chosen < 0 && <option value={-1}>{store.say(kind === "series" ? "example" : "own")}</option>}
              {examples.map((one, i) => <option key={i} value={i}>{one.name}</option>)}
            </select>
          </label>
        )}
      </div>
      {"text" in input && <TextInput text={input.text} />}
      {"record" in input && <RecordFields record={input.record} />}
    </section>
  );
}

function TextInput({ text }: { text: string }) {
  const store = useStore();
  const { desk } = useShown();
  const [composing, setComposing] = useState<string | null>(null);
  const most = desk.limit.characters;
  const lines = Math.min(8, Math.max(2, text.split("\n").length, Math.ceil(text.length / 60)));
  const put = (value: string): void => store.set({ input: { text: [...value].slice(0, most).join("") } });
  return (
    <>
      {/* What an input method has not finished yet is nobody's text. */}
      <textarea id="text" rows={lines} spellcheck={false} aria-label={store.say("inputText")}
        placeholder={store.say("textHint")} value={composing ?? text}
        onCompositionStart={(event) => setComposing(event.currentTarget.value)}
        onCompositionEnd={(event) => { setComposing(null); put(event.currentTarget.value); }}
        onInput={(event) => (composing === null ? put(event.currentTarget.value) : setComposing(event.currentTarget.value))} />
      {[...text].length >= most && <p class="note">{store.say("tooLong", { n: most })}</p>}
    </>
  );
}
