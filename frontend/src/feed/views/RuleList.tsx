// The rules: what each did, how that compares with chance, undoing, and to and from files.
import { useState } from "preact/hooks";
import { actionOf, idOf, weighed, weightOf, weightText, whyOf, withWeight } from "../../steering/rule";
import { ask } from "../../steering/server";
import { Field } from "../../steering/views/Field";
import { told } from "../../steering/words";
import { type Kept, keptOf, rulesOf, useShown, useStore } from "../store";
import type { Certificate, Compared, Rule, Ruled } from "../types";
import { Slider } from "./Weigh";

const LARGEST = 64_000; // characters of a file

export function RuleList() {
  const store = useStore();
  const state = useShown();
  const { history, off, answer, lang } = state;
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
        <ol class={off ? "cards off" : "cards"} id="rules">{rules.map((one) => <Card key={one.key} kept={one} />)}</ol>
      ) : <p class="note" id="no-rules">{store.say("noRules")}</p>}
      {answer && answer.told.length > 0 && (
        <ul class="told" id="told">{answer.told.map((one) => <li>{told(one, lang)}</li>)}</ul>
      )}
      <Files />
    </section>
  );
}

function Card({ kept }: { kept: Kept }) {
  const store = useStore();
  const state = useShown();
  const { key, rule, on } = kept;
  const id = idOf(rule);
  const shown = on && !state.off;
  const found = shown ? state.answer?.rules.find((one) => one.id === id) : undefined;
  const chance = shown ? state.control?.rules.find((one) => one.id === id) : undefined;
  const certificate = shown ? state.believed?.certificate.find((one) => one.id === id) : undefined;
  return (
    <li class={on ? "card" : "card is-off"} data-rule={id}>
      <div class="first">
        <input type="checkbox" checked={on} aria-label={store.say("ruleOn", { name: id })}
          onChange={() => store.rules(rulesOf(state).map((one) => (one.key === key ? { ...one, on: !on } : one)))} />
        <Name kept={kept} />
        <span class="tag">{on ? tagOf(store.say("neverSaid"), rule) : store.say("isOff")}</span>
        <button type="button" class="close" aria-label={store.say("removeOf", { name: id })} title={store.say("remove")}
          onClick={() => store.remove(key)}>×</button>
      </div>
      {found && <Effect found={found} chance={chance} />}
      {weighed(rule) && actionOf(rule) !== "veto" && (
        <Slider label={store.say("weightOf", { name: id })} weight={weightOf(rule)}
          put={(weight) => store.change(key, withWeight(rule, weight), `rule ${key}`)} />
      )}
      <Field name="why" value={whyOf(rule)} label={store.say("ruleWhy")} hint={store.say("whyHint")} most={500}
        take={(text) => {
          const { why: _, ...rest } = rule;
          const why = text.trim();
          store.rules(rulesOf(store.state).map((one) => (one.key === key ? { ...one, rule: why ? { ...rest, why } : rest } : one)));
        }} />
      {certificate && <Claim certificate={certificate} />}
    </li>
  );
}

function tagOf(never: string, rule: Rule): string {
  const action = actionOf(rule);
  if (action === "veto") return never;
  return weighed(rule) ? weightText(weightOf(rule)) : action;
}

// A name is taken when it is finished, and only where no other rule has it.
function Name({ kept: { key, rule } }: { kept: Kept }) {
  const store = useStore();
  return (
    <Field name="name" value={idOf(rule)} label={store.say("ruleName")} most={80} take={(text) => {
      const id = text.trim();
      const rules = rulesOf(store.state);
      const taken = rules.some((one) => one.key !== key && idOf(one.rule) === id);
      if (taken) store.set({ done: store.say("nameTaken") });
      else if (id && id !== idOf(rule)) store.rules(rules.map((one) => (one.key === key ? { ...one, rule: { ...rule, id } } : one)));
    }} />
  );
}

function Effect({ found, chance }: { found: Ruled; chance: Compared | undefined }) {
  const store = useStore();
  const { say } = store;
  const { checking, answer } = useShown();
  const some = found.seen + found.shown > 0;
  return (
    <div class="effects">
      {some && (
        <p class="effect"><b>
          {found.shown ? say("among", { now: found.among, of: answer?.offers.length, without: found.among_before })
            : say("moved", { n: found.moved, of: answer?.offers.length })}
        </b></p>
      )}
      {some && (chance ? (
        <p class="note control">
          {chance.mean === null ? say("controlNone") : say(chance.measure === "among" ? "controlAmong" : "controlMoved", { mean: chance.mean.toFixed(1) })}
        </p>
      ) : checking === "control" && <p class="note control">{say("controlWaits")}</p>)}
      <p class={some ? "note" : "note nothing"}>
        {some ? say("means", { seen: found.seen, shown: found.shown, list: found.titles.slice(0, 3).join(" · ") }) : say("meansNone")}
        {found.clamped && ` ${say("clamped")}`}
      </p>
    </div>
  );
}

function Claim({ certificate: { kept, level, claim } }: { certificate: Certificate }) {
  const store = useStore();
  const { lang } = useShown();
  const said = told(claim, lang);
  return (
    <div class={kept ? "claim kept" : "claim lowered"}>
      <p><b><span aria-hidden="true">{kept ? "✔ " : "△ "}</span>{store.say(kept ? "levelKept" : "levelLowered")}: {store.say(`level.${level}`)}</b></p>
      <p>{said.charAt(0).toUpperCase() + said.slice(1)}{lang === "zh" ? "。" : "."}</p>
    </div>
  );
}

function Files() {
  const store = useStore();
  const { answer, asking } = useShown();
  const ready = Boolean(answer?.rules.length) && !asking; // else they would be those of a moment ago
  const [shown, setShown] = useState("");
  const [failed, setFailed] = useState("");
  const copy = async (): Promise<void> => {
    const { python } = answer ?? { python: "" };
    try {
      await navigator.clipboard.writeText(python);
      setShown("");
      store.set({ done: store.say("copied") });
    } catch {
      setShown(python);
    }
  };
  const load = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setFailed("");
    try {
      if (file.size > LARGEST) throw new Error(store.say("fileLarge", { name: file.name }));
      const { rules } = await ask<{ rules: Rule[] }>("rules", { yaml: await file.text() });
      store.rules(rules.map((rule, i) => keptOf(idOf(rule) ? rule : { ...rule, id: `rule ${i + 1}` })));
      store.set({ done: store.say("loaded", { n: rules.length }) });
    } catch (error) {
      setFailed(store.say("loadFailed", { name: file.name, what: (error as Error).message }));
    }
  };
  return (
    <div class="files">
      <div class="tools">
        <button type="button" class="quiet" id="save" disabled={!ready}
          onClick={() => {
            download("rules.yaml", answer?.yaml ?? "");
            store.set({ done: store.say("saved") });
          }}>{store.say("save")}</button>
        <button type="button" class="quiet" id="copy" disabled={!ready}
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
