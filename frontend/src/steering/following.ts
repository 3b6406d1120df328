// From what a person changed to what the server says of it: at once what is decided, and when the hand
// rests how that compares with chance, and whether to believe it.
import { Latest, Refused } from "./latest";
import { mostMoved } from "./numbers";
import { ask } from "./server";
import { activeRules, rulesOf, type State, type Store } from "./store";
import { same } from "./rule";
import type { Answer, Believed, Control, Input, Rule, Ruled } from "./types";

const REST = 600; // milliseconds without a change
const TYPING = 250;
const DRAWS = 10;
const FAR = 0.05; // of a probability

interface Wish {
  turn: number;
  input: Input;
  rules: Rule[];
  language: string;
  target?: number;
}

export const empty = (input: Input): boolean => "text" in input && input.text.trim() === "";

export function follow(store: Store): void {
  let turn = 0;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let typing: ReturnType<typeof setTimeout> | undefined;
  const wish = (): Wish => {
    const { input, lang, target } = store.state;
    const asked = { turn: ++turn, input, rules: activeRules(store.state), language: lang };
    return target === null ? asked : { ...asked, target };
  };
  const failed = (error: Error): void => store.set({ checking: "", checkFailed: error.message });
  const believe = new Latest<Wish, Believed>((one, signal) => ask("verdict", one, signal),
    (believed) => store.set({ believed, checking: "" }), failed);
  const compare = new Latest<Wish, Control>((one, signal) => ask("control", { ...one, draws: DRAWS }, signal),
    (control) => judge({ control }),
    () => judge({})); // rules that cannot be compared may still be judged
  const judge = (changes: Partial<State>): void => {
    store.set({ ...changes, checking: "verdict" });
    believe.want(wish());
  };
  const check = (): void => {
    // Where each label is a question of its own, the words are shown for the one that the rules moved.
    const { desk, picked, answer } = store.state;
    const moved = furthest(store.state);
    if (desk.many && !picked && answer && moved !== answer.target && far(answer, moved)) {
      store.set({ target: moved });
      return;
    }
    const some = activeRules(store.state).length > 0;
    store.set({ checking: some ? "control" : "verdict", checkFailed: "" });
    if (some) compare.want(picked || desk.labels.length < 2 ? wish() : { ...wish(), target: moved });
    else believe.want(wish());
  };
  const decide = new Latest<Wish, Answer>((one, signal) => ask("try", one, signal),
    (answer, { input }) => {
      store.set({ answer, answered: input, asking: false, error: "" });
      clearTimeout(rest);
      rest = setTimeout(check, REST);
    },
    (error) => store.set({
      asking: false,
      // What fetch says of a server that is not there is different in every browser.
      error: error instanceof Refused ? error.message : store.say("gone"),
    }));
  // What was checked was checked of other rules.
  const stale = (): void => {
    clearTimeout(rest);
    compare.drop();
    believe.drop();
  };
  const go = (): void => {
    if (empty(store.state.input)) {
      decide.drop();
      store.set({ answer: null, answered: null, asking: false, error: "" });
      return;
    }
    store.set({ asking: true });
    decide.want(wish());
  };
  store.listen((before) => {
    const now = store.state;
    const otherInput = before.input !== now.input;
    if (!otherInput && !otherRules(before, now) && before.lang === now.lang
      && before.target === now.target) return;
    stale();
    clearTimeout(typing);
    store.set({ control: null, believed: null, checking: "", checkFailed: "" });
    if (!otherInput) go();
    else {
      decide.drop(); // an answer about another text is of no use
      store.set(now.picked ? { open: -1 } : { open: -1, target: null });
      typing = setTimeout(go, "text" in now.input && "text" in before.input ? TYPING : 0);
    }
  });
  go();
}

// The label that some rule moved most.
function furthest({ answer }: State): number {
  if (!answer) return 0;
  const size = (one: Ruled): number => Math.abs(one.effects[mostMoved(one)]);
  const [best] = [...answer.rules].sort((a, b) => size(b) - size(a));
  return best ? mostMoved(best) : answer.target;
}

const far = ({ rules, target }: Answer, moved: number): boolean =>
  rules.some((one) => Math.abs(one.effects[moved]) > FAR + Math.abs(one.effects[target]));

// A rule that is off may be renamed without anybody asking.
function otherRules(before: State, now: State): boolean {
  if (rulesOf(before) === rulesOf(now) && before.off === now.off) return false;
  return !same(activeRules(before), activeRules(now));
}
