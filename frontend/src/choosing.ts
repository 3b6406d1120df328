// Which heads are there, and which one and which cell of it to show first.
import type { State } from "./store";
import type { Head, Moment, Track } from "./types";

export const shownHeads = (moment: Moment | null, sequence: number): Head[] =>
  (moment?.heads ?? []).filter((head): head is Head => head !== null && head.entry.keys === sequence);

// The head that differs most and can be opened in full; its strongest inner link shows it at once.
export function firstHead(moment: Moment, sequence: number): Head | null {
  const shown = shownHeads(moment, sequence);
  if (!shown.length) return null;
  const able = shown.filter((head) => head.detailed);
  // A head that rests on one fixed token differs a lot and shows little.
  const telling = able.filter(
    (head) => !["+first", "+special", "+max"].includes(head.reason) && head.reason[0] !== "-",
  );
  const pool = [telling, able, shown].find((list) => list.length) as Head[];
  return pool.reduce((a, b) => (b.standing > a.standing ? b : a));
}

export function chosenFrom(track: Track, head: Head | null): { entry: number; query: number; key: number } {
  if (!head) return { entry: -1, query: 0, key: 0 };
  const special = (sequence: number, position: number) => track.sequences[sequence].special[position];
  const { queries, keys } = head.entry;
  const link = head.top.find((x) => !special(queries, x.query) && !special(keys, x.key)) ?? head.top[0];
  return { entry: head.entry.index, query: link?.query ?? 0, key: link?.key ?? 0 };
}

export const usedSequences = (track: Track): number[] =>
  [...new Set(track.entries.map((entry) => entry.keys))].sort((a, b) => a - b);

export function firstSight(track: Track, moment: Moment): Partial<State> {
  const sequence = usedSequences(track)[0] ?? 0;
  const longest = Math.max(0, ...track.entries.map((entry) => Math.max(...entry.shape)));
  return { sequence, stretch: longest > 64, ...chosenFrom(track, firstHead(moment, sequence)) };
}
