// The part of a series that is shown: zoomed and moved within its steps.
import type { Series } from "./signal";

export const LEAST = 8; // steps that the closest zoom shows

export interface Box {
  from: number;
  to: number;
} // steps: [from, to)

export function zoomed(series: Series, box: Box, steps: number, around: number): Box {
  const size = Math.round(Math.min(series.length, Math.max(Math.min(LEAST, series.length), steps)));
  const share = (around - box.from) / Math.max(1, box.to - box.from);
  return moved(series, { from: around - share * size, to: around - share * size + size }, 0);
}

export function moved(series: Series, { from, to }: Box, by: number): Box {
  const size = Math.round(to - from);
  const start = Math.round(Math.min(Math.max(0, from + by), series.length - size));
  return { from: start, to: start + size };
}
