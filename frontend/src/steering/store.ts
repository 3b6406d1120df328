// What the panel shows, and what a person can do to it.
import { createContext } from "preact";
import { useContext, useEffect, useReducer } from "preact/hooks";
import { type History, put, redo, settle, startWith, undo } from "./history";
import { actionOf, freeName, idOf, plainlyAbout, withWeight } from "./rule";
import { sentences } from "./sentences";
import type { Theme } from "./theme";
import type { Answer, Believed, Control, DeskInfo, Input, Lang, Piece, Rule } from "./types";
import { type Say, sayer } from "./words";

// A rule of the list; one that is off stays there and is not sent.
export interface Kept {
  key: number;
  rule: Rule;
  on: boolean;
}

export interface State {
  lang: Lang;
  theme: Theme;
  desk: DeskInfo;
  input: Input;
  target: number | null; // the label that is asked about; null for the one that is decided
  picked: boolean; // whether a person chose it
  history: History<Kept[]>;
  off: boolean; // all rules, to compare
  answer: Answer | null;
  answered: Input | null; // what the answer is about
  asking: boolean;
  control: Control | null;
  believed: Believed | null;
  checking: "" | "control" | "verdict";
  checkFailed: string;
  error: string;
  done: string; // what was just done, for those who do not see it
  open: number; // the piece whose weight is being set, -1: none
}

let keys = 0;
export const keptOf = (rule: Rule): Kept => ({ key: ++keys, rule, on: true });

export function firstState(desk: DeskInfo, lang: Lang, theme: Theme): State {
  return {
    lang, theme, desk, input: desk.examples[0]?.input ?? emptyInput(desk), target: null, picked: false,
    history: startWith(named(desk.rules).map(keptOf)), off: false, answer: null, answered: null, asking: false, control: null, believed: null, checking: "",
    checkFailed: "", error: "", done: "", open: -1,
  };
}

function emptyInput(desk: DeskInfo): Input {
  if (desk.kind === "text") return { text: "" };
  if (desk.kind === "series") return { series: 0 };
  return { record: Object.fromEntries((desk.columns ?? []).map((one) => [one.name, one.values?.[0] ?? one.low ?? null])) };
}

// Rules of a file may have no id; here each needs one.
export function named(rules: Rule[]): Rule[] {
  const taken = rules.map(idOf).filter(Boolean);
  return rules.map((rule) => {
    if (idOf(rule)) return rule;
    const id = freeName("rule", taken);
    taken.push(id);
    return { ...rule, id };
  });
}

export const rulesOf = (state: State): Kept[] => state.history.now;
export const activeRules = (state: State): Rule[] =>
  (state.off ? [] : rulesOf(state).filter((one) => one.on).map((one) => one.rule));
export const ruleOf = (state: State, piece: Piece): Kept | undefined =>
  rulesOf(state).find(({ rule }) => (piece.select && plainlyAbout(rule, piece.select))
    || (piece.everywhere && plainlyAbout(rule, piece.everywhere)));

export class Store {
  private listeners = new Set<(before: State) => void>();

  constructor(public state: State, readonly root: ShadowRoot) {}

  set(changes: Partial<State>): void {
    const before = this.state;
    this.state = { ...before, ...changes };
    for (const listener of [...this.listeners]) listener(before);
  }

  listen(action: (before: State) => void): () => void {
    this.listeners.add(action);
    return () => this.listeners.delete(action);
  }

  get say(): Say { return sayer(sentences, this.state.lang); }

  // The list becomes another; comparing with no rules ends, or nothing would be seen to change.
  rules(next: Kept[], gesture = ""): void {
    this.set({ history: put(this.state.history, next, gesture), off: false, done: "" });
  }

  change(key: number, rule: Rule, gesture = ""): void {
    this.rules(rulesOf(this.state).map((one) => (one.key === key ? { ...one, rule, on: true } : one)), gesture);
  }

  remove(key: number): void {
    this.rules(rulesOf(this.state).filter((one) => one.key !== key));
  }

  // How much a piece counts: 0 never. A rule is made where there is none.
  weigh(piece: Piece, weight: number, gesture = ""): void {
    const found = ruleOf(this.state, piece);
    if (found) {
      this.change(found.key, withWeight(found.rule, weight), gesture);
      return;
    }
    const id = freeName(piece.name, rulesOf(this.state).map((one) => idOf(one.rule)));
    const rule = withWeight({ id, boost: piece.select }, weight);
    this.rules([...rulesOf(this.state), keptOf(rule)], gesture);
  }

  // Whether the piece's rule means all that read like it.
  widen(piece: Piece, everywhere: boolean): void {
    const found = ruleOf(this.state, piece);
    if (!found) return;
    this.change(found.key, { ...found.rule, [actionOf(found.rule)]: everywhere ? piece.everywhere : piece.select });
  }

  release(piece: Piece): void {
    const found = ruleOf(this.state, piece);
    if (found) this.remove(found.key);
  }

  // The answer to the rules as they stand, when it is there.
  answer(): Promise<Answer> {
    return new Promise((give) => {
      const look = (): void => {
        const { answer, asking, error } = this.state;
        if (!answer || asking || error) return;
        stop();
        give(answer);
      };
      const stop = this.listen(look);
      look();
    });
  }

  settle(): void { this.set({ history: settle(this.state.history) }); }
  undo(): void { this.set({ history: undo(this.state.history), done: this.say("undone") }); }
  redo(): void { this.set({ history: redo(this.state.history), done: this.say("redone") }); }
}

export const StoreContext = createContext<Store>(null as unknown as Store);
export const useStore = (): Store => useContext(StoreContext);

// The state, drawn again whenever it changes: the page is small.
export function useShown(): State {
  const store = useStore();
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    again(0);
    return store.listen(() => again(0));
  }, [store]);
  return store.state;
}
