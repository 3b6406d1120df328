// One head as an operator: any row, column or cell of scores, weights and results on demand.
import type { Header } from "./pack";
import type { Arrays } from "./types";

export class HeadOperator {
  readonly queries: number;
  readonly keys: number;
  readonly width: number; // features of a result, 0 where there are none
  readonly masked: boolean;
  readonly lse: Float32Array;
  private readonly softcap: number;
  private readonly start?: Int32Array;
  private readonly stop?: Int32Array;
  private readonly keep?: Uint8Array;
  private readonly value?: Int8Array;
  private readonly step?: Float32Array;
  private readonly logs?: Float32Array;
  private readonly shift?: Float32Array;
  private readonly row?: Float32Array;
  private readonly column?: Float32Array;
  private readonly query?: Float32Array; // scaled
  private readonly key?: Float32Array;
  private readonly depth: number = 0;
  private readonly cell = new Float32Array(1);
  private scratch: Float32Array | null = null;

  constructor(detail: Header, shape: [number, number], arrays: Arrays) {
    const floats = (name: string) => arrays[name]?.data as Float32Array | undefined;
    [this.queries, this.keys] = shape;
    this.softcap = detail.softcap;
    this.lse = floats("lse") as Float32Array;
    this.start = arrays.start?.data as Int32Array | undefined;
    this.stop = arrays.stop?.data as Int32Array | undefined;
    this.keep = arrays.keep?.data as Uint8Array | undefined;
    this.value = arrays.value?.data as Int8Array | undefined;
    this.step = floats("step");
    this.width = this.value ? arrays.value.shape[1] : 0;
    this.logs = floats("logs");
    this.shift = floats("shift");
    this.row = floats("row");
    this.column = floats("column");
    this.masked = Boolean(this.start) || (this.logs?.includes(-Infinity) ?? false);
    if (arrays.query) {
      this.depth = arrays.query.shape[1];
      this.query = floats("query")?.map((x) => x * detail.scale);
      this.key = floats("key");
    }
  }

  // -Infinity: masked.
  score(i: number, j: number): number {
    this.scoreRow(i, j, j + 1, this.cell);
    return this.cell[0];
  }

  weight(i: number, j: number): number {
    return Math.exp(this.score(i, j) - this.lse[i]);
  }

  // Scores of row i, keys from..to, into out[0..]; masked ones are -Infinity.
  scoreRow(i: number, from: number, to: number, out: Float32Array): void {
    if (this.logs) { this.rowOfLogs(i, from, to, out); return; }
    let [left, right] = [from, to];
    if (this.start && this.stop) {
      out.fill(-Infinity, 0, to - from);
      left = Math.max(from, this.start[i]);
      right = Math.min(to, this.stop[i]);
    }
    if (left >= right) return;
    this.products(i, left, right, out, left - from);
    const { softcap, keep } = this;
    if (softcap > 0) {
      for (let j = left - from; j < right - from; j++) out[j] = softcap * Math.tanh(out[j] / softcap);
    }
    if (keep) {
      for (let j = left; j < right; j++) if (!keep[j]) out[j - from] = -Infinity;
    }
  }

  private rowOfLogs(i: number, from: number, to: number, out: Float32Array): void {
    const logs = this.logs as Float32Array;
    // A row that sees nothing has no log-sum-exp to come back from.
    if (this.lse[i] === Infinity) { out.fill(-Infinity, 0, to - from); return; }
    const back = this.lse[i] - (this.shift as Float32Array)[i];
    for (let j = from, at = i * this.keys + from; j < to; j++, at++) out[j - from] = logs[at] + back;
  }

  // q.k + row + column for keys left..right into out[at..]; four keys at once share each load of q.
  private products(i: number, left: number, right: number, out: Float32Array, at: number): void {
    const { depth } = this;
    const query = (this.query as Float32Array).subarray(i * depth, (i + 1) * depth);
    const [key, column] = [this.key as Float32Array, this.column as Float32Array];
    const offset = (this.row as Float32Array)[i];
    let j = left;
    for (; j + 3 < right; j += 4, at += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let d = 0, a = j * depth, b = a + depth, c = b + depth, e = c + depth; d < depth; d++) {
        const x = query[d];
        s0 += x * key[a + d];
        s1 += x * key[b + d];
        s2 += x * key[c + d];
        s3 += x * key[e + d];
      }
      out[at] = s0 + offset + column[j];
      out[at + 1] = s1 + offset + column[j + 1];
      out[at + 2] = s2 + offset + column[j + 2];
      out[at + 3] = s3 + offset + column[j + 3];
    }
    for (; j < right; j++, at++) {
      let sum = 0;
      for (let d = 0, a = j * depth; d < depth; d++) sum += query[d] * key[a + d];
      out[at] = sum + offset + column[j];
    }
  }

  weightRow(i: number, out: Float32Array = new Float32Array(this.keys)): Float32Array {
    this.scoreRow(i, 0, this.keys, out);
    const lse = this.lse[i];
    for (let j = 0; j < this.keys; j++) out[j] = Math.exp(out[j] - lse);
    return out;
  }

  weightColumn(j: number): Float32Array {
    const out = new Float32Array(this.queries);
    for (let i = 0; i < this.queries; i++) out[i] = this.weight(i, j);
    return out;
  }

  // What query i takes away: its weights times the values, `width` numbers.
  resultRow(i: number, out: Float32Array = new Float32Array(this.width)): Float32Array {
    const { value, step, width, keys } = this;
    out.fill(0, 0, width);
    if (!value || !step) return out;
    const weights = this.weightRow(i, this.scratch ??= new Float32Array(keys));
    for (let j = 0; j < keys; j++) {
      const w = weights[j];
      if (w < 1e-7) continue;
      for (let d = 0, b = j * width; d < width; d++) out[d] += w * value[b + d];
    }
    for (let d = 0; d < width; d++) out[d] *= step[d];
    return out;
  }
}
