// What is decided now, beside what the model decides without rules.
import { empty } from "../following";
import { amountsOf, apart, change, percent, valueText } from "../numbers";
import { useShown, useStore } from "../store";
import type { Answer, Decision } from "../types";
import { told } from "../words";

const MOST = 10; // labels that are listed
const CALLED = 0.5; // from which share a question of its own is answered by yes

export function DecisionView() {
  const store = useStore();
  const { answer, asking, input, error } = useShown();
  return (
    <section class="decision" id="decision" aria-labelledby="decision-title" aria-busy={asking}>
      <div class="heading">
        <h2 id="decision-title">{store.say("decision")}</h2>
        {answer && moved(answer) && <Legend />}
      </div>
      {error && (
        <div class="stop" id="error" role="alert">
          {error}{" "}
          <button type="button" class="quiet" id="retry" onClick={() => store.set({ input: { ...input } })}>
            {store.say("retry")}
          </button>
        </div>
      )}
      {answer ? <Shown answer={answer} />
        : !error && <p class="note">{store.say(empty(input) ? "noText" : "loading")}</p>}
    </section>
  );
}

const moved = ({ before, after }: Answer): boolean =>
  before.value !== after.value || before.shares.join() !== after.shares.join();

function Legend() {
  const store = useStore();
  return (
    <span class="legend" aria-hidden="true">
      <i class="key now" /> {store.say("now")} <i class="key was" /> {store.say("withoutRules")}
    </span>
  );
}

function Shown({ answer }: { answer: Answer }) {
  const { before, after } = answer;
  const [now, was] = [amountsOf(after), amountsOf(before)];
  return (
    <>
      <Said answer={answer} />
      {now.shares && was.shares ? <Bars answer={answer} now={now.shares} was={was.shares} />
        : <Values now={now.value} was={was.value} />}
    </>
  );
}

// In words: what the model reads out of the input, or the label, and what it was.
function Said({ answer }: { answer: Answer }) {
  const store = useStore();
  const { lang } = useShown();
  const { before, after } = answer;
  const lines = (one: Decision): string[] => (one.lines ?? []).map((line) => told(line, lang));
  const [now, was] = [lines(after), lines(before)];
  if (now.length) {
    return (
      <ul class="said lines" id="said" aria-live="polite">
        {now.map((line) => (was.includes(line) ? <li key={line}>{line}</li> : <li key={line}><ins>{line}</ins></li>))}
        {was.filter((line) => !now.includes(line)).map((line) => <li key={line}><del>{line}</del></li>)}
      </ul>
    );
  }
  const { shares } = amountsOf(after);
  return (
    <p class="said" id="said" aria-live="polite">
      <b>{shares ? after.label : valueText(after, before)}</b>{" "}
      <span>{summary()}</span>
    </p>
  );

  function summary(): string {
    if (!moved(answer)) return "";
    if (shares && after.label !== before.label) return store.say("was", { label: before.label });
    const by = shares ? shares[after.index] - before.shares[after.index] : (after.value ?? 0) - (before.value ?? 0);
    return change(store.say, by, after);
  }
}

interface BarsProps {
  answer: Answer;
  now: number[];
  was: number[];
}

function Bars({ answer, now, was }: BarsProps) {
  const store = useStore();
  const { desk } = useShown();
  const changed = moved(answer);
  const listed = likely(now, was, answer.target);
  return (
    <ul class="bars" id="bars">
      {listed.map((i) => [i, answer.labels[i]] as const).map(([i, label]) => (
        <li key={i} class={(desk.many ? now[i] >= CALLED : i === answer.after.index) ? "first" : ""}>
          {desk.labels.length > 1 ? (
            <button type="button" class="label" aria-pressed={i === answer.target} title={store.say("askAbout", { label })}
              onClick={() => store.set({ target: i, picked: true })}>{label}</button>
          ) : <span class="label">{label}</span>}
          <span class="track" aria-hidden="true" style={{ "--now": now[i].toFixed(4), "--was": was[i].toFixed(4) }}>
            <i class="fill" />
            {changed && <i class="mark" />}
          </span>
          <span class="amount">{percent(now[i])}</span>
          {changed && <span class="by">{change(store.say, now[i] - was[i], answer.after)}</span>}
        </li>
      ))}
      {listed.length < now.length && <li class="note">{store.say("others", { n: now.length - listed.length })}</li>}
    </ul>
  );
}

// All labels, or of many the likeliest, now or before, in the order that they have.
function likely(now: number[], was: number[], target: number): number[] {
  const all = now.map((_, i) => i);
  if (all.length <= MOST) return all;
  const size = (i: number): number => (i === target ? 1 : Math.max(now[i], was[i]));
  return all.sort((a, b) => size(b) - size(a)).slice(0, MOST).sort((a, b) => a - b);
}

// Two numbers have no common whole: they are shown beside each other on the length of the larger.
function Values({ now, was }: { now: number; was: number }) {
  const store = useStore();
  const whole = Math.max(Math.abs(now), Math.abs(was)) || 1;
  return (
    <ul class="bars" id="bars">
      {([["now", now], ["withoutRules", was]] as const).map(([name, value]) => (
        <li key={name}>
          <span class="label">{store.say(name)}</span>
          <span class="track" aria-hidden="true" style={{ "--now": (Math.abs(value) / whole).toFixed(4) }}>
            <i class={name === "now" ? "fill" : "fill hollow"} />
          </span>
          <span class="amount">{apart(value, value === now ? was : now)}</span>
        </li>
      ))}
    </ul>
  );
}
