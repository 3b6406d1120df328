// From the factors of one row to bars: in which order, from where to where, and what is folded.
import type { Pieces } from "./pieces";

export type Order = "size" | "column";
const FOLDED = 24; // more factors than this are folded
const KEPT = 20;

export interface Bar {
  index: number; // of the piece; -1: those that are folded, -2: the sum of all
  count: number; // pieces in it
  value: number;
  from: number; // where the bar begins and ends, on the values' own scale
  to: number;
  running: number; // sum of this bar and of all above it
}

export interface Chart {
  bars: Bar[];
  low: number; // the scale's ends; 0 is always between them
  high: number;
  total: number;
}

export const canFold = (pieces: Pieces): boolean => pieces.count > FOLDED;

// As a waterfall, every bar begins where the one before ends; else at zero. The scale holds what
// the bars are compared with, too.
export function chartOf(pieces: Pieces, order: Order, waterfall: boolean, all: boolean, before?: number[]): Chart {
  const added = pieces.values.map((_, i) => i).filter((i) => pieces.special(i));
  const ranked = [...pieces.ranked, ...added];
  const kept = all || !canFold(pieces) ? ranked : ranked.slice(0, KEPT);
  const folded = ranked.slice(kept.length);
  const shown = order === "column" ? [...kept].sort((a, b) => a - b) : kept;
  const total = pieces.values.reduce((a, b) => a + b, 0);
  const bars: Bar[] = [];
  let running = 0;
  const add = (index: number, count: number, value: number): void => {
    const from = waterfall ? running : 0;
    running += value;
    bars.push({ index, count, value, from, to: from + value, running });
  };
  for (const index of shown) add(index, 1, pieces.values[index]);
  if (folded.length)
    add(
      -1,
      folded.length,
      folded.reduce((sum, index) => sum + pieces.values[index], 0),
    );
  // Added up in another order the last digits differ; the sum says one thing everywhere.
  if (waterfall) bars.push({ index: -2, count: pieces.count, value: total, from: 0, to: total, running: total });
  const then = before && !waterfall ? shown.map((index) => before[index]) : [];
  const ends = [...bars.flatMap((bar) => [bar.from, bar.to]), ...then];
  const [low, high] = ends.reduce(([least, most], end) => [Math.min(least, end), Math.max(most, end)], [0, 0]);
  return { bars, low, high, total };
}

// Left edge and width in hundredths of the chart's width.
export function barPlace({ low, high }: Chart, from: number, to: number): { left: number; width: number } {
  const scale = 100 / (high - low || 1);
  return { left: (Math.min(from, to) - low) * scale, width: Math.abs(to - from) * scale };
}
