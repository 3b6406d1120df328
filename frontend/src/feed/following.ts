// From what a person changed to the list that comes of it: at once the list, and when the hand rests how it
// compares with chance, and whether its reasons are to be believed.
import { Latest } from "../steering/latest";
import { same } from "../steering/rule";
import { ask } from "../steering/server";
import { activeRules, rulesOf, type State, type Store } from "./store";
import type { Answer, Believed, Control, Rule } from "./types";

const REST = 700; // milliseconds without a change
const DRAWS = 10;

interface Wish {
  turn: number;
  history: number[];
  rules: Rule[];
  language: string;
  personal: boolean;
}

export function follow(store: Store): void {
  let turn = 0;
  let rest: ReturnType<typeof setTimeout> | undefined;
  const wish = (): Wish => {
    const { watched, personal, lang } = store.state;
    return { turn: ++turn, history: watched, rules: activeRules(store.state), language: lang, personal };
  };
  const failed = (): void => store.set({ checking: "" });
  const believe = new Latest<Wish, Believed>((one, signal) => ask("verdict", one, signal),
    (believed) => store.set({ believed, checking: "" }), failed);
  const compare = new Latest<Wish, Control>((one, signal) => ask("control", { ...one, draws: DRAWS }, signal),
    (control) => {
      store.set({ control, checking: "verdict" });
      believe.want(wish());
    }, failed);
  const decide = new Latest<Wish, Answer>((one, signal) => ask("try", one, signal),
    (answer) => {
      store.set({ answer, asking: false, error: "" });
      clearTimeout(rest);
      rest = setTimeout(() => {
        const some = activeRules(store.state).length > 0;
        store.set({ checking: some ? "control" : "verdict" });
        if (some) compare.want(wish());
        else believe.want(wish());
      }, REST);
    },
    (error) => store.set({ asking: false, error: error.message }));
  const go = (): void => {
    clearTimeout(rest);
    compare.drop();
    believe.drop();
    store.set({ asking: true, control: null, believed: null, checking: "" });
    decide.want(wish());
  };
  store.listen((before) => { if (another(before, store.state)) go(); });
  go();
}

// A rule that is off may be renamed without anybody asking.
function another(before: State, now: State): boolean {
  if (before.watched !== now.watched || before.personal !== now.personal || before.lang !== now.lang) return true;
  if (rulesOf(before) === rulesOf(now) && before.off === now.off) return false;
  return !same(activeRules(before), activeRules(now));
}
