// A logarithmic axis.

export interface Scale {
  at: (value: number) => number; // 0 to 1
  ticks: number[];
}

// Round numbers that a logarithmic axis carries, at most a handful.
export function logScale(values: number[], least: number): Scale {
  const low = Math.max(least, Math.min(...values));
  const high = Math.max(low * 2, Math.max(...values));
  const [from, to] = [Math.log(low * 0.92), Math.log(high * 1.08)];
  const ticks: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10) {
    for (const one of [1, 2, 5]) ticks.push(Number((one * decade).toPrecision(3)));
  }
  const inside = ticks.filter((tick) => tick >= low * 0.92 && tick <= high * 1.08);
  return { ticks: thinned(inside), at: (value) => (Math.log(Math.max(value, low * 0.92)) - from) / (to - from) };
}

const thinned = (ticks: number[]): number[] =>
  ticks.length <= 6 ? ticks : ticks.filter((_, i) => i % Math.ceil(ticks.length / 6) === 0);
