// One head as an operator: any row, column or block of scores, weights and results on demand.
class HeadOperator {
  constructor(detail, shape, arrays) {
    [this.queries, this.keys] = shape;
    this.softcap = detail.softcap;
    this.lse = arrays.lse.data;
    this.start = arrays.start?.data;
    this.stop = arrays.stop?.data;
    this.keep = arrays.keep?.data;
    this.value = arrays.value?.data;
    this.step = arrays.step?.data;
    this.width = arrays.value ? arrays.value.shape[1] : 0;
    this.logs = arrays.logs?.data;
    this.shift = arrays.shift?.data;
    this.row = arrays.row?.data;
    this.column = arrays.column?.data;
    this.masked = Boolean(this.start) || (this.logs ? this.logs.includes(-Infinity) : false);
    if (arrays.query) {
      this.depth = arrays.query.shape[1];
      this.query = arrays.query.data.map((x) => x * detail.scale);
      this.key = arrays.key.data;
    }
    this.scratch = new Float32Array(this.keys);
  }

  score(i, j) {
    if (this.logs) return this.lse[i] === Infinity ? -Infinity : this.logs[i * this.keys + j] - this.shift[i] + this.lse[i];
    if (this.start && (j < this.start[i] || j >= this.stop[i] || !this.keep[j])) return -Infinity;
    const { query, key, depth } = this;
    let sum = this.row[i] + this.column[j];
    for (let d = 0, a = i * depth, b = j * depth; d < depth; d++) sum += query[a + d] * key[b + d];
    return this.softcap > 0 ? this.softcap * Math.tanh(sum / this.softcap) : sum;
  }

  weight(i, j) { return Math.exp(this.score(i, j) - this.lse[i]); }

  // Scores of row i, keys from..to, into out[0..]; masked ones are -Infinity.
  scoreRow(i, from, to, out) {
    if (this.logs) {
      for (let j = from; j < to; j++) out[j - from] = this.score(i, j);
      return;
    }
    const { query, key, depth, keep } = this;
    let [left, right] = [from, to];
    if (this.start) {
      out.fill(-Infinity, 0, to - from);
      left = Math.max(from, this.start[i]);
      right = Math.min(to, this.stop[i]);
    }
    const a = i * depth;
    const { column } = this;
    const offset = this.row[i];
    for (let j = left; j < right; j++) {
      if (keep && !keep[j]) continue;
      const b = j * depth;
      // Four sums at once let the engine overlap the additions.
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, d = 0;
      for (; d + 3 < depth; d += 4) {
        s0 += query[a + d] * key[b + d];
        s1 += query[a + d + 1] * key[b + d + 1];
        s2 += query[a + d + 2] * key[b + d + 2];
        s3 += query[a + d + 3] * key[b + d + 3];
      }
      for (; d < depth; d++) s0 += query[a + d] * key[b + d];
      out[j - from] = s0 + s1 + s2 + s3 + offset + column[j];
    }
    if (this.softcap > 0) {
      for (let j = 0; j < to - from; j++) out[j] = this.softcap * Math.tanh(out[j] / this.softcap);
    }
  }

  weightRow(i, out = new Float32Array(this.keys)) {
    this.scoreRow(i, 0, this.keys, out);
    const lse = this.lse[i];
    for (let j = 0; j < this.keys; j++) out[j] = Math.exp(out[j] - lse);
    return out;
  }

  weightColumn(j) {
    const out = new Float32Array(this.queries);
    for (let i = 0; i < this.queries; i++) out[i] = this.weight(i, j);
    return out;
  }

  resultRow(i, out) {
    const weights = this.weightRow(i, this.scratch);
    const { value, step, width } = this;
    out.fill(0, 0, width);
    for (let j = 0; j < this.keys; j++) {
      const w = weights[j];
      if (w < 1e-7) continue;
      for (let d = 0, b = j * width; d < width; d++) out[d] += w * value[b + d];
    }
    for (let d = 0; d < width; d++) out[d] *= step[d];
  }
}

// A block pooled to at most `dots` x `dots` values, computed a few milliseconds at a time.
// Two passes: one row per dot first, then the largest of all its cells.
class BlockJob {
  constructor(head, mode, box, dots) {
    Object.assign(this, { head, mode, box });
    const [r0, r1, c0, c1] = box;
    this.rows = Math.min(r1 - r0, dots);
    this.cols = Math.min(c1 - c0, dots);
    this.cellRows = (r1 - r0) / this.rows;
    this.cellCols = (c1 - c0) / this.cols;
    this.values = new Float32Array(this.rows * this.cols).fill(NaN);
    this.line = new Float32Array(Math.max(c1 - c0, head.width));
    this.pass = 0;
    this.row = 0;
    this.inner = 0;
    // A result mixes whole rows already; its second pass would blur signs, so rows are sampled.
    this.passes = mode === "results" || this.rows === r1 - r0 ? 1 : 2;
  }

  get done() { return this.pass >= this.passes; }

  run(milliseconds) {
    const end = performance.now() + milliseconds;
    while (!this.done && performance.now() < end) this.step();
  }

  step() {
    const first = this.box[0] + Math.floor(this.row * this.cellRows);
    const past = this.box[0] + Math.floor((this.row + 1) * this.cellRows);
    const i = first + this.inner;
    if (this.pass === 0 || this.inner > 0) this.addRow(i);
    this.inner++;
    if (this.pass === 0 || first + this.inner >= past) { this.row++; this.inner = 0; }
    if (this.row >= this.rows) { this.row = 0; this.pass++; }
  }

  addRow(i) {
    const { head, line, values, cols } = this;
    const [, , c0, c1] = this.box;
    const at = this.row * cols;
    if (this.mode === "results") {
      head.resultRow(i, line);
      for (let b = 0; b < cols; b++) values[at + b] = line[c0 + Math.floor(b * this.cellCols)];
      return;
    }
    head.scoreRow(i, c0, c1, line);
    const shift = this.mode === "weights" ? head.lse[i] : 0;
    for (let b = 0; b < cols; b++) {
      const from = Math.floor(b * this.cellCols), to = Math.floor((b + 1) * this.cellCols);
      let best = -Infinity;
      for (let j = from; j < to; j++) if (line[j] > best) best = line[j];
      best = best === -Infinity ? best : best - shift; // keeps -inf - inf from becoming NaN
      const old = values[at + b];
      if (!(old >= best)) values[at + b] = best;
    }
  }
}
