// The state of one view and who listens to it.
import { createContext } from "preact";
import { useContext, useEffect, useReducer } from "preact/hooks";
import type { Source } from "./source";
import type { Index, Moment, Series, Track } from "./types";

export type Mode = "weights" | "scores" | "results";
export interface Place { track: string; step: number }

export interface State {
  lang: "en" | "zh";
  theme: "auto" | "light" | "dark";
  // what is shown, and what it is compared with; loading.ts fetches what they name
  place: Place;
  other: Place | null;
  index: Index;
  track: Track | null;
  moment: Moment | null; // of `place`, or the one before while it loads
  otherTrack: Track | null; // of `otherMoment`
  otherMoment: Moment | null;
  series: Series | null;
  error: string;
  // within the shown moment
  sequence: number;
  entry: number; // -1: none
  query: number;
  key: number;
  feature: number;
  mode: Mode;
  direction: "row" | "column";
  order: string;
  stretch: boolean;
  numbers: boolean;
  onlyHead: boolean;
  inner: boolean;
  filter: string;
  sort: string;
  down: boolean;
}

export class Store {
  private listeners = new Set<(changed: Set<keyof State>) => void>();

  constructor(public state: State, readonly source: Source, readonly root: ShadowRoot) {}

  set(changes: Partial<State>): void {
    const changed = new Set<keyof State>();
    for (const name of Object.keys(changes) as (keyof State)[]) {
      if (this.state[name] !== changes[name]) changed.add(name);
    }
    if (!changed.size) return;
    this.state = { ...this.state, ...changes };
    for (const listener of [...this.listeners]) listener(changed);
  }

  listen(action: (changed: Set<keyof State>) => void): () => void {
    this.listeners.add(action);
    return () => this.listeners.delete(action);
  }

  get host(): HTMLElement { return this.root.host as HTMLElement; }
}

export const StoreContext = createContext<Store>(null as unknown as Store);
export const useStore = (): Store => useContext(StoreContext);

// The state, drawn again when one of these names changes (any, when none is given).
export function useShown(...names: (keyof State)[]): State {
  const store = useStore();
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    // Changes between the first drawing and this moment would be lost otherwise.
    again(0);
    return store.listen((changed) => {
      if (!names.length || names.some((name) => changed.has(name))) again(0);
    });
  }, [store]);
  return store.state;
}
