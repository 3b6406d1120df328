// What the feed's page shows, and what a person can do to it.
import { createContext } from "preact";
import { useContext, useEffect, useReducer } from "preact/hooks";
import { type History, put, redo, settle, startWith, undo } from "../steering/history";
import { actionOf, freeName, idOf, plainlyAbout, withWeight } from "../steering/rule";
import type { Theme } from "../steering/theme";
import { type Say, sayer } from "../steering/words";
import { sentences } from "./sentences";
import type { Answer, Believed, Control, DeskInfo, Lang, Rule } from "./types";

// One rule of the list; one that is off stays there and is not sent.
export interface Kept {
  key: number;
  rule: Rule;
  on: boolean;
}

// What a rule can be about: a genre or a film, among those seen, those shown, or both.
export interface Topic {
  name: string;
  select: { column: string };
}

export interface State {
  lang: Lang;
  theme: Theme;
  desk: DeskInfo;
  person: number; // place among the desk's people, -1: oneself
  watched: number[];
  personal: boolean;
  history: History<Kept[]>;
  off: boolean; // all rules, to compare
  answer: Answer | null;
  asking: boolean;
  control: Control | null;
  believed: Believed | null;
  checking: "" | "control" | "verdict";
  error: string;
  done: string; // what was just done, for those who do not see it
  open: string; // where a weight is being set, "": nowhere
}

let keys = 0;
export const keptOf = (rule: Rule): Kept => ({ key: ++keys, rule, on: true });

export function firstState(desk: DeskInfo, lang: Lang, theme: Theme): State {
  const person = desk.people.length ? Math.floor(desk.people.length / 2) : -1;
  return {
    lang, theme, desk, person, watched: desk.people[person]?.history ?? [], personal: true,
    history: startWith<Kept[]>([]), off: false, answer: null, asking: false, control: null, believed: null,
    checking: "", error: "", done: "", open: "",
  };
}

export const rulesOf = (state: State): Kept[] => state.history.now;
export const activeRules = (state: State): Rule[] =>
  (state.off ? [] : rulesOf(state).filter((one) => one.on).map((one) => one.rule));
export const ruleAbout = (state: State, { select }: Topic): Kept | undefined =>
  rulesOf(state).find(({ rule }) => plainlyAbout(rule, select));

export const ofGenre = (genre: string): Topic => ({ name: genre, select: { column: `*/${genre}/*` } });
export const ofFilm = (title: string): Topic => ({ name: title, select: { column: `*/${title}/*` } });
export const ofSeen = (title: string): Topic => ({ name: title, select: { column: `seen/${title}/*` } });

export class Store {
  private listeners = new Set<(before: State) => void>();

  constructor(public state: State) {}

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

  title(film: number): string { return this.state.desk.films[film]?.[0] ?? "?"; }

  // The list of rules becomes another; comparing with none ends, or nothing would be seen to change.
  rules(next: Kept[], gesture = ""): void {
    this.set({ history: put(this.state.history, next, gesture), off: false, done: "" });
  }

  change(key: number, rule: Rule, gesture = ""): void {
    this.rules(rulesOf(this.state).map((one) => (one.key === key ? { ...one, rule, on: true } : one)), gesture);
  }

  remove(key: number): void {
    this.rules(rulesOf(this.state).filter((one) => one.key !== key));
  }

  // More, less or never (0) of a topic; 1 takes its rule away.
  weigh(topic: Topic, weight: number, gesture = ""): void {
    const found = ruleAbout(this.state, topic);
    if (found && weight === 1 && !gesture) this.remove(found.key);
    else if (found) this.change(found.key, withWeight(found.rule, weight), gesture);
    else if (weight !== 1) {
      const id = freeName(topic.name, rulesOf(this.state).map((one) => idOf(one.rule)));
      this.rules([...rulesOf(this.state), keptOf(withWeight({ id, boost: topic.select }, weight))], gesture);
    }
  }

  // A history of one's own: the one that is shown, changed.
  watch(watched: number[]): void {
    this.set({ watched, person: -1, done: "" });
  }

  settle(): void { this.set({ history: settle(this.state.history) }); }
  undo(): void { this.set({ history: undo(this.state.history), done: this.say("undone") }); }
  redo(): void { this.set({ history: redo(this.state.history), done: this.say("redone") }); }
}

export const vetoed = (rule: Rule): boolean => actionOf(rule) === "veto";

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
