import assert from "node:assert/strict";
import { type Cells, type Lines, Pyramid, TILE, type Tile, reversed } from "../src/tiles";
import { differenceLines, resultLines, scoreLines, weightLines } from "../src/views/head/lines";
import { near, numbers, plainHead } from "./heads";

function grid(rows: number, cols: number, signed = false): { lines: Lines; at: (i: number, j: number) => number; reads: () => number } {
  const values = numbers(rows * cols, 3);
  let reads = 0;
  const lines: Lines = { rows, cols, signed, whole: false, read(row, from, to, out) {
    reads += to - from;
    for (let j = from; j < to; j++) out[j - from] = values[row * cols + j];
  } };
  return { lines, at: (i, j) => values[i * cols + j], reads: () => reads };
}

function finish(pyramid: Pyramid, cells: Cells, level: readonly [number, number]): Tile[] {
  pyramid.see(cells, level);
  while (!pyramid.idle) { pyramid.run(Infinity, () => 0); pyramid.see(cells, level); }
  return pyramid.see(cells, level);
}

// Every dot of a tile against all of its cells.
function check(tile: Tile, rows: number, cols: number, dot: (cells: [number, number][]) => number): void {
  const [r, c] = tile.origin;
  const [tall, wide] = [1 << tile.level[0], 1 << tile.level[1]];
  for (let a = 0; a < tile.rows; a++) {
    for (let b = 0; b < tile.cols; b++) {
      const cells: [number, number][] = [];
      for (let i = r + a * tall; i < Math.min(rows, r + (a + 1) * tall); i++) {
        for (let j = c + b * wide; j < Math.min(cols, c + (b + 1) * wide); j++) cells.push([i, j]);
      }
      near(tile.values[a * tile.cols + b], dot(cells), 1e-6, `tile ${tile.level} ${tile.place}, dot ${a} ${b}`);
    }
  }
}

export const tests = {
  "a finished tile holds the largest of all its cells"() {
    const [rows, cols] = [300, 411];
    const { lines, at } = grid(rows, cols);
    for (const level of [[0, 0], [1, 1], [2, 2], [1, 2]] as const) {
      const pyramid = new Pyramid(lines);
      const seen = finish(pyramid, [0, rows, 0, cols], level);
      const across = (n: number, l: number) => Math.ceil(Math.ceil(n / 2 ** l) / TILE);
      assert.equal(seen.length, across(rows, level[0]) * across(cols, level[1]));
      assert.ok(pyramid.done);
      for (const tile of seen) check(tile, rows, cols, (cells) => Math.max(...cells.map(([i, j]) => at(i, j))));
    }
  },

  "a picture that leaves a row or a column out is noticed"() {
    const { lines, at } = grid(260, 300);
    const largest = (cells: [number, number][]) => Math.max(...cells.map(([i, j]) => at(i, j)));
    const read: Lines["read"][] = [
      (row, from, to, out) => { lines.read(row, from, to, out); out[to - from - 1] = -2; },
      (row, from, to, out) => lines.read(row === 131 ? 130 : row, from, to, out),
    ];
    for (const broken of read) {
      const [tile] = finish(new Pyramid({ ...lines, read: broken }), [0, 260, 0, 300], [2, 2]);
      assert.throws(() => check(tile, 260, 300, largest), /expected/);
    }
  },

  "with two sides the cell farthest from zero wins and keeps its sign"() {
    const { lines, at } = grid(260, 130, true);
    const [tile] = finish(new Pyramid(lines), [0, 260, 0, 130], [2, 1]);
    check(tile, 260, 130, (cells) => cells.map(([i, j]) => at(i, j)).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
    assert.ok(tile.values.some((v) => v < -0.5) && tile.values.some((v) => v > 0.5));
  },

  "a tile is not done before every cell was read"() {
    const { lines, reads } = grid(512, 512);
    const pyramid = new Pyramid(lines);
    assert.deepEqual(pyramid.top, [2, 2]);
    pyramid.see([0, 512, 0, 512], [2, 2]);
    let time = 0;
    for (let turn = 0; !pyramid.done; turn++) {
      assert.ok(turn < 2000);
      pyramid.run(3, () => time++);
      const [tile] = pyramid.see([0, 512, 0, 512], [2, 2]);
      if (tile && !tile.done) assert.ok(reads() < 512 * 512);
    }
    assert.equal(reads(), 512 * 512, "and no cell was read twice");
  },

  "something coarse can be drawn after one row of every dot"() {
    const { lines, reads } = grid(4096, 4096);
    const pyramid = new Pyramid(lines);
    assert.deepEqual(pyramid.see([0, 256, 0, 256], [1, 1]), []);
    while (!pyramid.see([0, 256, 0, 256], [1, 1]).length) {
      let time = 0;
      pyramid.run(3, () => time++);
    }
    const [tile] = pyramid.see([0, 256, 0, 256], [1, 1]);
    assert.deepEqual(tile.level, [5, 5]);
    assert.equal(reads(), 128 * 4096);
    assert.equal(pyramid.done, false);
  },

  "until a tile has something, the best above it is drawn"() {
    const { lines } = grid(2048, 2048);
    const pyramid = new Pyramid(lines);
    finish(pyramid, [0, 2048, 0, 2048], [3, 3]);
    const drawn = pyramid.see([700, 800, 1300, 1400], [0, 0]);
    assert.ok(drawn.length >= 1 && drawn.every((tile) => tile.pass > 0));
    assert.deepEqual(drawn[0].level, [3, 3]);
    const [r, c] = drawn[0].origin;
    assert.ok(r <= 700 && c <= 1300 && r + (TILE << 3) >= 800 && c + (TILE << 3) >= 1400);
    const exact = finish(pyramid, [700, 800, 1300, 1400], [0, 0]);
    assert.ok(exact.every((tile) => tile.level[0] === 0));
  },

  "finished tiles make the coarser ones without reading again"() {
    for (const signed of [false, true]) {
      const { lines, at, reads } = grid(1900, 1100, signed);
      const pyramid = new Pyramid(lines);
      assert.deepEqual(pyramid.top, [4, 4]);
      const all: Cells = [0, 1900, 0, 1100];
      finish(pyramid, all, [2, 2]);
      assert.equal(reads(), 1900 * 1100 + Math.ceil(1900 / 16) * 1100, "every cell, and first one row of each coarse dot");
      const better = (a: number, b: number) => (signed ? Math.abs(b) > Math.abs(a) : b > a);
      for (const level of [[3, 3], [4, 4]] as const) {
        for (const tile of pyramid.see(all, level)) {
          assert.ok(tile.done && tile.level[0] === level[0]);
          check(tile, 1900, 1100, (cells) => cells.map(([i, j]) => at(i, j)).reduce((a, b) => (better(a, b) ? b : a)));
        }
      }
      assert.ok(pyramid.done && pyramid.idle);
    }
  },

  "what is far away is forgotten, the top never"() {
    const { lines } = grid(20000, 6000);
    const pyramid = new Pyramid(lines);
    const tiles = (pyramid as unknown as { tiles: Map<string, Tile> }).tiles;
    for (let r = 0; r < 19000; r += 128) pyramid.see([r, r + 600, 0, 600], [0, 0]);
    assert.ok(tiles.size <= 400, String(tiles.size));
    assert.ok(tiles.has(`${pyramid.top} 0 0`));
  },

  "dots are never smaller than a pixel"() {
    const pyramid = new Pyramid(grid(10000, 10000).lines);
    for (const cells of [0.1, 0.9, 1.01, 3, 16.2, 17.9, 31, 400]) {
      const [level] = pyramid.levelOf([cells, cells]);
      assert.ok(2 ** level >= Math.min(cells * 1.01, 128), `${cells}`);
      assert.ok(level === 0 || 2 ** level <= cells * 2.1, `${cells}`);
    }
  },

  "rows of a dot are read far apart"() {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => reversed(n, 3)), [0, 4, 2, 6, 1, 5, 3, 7]);
    assert.equal(reversed(0, 0), 0);
  },

  "weights, scores, results and differences are the head's"() {
    const shape = { queries: 150, keys: 150, depth: 4, width: 6, causal: true };
    const mine = plainHead({ ...shape, seed: 1 });
    const other = plainHead({ ...shape, seed: 9 });
    const all: Cells = [0, 150, 0, 150];
    const of = (lines: Lines, level: readonly [number, number] = [1, 1]) => finish(new Pyramid(lines), all, level);
    const most = (values: number[]) => Math.max(...values);
    const far = (values: number[]) => values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    for (const tile of of(weightLines(mine.head))) {
      check(tile, 150, 150, (cells) => Math.log(most(cells.map(([i, j]) => mine.weights[i][j]))));
    }
    for (const tile of of(scoreLines(mine.head))) {
      check(tile, 150, 150, (cells) => most(cells.map(([i, j]) => mine.scores[i][j])));
    }
    for (const tile of of(resultLines(mine.head), [1, 0])) {
      assert.equal(tile.cols, 6);
      check(tile, 150, 6, (cells) => far(cells.map(([i, d]) => mine.results[i][d])));
    }
    for (const tile of of(differenceLines(mine.head, other.head))) {
      const [r, c] = tile.origin;
      for (let a = 0; a < tile.rows; a++) {
        for (let b = 0; b < tile.cols; b++) {
          const [i, j] = [r + 2 * a, c + 2 * b];
          const cells = [[i, j], [i + 1, j], [i, j + 1], [i + 1, j + 1]].filter(([x, y]) => y <= x)
            .map(([x, y]) => mine.weights[x][y] - other.weights[x][y]);
          const got = tile.values[a * tile.cols + b];
          if (!cells.length) assert.ok(Number.isNaN(got), "masked in both");
          else near(got, far(cells), 1e-6, `${i} ${j}`);
        }
      }
    }
  },
};
