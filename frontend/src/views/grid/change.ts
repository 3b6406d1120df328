// How much heads have changed, and since when: the compared moment, or else the first step.
import { SHARES } from "../../format";
import { type Place, type State, useShown } from "../../store";
import { type Translate, useWords } from "../../strings";
import type { Entry, Head, Index, Series, Track } from "../../types";
import { stepName } from "./heads";

type Stats = Record<string, number>;

export interface Change {
  size: number; // 0 to 1
  name: string; // the statistic that changed most
  before: number;
  after: number;
}

export interface Reference {
  place: Place;
  name: string;
  statsOf: (entry: number) => Stats | null;
}

// Shares as they are, numbers of tokens as logarithms up to the length. The single strongest link is left out: it
// is one cell, not the head.
export function changeOf(before: Stats, after: Stats, keys: number): Change {
  let most: Change = { size: 0, name: "", before: 0, after: 0 };
  for (const [name, now] of Object.entries(after)) {
    const then = before[name];
    if (then === undefined || name === "max") continue;
    const size = SHARES.has(name)
      ? Math.abs(now - then)
      : Math.abs(Math.log((1 + now) / (1 + then))) / Math.log(1 + keys);
    if (size > most.size) most = { size: Math.min(size, 1), name, before: then, after: now };
  }
  return most;
}

export function seriesStats(series: Series, track: Track, place: number, entry: number): Stats | null {
  const width = track.statistics.length;
  if (entry >= series.heads) return null;
  const stats: Stats = {};
  track.statistics.forEach((name, i) => {
    const value = series.statistics[(place * series.heads + entry) * width + i];
    if (value >= 0) stats[name] = value;
  });
  return Object.keys(stats).length ? stats : null;
}

const keyOf = (entry: Entry): string => [entry.kind, entry.layer, entry.head, entry.queries, entry.keys].join("/");

// entry of one track -> the same head in the other.
export function matching(track: Track, other: Track): (entry: number) => number {
  if (track.id === other.id) return (entry) => (entry < other.entries.length ? entry : -1);
  const places = new Map(other.entries.map((entry) => [keyOf(entry), entry.index]));
  return (entry) => places.get(keyOf(track.entries[entry])) ?? -1;
}

export function placeName(t: Translate, index: Index, place: Place, here: string): string {
  const step = stepName(t, place.step);
  if (place.track === here) return step;
  const track = index.tracks.find((one) => one.id === place.track);
  return [track?.run, track?.name, (track?.steps.length ?? 2) > 1 ? step : ""].filter(Boolean).join(" · ");
}

export function referenceOf(t: Translate, state: State): Reference | null {
  const { track, moment, series, otherTrack, otherMoment, index } = state;
  if (!track || !moment) return null;
  if (otherMoment && otherTrack) {
    if (otherMoment.track === moment.track && otherMoment.step === moment.step) return null;
    const twin = matching(track, otherTrack);
    const place = { track: otherMoment.track, step: otherMoment.step };
    return {
      place,
      name: placeName(t, index, place, track.id),
      statsOf: (entry) => otherMoment.heads[twin(entry)]?.stats ?? null,
    };
  }
  if (!series || series.steps.length < 2 || series.steps[0] === moment.step) return null;
  const place = { track: track.id, step: series.steps[0] };
  return {
    place,
    name: placeName(t, index, place, track.id),
    statsOf: (entry) => seriesStats(series, track, 0, entry),
  };
}

export function useReference(): Reference | null {
  const t = useWords();
  return referenceOf(t, useShown("track", "moment", "series", "otherTrack", "otherMoment", "index"));
}

export function changeSince(reference: Reference | null, head: Head): Change | null {
  const before = reference?.statsOf(head.entry.index);
  return before ? changeOf(before, head.stats, head.entry.shape[1]) : null;
}

export const changeText = (t: Translate, size: number): string =>
  t("percent", { n: size > 0 && size < 0.01 ? "< 1" : Math.round(100 * size) });
