// A series in numbers fit for drawing: ranges, decimation, ticks, and which stretch is where.
import { visible } from "../../format";
import type { Translate } from "../../strings";
import type { Track } from "../../types";
import type { Pieces } from "./pieces";

type Signal = NonNullable<Track["signal"]>;

export interface Span {
  index: number;
  channel: number;
  start: number;
  stop: number;
}

export interface Series {
  names: string[];
  values: Float32Array; // C x T
  length: number; // T
  ranges: [low: number, high: number][]; // one a channel, over all steps
  byChannel: Map<number, Span[]>; // -1: stretches of all channels
  spans: Map<number, Span>; // by piece
  envelopes: Map<string, Envelope>;
}

export function seriesOf(signal: Signal, pieces: Pieces | null): Series {
  const [channels, length] = signal.values.shape;
  const values = signal.values.data as Float32Array;
  const byChannel = new Map<number, Span[]>();
  const spans = new Map<number, Span>();
  signal.spans.slice(0, pieces?.count ?? 0).forEach(([channel, start, stop], index) => {
    if (stop <= start || channel >= channels) return; // an added piece stands nowhere in the series
    const span = { index, channel, start, stop };
    spans.set(index, span);
    const list = byChannel.get(channel);
    if (list) list.push(span);
    else byChannel.set(channel, [span]);
  });
  for (const list of byChannel.values()) list.sort((a, b) => a.start - b.start || b.stop - a.stop);
  const ranges = signal.names.map((_, channel) => rangeOf(values, channel * length, (channel + 1) * length));
  return { names: signal.names, values, length, ranges, byChannel, spans, envelopes: new Map() };
}

// Lowest and highest measured value; NaN where nothing was measured.
export function rangeOf(values: Float32Array, from: number, to: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [NaN, NaN];
}

export interface Envelope {
  low: Float32Array;
  high: Float32Array;
  missing: Uint8Array;
} // missing: 1 some, 2 all

// Per column the lowest and highest of its steps: a spike of one step stays visible at any length.
export function envelope(values: Float32Array, offset: number, from: number, to: number, columns: number): Envelope {
  const low = new Float32Array(columns).fill(NaN);
  const high = new Float32Array(columns).fill(NaN);
  const missing = new Uint8Array(columns);
  for (let column = 0; column < columns; column++) {
    const first = from + Math.floor(((to - from) * column) / columns);
    const past = Math.max(first + 1, from + Math.floor(((to - from) * (column + 1)) / columns));
    let gaps = 0;
    for (let step = first; step < past; step++) {
      const value = values[offset + step];
      if (!Number.isFinite(value)) {
        gaps++;
        continue;
      }
      if (!(low[column] <= value)) low[column] = value;
      if (!(high[column] >= value)) high[column] = value;
    }
    missing[column] = gaps === past - first ? 2 : gaps ? 1 : 0;
  }
  return { low, high, missing };
}

const KEPT = 100; // envelopes: as many rows as are seen, and some beside them

// The envelope of a channel, kept: the pointer moves more often than what is shown.
export function envelopeOf(series: Series, channel: number, from: number, to: number, columns: number): Envelope {
  const name = `${channel} ${from} ${to} ${columns}`;
  let found = series.envelopes.get(name);
  if (!found) {
    found = envelope(series.values, channel * series.length, from, to, columns);
    if (series.envelopes.size >= KEPT) series.envelopes.clear();
    series.envelopes.set(name, found);
  }
  return found;
}

export interface Measured {
  low: number;
  high: number;
  mean: number;
  missing: number;
  count: number;
}

// What was measured within a stretch of one channel.
export function measuredIn(series: Series, { channel, start, stop }: Span): Measured {
  const found: Measured = { low: Infinity, high: -Infinity, mean: 0, missing: 0, count: 0 };
  for (let step = Math.max(0, start); step < Math.min(series.length, stop); step++) {
    const value = series.values[channel * series.length + step];
    found.count++;
    if (!Number.isFinite(value)) {
      found.missing++;
      continue;
    }
    found.low = Math.min(found.low, value);
    found.high = Math.max(found.high, value);
    found.mean += value;
  }
  found.mean /= found.count - found.missing;
  return found;
}

// The shortest stretch that covers a step.
export function spanAt(series: Series, channel: number, step: number): Span | null {
  let best: Span | null = null;
  for (const span of series.byChannel.get(channel) ?? []) {
    if (span.start > step) break;
    if (step < span.stop && (!best || span.stop - span.start < best.stop - best.start)) best = span;
  }
  return best;
}

// Round steps, some `most` of them.
export function ticks(from: number, to: number, most: number): number[] {
  const rough = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 10 * power);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) found.push(at);
  return found;
}

export const channelName = (t: Translate, series: Series, channel: number): string =>
  channel < 0 ? t("signalAll") : visible(series.names[channel]);
