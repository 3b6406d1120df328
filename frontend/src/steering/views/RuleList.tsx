// The rules, what can be done to all of them, and to and from files.
import { useState } from "preact/hooks";
import { extent } from "../numbers";
import { ask } from "../server";
import { keptOf, named, rulesOf, useShown, useStore } from "../store";
import type { Rule } from "../types";
import { RuleCard } from "./RuleCard";

const LARGEST = 64_000; // characters of a file

export function RuleList() {
  const store = useStore();
  const state = useShown();
  const { history, off, answer, desk, done } = state;
  const rules = rulesOf(state);
  return (
    <section class="rules" aria-labelledby="rules-title">
      <div class="heading">
        <h2 id="rules-title">{store.say("rules")}</h2>
        <div class="tools">
          <button type="button" class="quiet" id="undo" disabled={!history.past.length}
            onClick={() => store.undo()}>{store.say("undo")}</button>
          <button type="button" class="quiet" id="redo" disabled={!history.future.length}
            onClick={() => store.redo()}>{store.say("redo")}</button>
          <button type="button" class="quiet" id="off" aria-pressed={off} disabled={!rules.length}
            title={store.say("allOffLabel")} onClick={() => store.set({ off: !off, done: "" })}>{store.say("allOff")}</button>
        </div>
      </div>
      {off && <p class="note" id="off-note" role="status">{store.say("allOffNote")}</p>}
      {rules.length ? (
        <ol class={off ? "cards off" : "cards"} id="rules">
          {rules.map((one) => <RuleCard key={one.key} kept={one} />)}
        </ol>
      ) : <p class="note" id="no-rules">{store.say(desk.kind === "text" ? "noRules" : "noRulesTable")}</p>}
      {answer && <Told />}
      <Together />
      <Files />
      <p class="note" id="done" role="status">{done}</p>
    </section>
  );
}

// What all rules do together, and the same on random places.
function Together() {
  const store = useStore();
  const { answer, control } = useShown();
  if (!answer || !control || control.rules.length < 2 || !control.whole.draws.length) return null;
  const { own, draws } = control.whole;
  const mean = draws.reduce((sum, one) => sum + one, 0) / draws.length;
  const size = (n: number): string => extent(store.say, n, answer.after);
  return (
    <p class="note" id="together">
      {store.say("together", { label: answer.labels[control.target ?? answer.target] ?? "", own: size(own), mean: size(mean) })}
    </p>
  );
}

// What the server has to say of the rules together.
function Told() {
  const { answer, lang } = useShown();
  if (!answer?.told.length) return null;
  return <ul class="told" id="told">{answer.told.map((one) => <li>{typeof one === "string" ? one : one[lang] || one.en}</li>)}</ul>;
}

function Files() {
  const store = useStore();
  const { answer, error } = useShown();
  const able = Boolean(answer?.rules.length) && !error;
  const [shown, setShown] = useState("");
  const [failed, setFailed] = useState("");
  const copy = async (): Promise<void> => {
    const { python } = await store.answer();
    try {
      await navigator.clipboard.writeText(python);
      setShown("");
      store.set({ done: store.say("copied") });
    } catch {
      setShown(python);
    }
  };
  const save = async (): Promise<void> => {
    download("rules.yaml", (await store.answer()).yaml);
    store.set({ done: store.say("saved") });
  };
  const load = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setFailed("");
    try {
      if (file.size > LARGEST) throw new Error(store.say("fileLarge", { name: file.name }));
      const yaml = await file.text();
      const { rules } = await ask<{ rules: Rule[] }>("rules", { yaml });
      store.rules(named(rules).map(keptOf));
      const expects = /^expect\s*:/m.test(yaml) ? ` ${store.say("noExpect")}` : "";
      store.set({ done: store.say("loaded", { n: rules.length }) + expects });
    } catch (error) {
      setFailed(store.say("loadFailed", { name: file.name, what: (error as Error).message }));
    }
  };
  return (
    <div class="files">
      <div class="tools">
        <button type="button" class="quiet" id="save" disabled={!able} title={store.say("saveLabel")}
          onClick={() => void save()}>{store.say("save")}</button>
        <button type="button" class="quiet" id="copy" disabled={!able}
          onClick={() => void copy()}>{store.say("copy")}</button>
        <label class="quiet file">
          {store.say("load")}
          <input type="file" id="load" accept=".yaml,.yml,.json" onChange={(event) => {
            const { files } = event.currentTarget;
            void load(files?.[0]);
            event.currentTarget.value = ""; // the same file again is a choice, too
          }} />
        </label>
      </div>
      {failed && <p class="stop" id="load-failed" role="alert">{failed}</p>}
      {shown && (
        <label class="code">
          {store.say("copyFailed")}
          <textarea readOnly rows={6} id="python" onFocus={(event) => event.currentTarget.select()} value={shown} />
        </label>
      )}
    </div>
  );
}

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
