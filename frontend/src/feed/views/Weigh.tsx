// More of this, less of that, never that: a small panel below what it is about.
import { MOST, STEPS, stepOf, weightAt, weightOf, weightText } from "../../steering/rule";
import { ruleAbout, type Topic, useShown, useStore } from "../store";

export function Slider({ label, weight, put }: { label: string; weight: number; put: (weight: number) => void }) {
  const store = useStore();
  const text = weight === 0 ? store.say("neverOf")
    : weight === 1 ? store.say("weightOne") : store.say("weightIs", { weight: weightText(weight) });
  return (
    <div class="slider">
      <input type="range" min={-STEPS} max={STEPS} step={1} value={weight === 0 ? -STEPS : stepOf(weight)}
        aria-label={label} aria-valuetext={text}
        onInput={(event) => put(weightAt(Number(event.currentTarget.value)))}
        onPointerUp={() => store.settle()} onBlur={() => store.settle()} />
      <div class="scale" aria-hidden="true">
        <span>{store.say("less")} ÷ {MOST}</span>
        <span>{store.say("neutral")}</span>
        <span>{store.say("more")} × {MOST}</span>
      </div>
      <p class="weight-said">{text}</p>
    </div>
  );
}

export function Weigh({ topic }: { topic: Topic }) {
  const store = useStore();
  const state = useShown();
  const own = ruleAbout(state, topic);
  const weight = own ? weightOf(own.rule) : 1;
  return (
    <div class="weigh" role="group" aria-label={store.say("weightOf", { name: topic.name })}>
      <Slider label={store.say("weightOf", { name: topic.name })} weight={weight}
        put={(value) => store.weigh(topic, value, `weigh ${topic.select.column}`)} />
      <div class="tools">
        <button type="button" class="quiet never" aria-pressed={Boolean(own) && weight === 0}
          onClick={() => store.weigh(topic, 0)}>{store.say("never")}</button>
        <button type="button" class="quiet reset" disabled={!own}
          onClick={() => { if (own) store.remove(own.key); }}>{store.say("reset")}</button>
        <button type="button" class="quiet" onClick={() => store.set({ open: "" })}>{store.say("close")}</button>
      </div>
    </div>
  );
}

// A name that can be weighed, with what its own rule says.
export function Handle({ topic, place, kind }: { topic: Topic; place: string; kind: string }) {
  const store = useStore();
  const state = useShown();
  const own = ruleAbout(state, topic);
  const key = `${place} ${topic.select.column}`;
  const open = state.open === key;
  const weight = own && own.on && !state.off ? weightOf(own.rule) : 1;
  const tag = weight === 1 ? "" : weight === 0 ? store.say("neverSaid") : weightText(weight);
  return (
    <button type="button" class={`handle ${kind}${tag ? " ruled" : ""}`} aria-expanded={open} title={store.say("handle", { name: topic.name })}
      onClick={() => store.set({ open: open ? "" : key })}>
      <span class="name">{topic.name}</span>
      {tag && <span class="tag">{tag}</span>}
    </button>
  );
}

export const openAt = (open: string, place: string, topics: Topic[]): Topic | undefined =>
  topics.find((one) => open === `${place} ${one.select.column}`);
