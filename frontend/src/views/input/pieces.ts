// The pieces of the input (words, factors, stretches of a series) and what their numbers amount to.
import { number, visible } from "../../format";
import { useShown } from "../../store";
import { type Translate, useWords } from "../../strings";
import type { Moment, Track } from "../../types";
import { placeName } from "../grid/change";
import { sameUnits } from "../grid/difference";

export interface Pieces {
  count: number;
  values: number[]; // one a piece
  label: (index: number) => string;
  special: (index: number) => boolean;
  top: number; // the largest size of a piece of the input itself
  sum: number; // of all sizes
  ranked: number[]; // pieces of the input itself, the largest first
}

// Null where no method said anything of the pieces, or where there are none.
export function piecesOf(track: Track, moment: Moment): Pieces | null {
  const { units } = track;
  const { values } = moment;
  if (!units.length || values.length !== units.length) return null;
  const sizes = values.map(Math.abs);
  const special = (index: number): boolean => Boolean(units[index][1]);
  const own = [...sizes.keys()].filter((index) => !special(index));
  // Added tokens must not wash out the words.
  const most = (indexes: Iterable<number>): number => {
    let best = 1e-30;
    for (const index of indexes) best = Math.max(best, sizes[index]);
    return best;
  };
  return {
    count: units.length,
    values,
    special,
    label: (index) => visible(units[index][0]),
    top: most(own.length ? own : sizes.keys()),
    sum: sizes.reduce((a, b) => a + b, 0) || 1,
    ranked: own.sort((a, b) => sizes[b] - sizes[a]),
  };
}

export const shareOf = (pieces: Pieces, index: number): number =>
  Math.min(1, Math.abs(pieces.values[index]) / pieces.top);

// "Rollout(residual=0.5)" by its name.
export const methodName = (moment: Moment): string => moment.method.split("(")[0];

// Sentences one after the other; those that do not hold are left out.
export const joined = (t: Translate, ...parts: unknown[]): string => parts.filter(Boolean).join(t("space"));

export const signedNumber = (value: number, digits = 3): string => (value > 0 ? "+" : "") + number(value, digits);

export const strongest = (pieces: Pieces, most = 4): string =>
  pieces.ranked
    .slice(0, most)
    .map((index) => `“${pieces.label(index)}” ${number(pieces.values[index])}`)
    .join(" · ");

export interface Compared {
  name: string; // of what it is compared with
  before: number[];
  change: (index: number) => number;
  told: (index: number) => boolean; // whether the change is worth a mark
}

// The change of every piece against the compared moment, if both speak of the same pieces in the same way.
export function useCompared(pieces: Pieces | null): Compared | null {
  const { track, moment, otherTrack, otherMoment, index } = useShown(
    "track",
    "moment",
    "otherTrack",
    "otherMoment",
    "index",
  );
  const t = useWords();
  if (!pieces || !track || !moment || !otherTrack || !otherMoment || otherMoment === moment) return null;
  const { values, method } = otherMoment;
  if (!sameUnits(track, otherTrack) || values.length !== pieces.count || method !== moment.method) return null;
  const change = (i: number): number => pieces.values[i] - values[i];
  return {
    before: values,
    change,
    told: (i) => Math.abs(change(i)) >= pieces.top / 100,
    name: placeName(t, index, { track: otherMoment.track, step: otherMoment.step }, track.id),
  };
}

// One piece in words: its value, its share of the total, its rank, and how it changed.
export function readPiece(t: Translate, pieces: Pieces, compared: Compared | null, index: number): string {
  const share = number((Math.abs(pieces.values[index]) / pieces.sum) * 100, 2);
  const text = t(pieces.special(index) ? "wordsSpecial" : "wordsRead", {
    label: pieces.label(index),
    value: number(pieces.values[index]),
    share,
    rank: pieces.ranked.indexOf(index) + 1,
    count: pieces.ranked.length,
  });
  return compared
    ? `${text} · ${t("changeRead", { change: signedNumber(compared.change(index)), other: compared.name })}`
    : text;
}
