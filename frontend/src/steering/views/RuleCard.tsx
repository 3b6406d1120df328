// One rule: its name and reason, what it matched, what it does, and how that compares with chance.
import { actionText } from "../marks";
import { amountsOf, change, extent, mostMoved } from "../numbers";
import { actionOf, idOf, weighed, weightOf, whyOf, withWeight } from "../rule";
import { type Kept, rulesOf, useShown, useStore } from "../store";
import type { Answer, Ruled } from "../types";
import { CertificateView } from "./Certificate";
import { Field } from "./Field";
import { Slider } from "./Slider";

const SHOWN = 4; // places that are quoted
const LEAST = 0.0005; // of a probability: less is told as nothing

export function RuleCard({ kept }: { kept: Kept }) {
  const store = useStore();
  const state = useShown();
  const { key, rule, on } = kept;
  const { answer, believed, off } = state;
  const id = idOf(rule);
  const found = on && !off ? answer?.rules.find((one) => one.id === id) : undefined;
  const certificate = on && !off ? believed?.certificate.find((one) => one.id === id) : undefined;
  const put = (weight: number): void => store.change(key, withWeight(rule, weight), `rule ${key}`);
  return (
    <li class={on ? "card" : "card is-off"} data-rule={id}>
      <div class="first">
        <input type="checkbox" checked={on} aria-label={store.say("ruleOn", { name: id })}
          onChange={() => store.rules(rulesOf(state).map((one) => (one.key === key ? { ...one, on: !on } : one)))} />
        <Name kept={kept} />
        <span class="tag">{on ? actionText(store.say, rule) : store.say("isOff")}</span>
        <button type="button" class="close" aria-label={store.say("removeOf", { name: id })} title={store.say("remove")}
          onClick={() => {
            store.remove(key);
            // The button is gone: whoever came by keyboard goes on beside it.
            requestAnimationFrame(() => store.root.getElementById("undo")?.focus());
          }}>×</button>
      </div>
      {found && answer && <Effect found={found} answer={answer} />}
      {weighed(rule) && actionOf(rule) !== "veto" && (
        <Slider label={store.say("weightOf", { name: id })} weight={weightOf(rule)} put={put} />
      )}
      <Field name="why" value={whyOf(rule)} label={store.say("ruleWhy")} hint={store.say("whyHint")} most={500}
        take={(text) => {
          const { why: _, ...rest } = rule;
          const why = text.trim();
          store.rules(rulesOf(store.state).map((one) => (one.key === key ? { ...one, rule: why ? { ...rest, why } : rest } : one)));
        }} />
      {certificate && <CertificateView certificate={certificate} />}
    </li>
  );
}

// A name is taken when it is finished, and only where no other rule has it.
function Name({ kept: { key, rule } }: { kept: Kept }) {
  const store = useStore();
  return (
    <Field name="name" value={idOf(rule)} label={store.say("ruleName")} most={80} take={(text) => {
      const id = text.trim();
      const rules = rulesOf(store.state);
      const taken = rules.some((one) => one.key !== key && idOf(one.rule) === id);
      if (!id || taken) store.set({ done: taken ? store.say("nameTaken") : "" });
      else if (id !== idOf(rule)) store.rules(rules.map((one) => (one.key === key ? { ...one, rule: { ...rule, id } } : one)));
    }} />
  );
}

function Effect({ found, answer }: { found: Ruled; answer: Answer }) {
  const store = useStore();
  const { say } = store;
  const { control, checking, desk } = useShown();
  const { after } = answer;
  const { shares } = amountsOf(after);
  const most = mostMoved(found);
  const of = control?.target ?? null;
  const by = (n: number): string => change(say, n, after);
  const size = (n: number): string => extent(say, n, after);
  const chance = control?.rules.find((one) => one.id === found.id);
  const places = found.shown.slice(0, SHOWN).map((one) => `“${one}”`).join(" ")
    + (found.shown.length > SHOWN ? " …" : "");
  return (
    <div class="effects">
      {found.matched ? (
        <>
          <p class="effect">
            <b>{shares && Math.abs(found.effects[most]) < LEAST ? say("effectNone") : say(shares ? "effect" : "effectValue", { change: by(found.effects[most]), label: answer.labels[most] })}</b>
          </p>
          {chance ? (
            <p class="note control">
              {shares && of !== null && of !== most && `${answer.labels[of]}: `}
              {chance.mean === null ? say("controlNone") : say(desk.kind === "text" ? "control" : "controlTable", { mean: size(chance.mean ?? 0), own: size(chance.own) })}{" "}
              {chance.mean !== null && say("controlMany", { k: Math.round((chance.as_large ?? 0) * chance.draws), n: chance.draws })}
            </p>
          ) : checking === "control" && <p class="note control">{say("controlWaits")}</p>}
        </>
      ) : null}
      <p class={found.matched ? "note" : "note nothing"}>
        {say(found.matched === 0 ? "matchedNone" : found.matched === 1 ? "matchedOne" : "matched",
          { n: found.matched, list: places })}
        {found.clamped && ` ${say("clamped")}`}
      </p>
    </div>
  );
}
