// The chosen head with what is known of it: one for all views of a store.
import { useEffect } from "preact/hooks";
import { useAgain } from "../controls";
import type { HeadOperator } from "../../operator";
import { type Store, useStore } from "../../store";
import type { Entry, Head, Moment, Track } from "../../types";

export interface Shown {
  track: Track | null;
  step: number;
  entry: Entry | null;
  head: Head | null; // null: its layer was not kept at this step
  operator: HeadOperator | null; // while another step loads, still that of the step before
  loading: boolean;
  otherHead: Head | null; // the same head of the moment that it is compared with
  other: HeadOperator | null;
}

const NOTHING: Shown = { track: null, step: 0, entry: null, head: null, operator: null, loading: false,
  otherHead: null, other: null };

const NAMES = ["track", "moment", "entry", "otherTrack", "otherMoment"] as const;

class ShownHead {
  now: Shown = NOTHING;
  private wish = 0;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly store: Store) {
    store.listen((changed) => {
      if (NAMES.some((name) => changed.has(name))) void this.load();
    });
    void this.load();
  }

  listen(action: () => void): () => void {
    this.listeners.add(action);
    return () => this.listeners.delete(action);
  }

  private tell(now: Shown): void {
    this.now = now;
    for (const listener of [...this.listeners]) listener();
  }

  private async load(): Promise<void> {
    const mine = ++this.wish;
    const { store } = this;
    const { track, moment, entry: chosen, otherTrack, otherMoment } = store.state;
    const entry = track?.entries[chosen] ?? null;
    if (!track || !moment || !entry) { this.tell(NOTHING); return; }
    const head = moment.heads[chosen] ?? null;
    const otherHead = otherMoment && counterpart(otherMoment, entry);
    const kept = this.now.entry === entry;
    const next: Shown = { track, step: moment.step, entry, head, loading: Boolean(head?.detailed), otherHead,
      operator: kept && head?.detailed ? this.now.operator : null,
      other: kept && otherHead?.detailed ? this.now.other : null };
    const [rows, cols] = entry.shape;
    store.set({ query: Math.min(store.state.query, rows - 1), key: Math.min(store.state.key, cols - 1) });
    this.tell(next);
    try {
      const [operator, other] = await Promise.all([
        head?.detailed ? store.source.operator(track, moment.step, entry) : null,
        otherTrack && otherMoment && otherHead?.detailed
          ? store.source.operator(otherTrack, otherMoment.step, otherHead.entry) : null,
      ]);
      if (mine === this.wish) this.tell({ ...next, operator, other, loading: false });
    } catch (error) {
      if (mine !== this.wish) return;
      this.tell({ ...next, operator: null, other: null, loading: false });
      store.set({ error: (error as Error).message });
    }
  }
}

// The head of the same place in another moment, which may be of another track.
const counterpart = (moment: Moment, entry: Entry): Head | null =>
  moment.heads.find((one) => one !== null && one.entry.layer === entry.layer && one.entry.head === entry.head
    && one.entry.kind === entry.kind && one.entry.keys === entry.keys) ?? null;

const all = new WeakMap<Store, ShownHead>();

export function shownHead(store: Store): ShownHead {
  let found = all.get(store);
  if (!found) all.set(store, found = new ShownHead(store));
  return found;
}

// The shown head, drawn again when it or its details change.
export function useShownHead(): Shown {
  const shown = shownHead(useStore());
  const again = useAgain();
  useEffect(() => {
    again();
    return shown.listen(again);
  }, [shown]);
  return shown.now;
}
