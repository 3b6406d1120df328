// What can be compared of two moments, and what their difference is.
import type { Head, Moment, Track } from "../../types";
import { type Change, changeOf, matching } from "./change";
import type { Drawn } from "./Pictures";

export interface Pair {
  head: Head;
  other: Head;
  change: Change;
}

export interface Difference {
  pairs: Pair[]; // heads of the shown text that are in both
  missing: number; // those that are not
  pictures: Map<Head, Drawn>; // now minus then, 127.5 = none
  most: number; // the largest difference of two dots, a weight
  texts: boolean; // whether the heads asked the same tokens
  pooled: boolean; // whether a dot stands for several cells
  values: { unit: number; now: number; then: number }[] | null; // null: not comparable
}

const labelsOf = (track: Track, sequence: number): string => JSON.stringify(track.sequences[sequence]?.labels ?? null);

export const sameUnits = (a: Track, b: Track): boolean =>
  a === b || (a.units.length === b.units.length && a.units.every(([label], i) => label === b.units[i][0]));

// Codes of small pictures are logarithms; differences are of weights.
function weights(floor: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => (code ? floor ** (1 - (code - 1) / 254) : 0));
}

export function differenceOf(
  track: Track,
  moment: Moment,
  otherTrack: Track,
  other: Moment,
  shown: Head[],
): Difference {
  const twin = matching(track, otherTrack);
  const pairs: Pair[] = [];
  const raw: [Head, Float32Array][] = [];
  let [most, texts, pooled] = [0, true, false];
  const known = new Map<number, boolean>();
  const sameText = (sequence: number): boolean => {
    if (!known.has(sequence)) known.set(sequence, labelsOf(track, sequence) === labelsOf(otherTrack, sequence));
    return known.get(sequence) as boolean;
  };
  for (const head of shown) {
    const before = other.heads[twin(head.entry.index)];
    if (!before) continue;
    pairs.push({ head, other: before, change: changeOf(before.stats, head.stats, head.entry.shape[1]) });
    if (!sameText(head.entry.queries) || !sameText(head.entry.keys)) {
      texts = false;
      continue;
    }
    if (head.picture.length !== before.picture.length) continue;
    const [now, then] = [weights(head.entry.floor), weights(before.entry.floor)];
    const values = Float32Array.from(head.picture, (code, i) => now[code] - then[before.picture[i]]);
    most = values.reduce((a, b) => Math.max(a, Math.abs(b)), most);
    pooled ||= head.entry.shape[0] > head.entry.thumbnail[0] || head.entry.shape[1] > head.entry.thumbnail[1];
    raw.push([head, values]);
  }
  // Square roots: most differences are faint, and a faint one that cannot be seen is left out.
  const pictures = new Map(
    raw.map(([head, values]) => [
      head,
      {
        rows: head.entry.thumbnail[0],
        cols: head.entry.thumbnail[1],
        codes: Uint8Array.from(values, (v) =>
          Math.round(127.5 * (1 + Math.sign(v) * Math.sqrt(Math.abs(v) / (most || 1)))),
        ),
      },
    ]),
  );
  return {
    pairs,
    missing: shown.length - pairs.length,
    pictures,
    most,
    texts,
    pooled,
    values: changedValues(track, moment, otherTrack, other),
  };
}

function changedValues(track: Track, moment: Moment, otherTrack: Track, other: Moment): Difference["values"] {
  if (!sameUnits(track, otherTrack) || moment.values.length !== other.values.length || moment.method !== other.method)
    return null;
  return moment.values
    .map((now, unit) => ({ unit, now, then: other.values[unit] }))
    .sort((a, b) => Math.abs(b.now - b.then) - Math.abs(a.now - a.then));
}
