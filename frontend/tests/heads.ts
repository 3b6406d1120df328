// Heads with known numbers, and the same computed the plain way.
import type { Arrays } from "../src/types";
import { HeadOperator } from "../src/operator";

// The same numbers every time.
export function numbers(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 % 2 ** 32;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export interface Plain { head: HeadOperator; scores: number[][]; weights: number[][]; results: number[][] }
interface Shape { queries: number; keys: number; depth: number; width?: number; causal?: boolean; drop?: number[]; softcap?: number; seed?: number }

export function plainHead({ queries, keys, depth, width = 0, causal = false, drop = [], softcap = 0, seed = 1 }: Shape): Plain {
  const [q, k] = [numbers(queries * depth, seed), numbers(keys * depth, seed + 1)];
  const [row, column] = [numbers(queries, seed + 2), numbers(keys, seed + 3)];
  const scale = 1.5;
  const keep = Uint8Array.from({ length: keys }, (_, j) => (drop.includes(j) ? 0 : 1));
  const sees = (i: number, j: number) => (!causal || j <= i) && keep[j] === 1;
  const scores = Array.from({ length: queries }, (_, i) => Array.from({ length: keys }, (_, j) => {
    if (!sees(i, j)) return -Infinity;
    let sum = row[i] + column[j];
    for (let d = 0; d < depth; d++) sum += Math.fround(q[i * depth + d] * scale) * k[j * depth + d];
    return softcap ? softcap * Math.tanh(sum / softcap) : sum;
  }));
  const totals = scores.map((line) => line.reduce((sum, s) => sum + Math.exp(s), 0));
  const weights = scores.map((line, i) => line.map((s) => (totals[i] ? Math.exp(s) / totals[i] : 0)));
  const arrays: Arrays = {
    query: { shape: [queries, depth], data: q }, key: { shape: [keys, depth], data: k },
    row: { shape: [queries], data: row }, column: { shape: [keys], data: column },
    lse: { shape: [queries], data: Float32Array.from(totals, (t) => (t ? Math.log(t) : Infinity)) },
  };
  if (causal || drop.length) {
    arrays.start = { shape: [queries], data: new Int32Array(queries) };
    arrays.stop = { shape: [queries], data: Int32Array.from({ length: queries }, (_, i) => (causal ? i + 1 : keys)) };
    arrays.keep = { shape: [keys], data: keep };
  }
  let results: number[][] = [];
  if (width) {
    const value = Int8Array.from(numbers(keys * width, seed + 4), (x) => Math.round(127 * x));
    const step = Float32Array.from({ length: width }, (_, d) => 0.01 * (d + 1));
    arrays.value = { shape: [keys, width], data: value };
    arrays.step = { shape: [width], data: step };
    results = weights.map((line) => Array.from({ length: width }, (_, d) =>
      line.reduce((sum, w, j) => sum + w * value[j * width + d] * step[d], 0)));
  }
  return { head: new HeadOperator({ softcap, scale }, [queries, keys], arrays), scores, weights, results };
}

export function near(got: number, wanted: number, off: number, what: string): void {
  if (got === wanted || Math.abs(got - wanted) <= off) return;
  throw new Error(`${what}: expected ${wanted}, got ${got}`);
}
