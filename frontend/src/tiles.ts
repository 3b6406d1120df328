// One head at many resolutions. Level (r, c) holds dots of 2^r x 2^c cells; tiles of 128 x 128 dots
// are read from the head a few milliseconds at a time, coarse ones first.

export const TILE = 128;
const MOST = 240; // tiles kept, 64 kB each

// Where the cells come from, one stretch of a row at a time.
export interface Lines {
  readonly rows: number;
  readonly cols: number;
  // A dot shows the largest of its cells, or with `signed` the one farthest from zero.
  readonly signed: boolean;
  // A row costs the same whatever part of it is asked for.
  readonly whole: boolean;
  // Row i, columns from..to, into out[0..]; -Infinity (with `signed`: NaN) where nothing is.
  read(row: number, from: number, to: number, out: Float32Array): void;
}

export type Level = readonly [rows: number, cols: number];
export type Cells = readonly [fromRow: number, toRow: number, fromCol: number, toCol: number];

export class Tile {
  readonly values: Float32Array;
  pass = 0; // finished passes; 0: nothing to draw yet
  readonly parts = new Set<Tile>(); // finished tiles of the next finer level that went into it
  readonly passes: number; // a pass reads one row of every dot
  private row = 0;

  constructor(readonly level: Level, readonly place: readonly [number, number], readonly rows: number,
    readonly cols: number) {
    this.passes = 1 << level[0];
    this.values = new Float32Array(rows * cols).fill(NaN);
  }

  get done(): boolean { return this.pass >= this.passes; }

  // First row and column of cells.
  get origin(): [number, number] {
    return [(this.place[0] * TILE) << this.level[0], (this.place[1] * TILE) << this.level[1]];
  }

  // Takes the better of what is there and `v`.
  take(at: number, v: number, signed: boolean): void {
    const best = this.values[at];
    if (signed ? v === v && !(Math.abs(v) <= Math.abs(best)) : !(v <= best)) this.values[at] = v;
  }

  // One more row of cells. Rows of a dot are read far apart first, so that an early picture is fair.
  step(pyramid: Pyramid): void {
    const [first] = this.origin;
    const cell = first + (this.row << this.level[0]) + reversed(this.pass, this.level[0]);
    if (cell < pyramid.lines.rows) pyramid.pool(this, this.row, cell);
    if (++this.row === this.rows) {
      this.row = 0;
      this.pass++;
    }
  }
}

export class Pyramid {
  low = Infinity; // of all cells read so far
  high = -Infinity;
  readonly top: Level;
  private readonly tiles = new Map<string, Tile>();
  private readonly line: Float32Array;
  private visible: Tile[] = [];
  private queue: Tile[] = [];
  private first: Tile | null = null; // the whole, coarsely, before anything else

  constructor(readonly lines: Lines) {
    const halvings = (length: number) => Math.max(0, Math.ceil(Math.log2(length / TILE)));
    this.top = [halvings(lines.rows), lines.whole ? 0 : halvings(lines.cols)];
    this.line = new Float32Array(lines.cols);
  }

  // The finest level whose dots are not smaller than a pixel: none can fall between two pixels.
  levelOf(cellsPerPixel: readonly [number, number]): Level {
    const level = (cells: number, top: number) => Math.min(top, Math.max(0, Math.ceil(Math.log2(cells) + 0.02)));
    return [level(cellsPerPixel[0], this.top[0]), level(cellsPerPixel[1], this.top[1])];
  }

  // What is to be drawn, in order of drawing: where a tile has nothing yet, the best above it.
  // From now on these tiles are worked on, then those around them.
  see(cells: Cells, level: Level): Tile[] {
    const above = this.tile(this.top, 0, 0);
    const [y0, y1, x0, x1] = this.range(cells, level);
    const seen: { tile: Tile; away: number }[] = [];
    const drawn = new Set<Tile>();
    for (let y = y0 - 1; y <= y1; y++) {
      for (let x = x0 - 1; x <= x1; x++) {
        if (!this.has(level, y, x)) continue;
        const inside = y >= y0 && y < y1 && x >= x0 && x < x1;
        const tile = this.tile(level, y, x);
        const away = Math.hypot(y - (y0 + y1 - 1) / 2, x - (x0 + x1 - 1) / 2) + (inside ? 0 : 1e6);
        seen.push({ tile, away });
        const best = inside ? this.best(tile) : null;
        if (best) drawn.add(best);
      }
    }
    seen.sort((a, b) => a.away - b.away);
    this.visible = seen.filter((one) => one.away < 1e6).map((one) => one.tile);
    const around = seen.filter((one) => one.away >= 1e6).map((one) => one.tile);
    this.queue = [...this.visible, ...around].filter((tile) => !tile.done);
    this.first = above.pass || this.visible.includes(above) ? null : above;
    this.forget();
    return [...drawn].sort((a, b) => b.level[0] + b.level[1] - a.level[0] - a.level[1]);
  }

  // Whether every cell of what was seen last has been read.
  get done(): boolean { return this.visible.every((tile) => tile.done); }
  // Whether every tile in sight has something of its own.
  get begun(): boolean { return this.visible.every((tile) => tile.pass > 0); }
  get idle(): boolean { return !this.first && this.queue.length === 0; }

  // Reads until `milliseconds` are over; says whether what is seen may look different now.
  run(milliseconds: number, now = () => performance.now()): boolean {
    const end = now() + milliseconds;
    let changed = false;
    while ((this.first || this.queue.length) && now() < end) {
      const tile = this.first ?? this.next();
      const before = tile.pass;
      while (tile.pass === before && now() < end) tile.step(this);
      if (tile.pass === before) break;
      changed ||= tile === this.first || this.visible.includes(tile);
      if (tile === this.first) { this.first = null; continue; }
      if (!tile.done) continue;
      this.queue.splice(this.queue.indexOf(tile), 1);
      this.raise(tile);
    }
    return changed;
  }

  // The least read tile of those in sight; then of those around.
  private next(): Tile {
    const inSight = this.queue.filter((tile) => this.visible.includes(tile));
    const pool = inSight.length ? inSight : this.queue;
    return pool.reduce((a, b) => (b.pass / b.passes < a.pass / a.passes ? b : a));
  }

  // Takes row `cell` of the head into row `dot` of a tile.
  pool(tile: Tile, dot: number, cell: number): void {
    const { lines, line } = this;
    const from = tile.origin[1];
    const side = 1 << tile.level[1];
    const to = Math.min(lines.cols, from + tile.cols * side);
    lines.read(cell, from, to, line);
    this.note(to - from);
    const at = dot * tile.cols;
    for (let b = 0, j = 0; b < tile.cols; b++) {
      const end = Math.min(to - from, j + side);
      let best = tile.values[at + b];
      if (lines.signed) {
        for (; j < end; j++) if (!(Math.abs(line[j]) <= Math.abs(best)) && line[j] === line[j]) best = line[j];
      } else {
        for (; j < end; j++) if (!(line[j] <= best)) best = line[j];
      }
      tile.values[at + b] = best;
    }
  }

  // A finished tile goes into the one above it; what all parts went into is finished without reading.
  private raise(tile: Tile): void {
    const [[lr, lc], [y, x]] = [tile.level, tile.place];
    const [down, right] = [lr < this.top[0] ? 1 : 0, lc < this.top[1] ? 1 : 0];
    if (!down && !right) return;
    const above = this.tile([lr + down, lc + right], y >> down, x >> right);
    if (above.done) return;
    const [row, col] = [down && (y & 1) * TILE, right && (x & 1) * TILE];
    for (let a = 0, at = 0; a < tile.rows; a++) {
      const start = ((row + a) >> down) * above.cols;
      for (let b = 0; b < tile.cols; b++, at++) {
        above.take(start + ((col + b) >> right), tile.values[at], this.lines.signed);
      }
    }
    above.parts.add(tile);
    const [y0, x0] = [above.place[0] << down, above.place[1] << right];
    let parts = 0;
    for (let i = y0; i <= y0 + down; i++) {
      for (let j = x0; j <= x0 + right; j++) parts += Number(this.has(tile.level, i, j));
    }
    if (above.parts.size < parts) return;
    above.pass = above.passes;
    above.parts.clear();
    this.raise(above);
  }

  private note(count: number): void {
    const { line } = this;
    let { low, high } = this;
    for (let j = 0; j < count; j++) {
      const v = line[j];
      if (v > high && v < Infinity) high = v;
      if (v < low && v > -Infinity) low = v;
    }
    [this.low, this.high] = [low, high];
  }

  private range([r0, r1, c0, c1]: Cells, [lr, lc]: Level): Cells {
    const tall = TILE << lr;
    const wide = this.lines.whole ? this.lines.cols : TILE << lc;
    return [Math.floor(r0 / tall), Math.ceil(r1 / tall), Math.floor(c0 / wide), Math.ceil(c1 / wide)];
  }

  private has(level: Level, y: number, x: number): boolean {
    const { rows, cols, whole } = this.lines;
    return y >= 0 && x >= 0 && (y * TILE) << level[0] < rows && (whole ? x === 0 : (x * TILE) << level[1] < cols);
  }

  private tile(level: Level, y: number, x: number): Tile {
    const name = `${level} ${y} ${x}`;
    let found = this.tiles.get(name);
    if (found) this.tiles.delete(name);
    else {
      const dots = (length: number, halvings: number, place: number) =>
        Math.min(TILE, Math.ceil(length / 2 ** halvings) - place * TILE);
      found = new Tile(level, [y, x], dots(this.lines.rows, level[0], y),
        this.lines.whole ? this.lines.cols : dots(this.lines.cols, level[1], x));
    }
    this.tiles.set(name, found); // the latest last
    return found;
  }

  // The tile itself, or the nearest above it that has something to show.
  private best(tile: Tile): Tile | null {
    let [[lr, lc], [y, x]] = [tile.level, tile.place];
    for (let found: Tile | undefined = tile; ;) {
      if (found?.pass) return found;
      if (lr >= this.top[0] && lc >= this.top[1]) return null;
      if (lr < this.top[0]) { lr++; y >>= 1; }
      if (lc < this.top[1]) { lc++; x >>= 1; }
      found = this.tiles.get(`${lr},${lc} ${y} ${x}`);
    }
  }

  private forget(): void {
    const wanted = new Set([...this.visible, ...this.queue]);
    for (const [name, tile] of this.tiles) {
      if (this.tiles.size <= MOST) return;
      if (!wanted.has(tile) && tile.level.join() !== this.top.join()) this.tiles.delete(name);
    }
  }
}

// The lowest `bits` bits of n in reverse: 0, 4, 2, 6, 1, 5, 3, 7.
export function reversed(n: number, bits: number): number {
  let out = 0;
  for (let b = 0; b < bits; b++) out |= ((n >> b) & 1) << (bits - 1 - b);
  return out;
}
