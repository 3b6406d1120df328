// The matrix of the chosen head: what is in sight, the work on it frame by frame, and the drawing.
import { cssColor, fitCanvas, isDark } from "../../dom";
import type { Store } from "../../store";
import { type Lines, Pyramid, type Tile } from "../../tiles";
import { Dots } from "./dots";
import { FrameMeter } from "./frames";
import { differenceLines, resultLines, scoreLines, weightLines } from "./lines";
import { drawAxes, drawCross, drawHatch, drawNumbers } from "./pen";
import { type Cell, Plot } from "./plot";
import { type Scale, spread } from "./scale";
import { type Shown, shownHead } from "./shown";

export type Kind = "weights" | "scores" | "results" | "difference";
const SEEN = ["query", "key", "feature", "mode", "stretch", "theme", "lang"] as const;
const SLICE = 8; // milliseconds of work a frame, less while something moves
const MOVING = 5;

// What the words around the canvas tell.
export interface Status {
  kind: Kind;
  cells: [rows: number, cols: number]; // of one dot
  done: boolean; // every cell in sight was read
  scale: Scale;
  zoom: number;
  rate: number | null; // frames a second
}

export class MatrixView {
  readonly plot = new Plot();
  readonly meter = new FrameMeter();
  canvas: HTMLCanvasElement | null = null;
  hover: Cell | null = null;
  difference = true; // wanted, where there is something to compare with
  width = 0; // of the column that holds the canvas
  shown: Shown;
  private pyramids = new Map<Kind, Pyramid>();
  private readonly dots = new Dots();
  private results = new Map<number, Float32Array>();
  private waiting = 0;
  private dirty = true;
  private told = "";
  private readonly listeners = new Set<() => void>();

  constructor(readonly store: Store) {
    this.shown = shownHead(store).now;
  }

  // Starts to follow the store; returns what ends it.
  start(canvas: HTMLCanvasElement): () => void {
    this.canvas = canvas;
    const frame = canvas.parentElement as HTMLElement;
    const resize = new ResizeObserver(() => { this.width = frame.clientWidth; this.redraw(); });
    resize.observe(frame);
    this.width = frame.clientWidth;
    const ends = [
      shownHead(this.store).listen(() => this.take()),
      this.store.listen((changed) => {
        if (changed.has("query") || changed.has("key") || changed.has("feature")) this.plot.reveal(this.chosen);
        if (SEEN.some((name) => changed.has(name))) this.redraw();
      }),
      () => resize.disconnect(),
    ];
    this.take();
    return () => {
      for (const end of ends) end();
      cancelAnimationFrame(this.waiting);
      this.waiting = 0;
      this.canvas = null;
    };
  }

  listen(action: () => void): () => void {
    this.listeners.add(action);
    return () => this.listeners.delete(action);
  }

  private tell(): void { for (const listener of [...this.listeners]) listener(); }

  private take(): void {
    const before = this.shown;
    const now = this.shown = shownHead(this.store).now;
    if (before.operator !== now.operator) { this.pyramids.clear(); this.results.clear(); }
    else if (before.other !== now.other) this.pyramids.delete("difference");
    if (before.track !== now.track || before.entry?.keys !== now.entry?.keys) this.plot.box = { x: 0, y: 0, size: 1 };
    this.redraw();
  }

  available(mode: Kind): boolean {
    const { operator, other } = this.shown;
    if (mode === "weights") return true;
    if (mode === "difference") {
      return Boolean(operator && other && operator.queries === other.queries && operator.keys === other.keys);
    }
    return Boolean(operator && (mode !== "results" || operator.width));
  }

  // What is drawn: weights, too, while the wanted numbers cannot be had of this head at this step.
  get kind(): Kind {
    const { mode } = this.store.state;
    if (mode === "weights") return this.difference && this.available("difference") ? "difference" : mode;
    return this.available(mode) ? mode : "weights";
  }

  get chosen(): Cell {
    const { query, key, feature } = this.store.state;
    return [query, this.kind === "results" ? Math.min(feature, this.plot.cols - 1) : key];
  }

  choose([row, col]: Cell): void {
    this.store.set({ query: row, [this.kind === "results" ? "feature" : "key"]: col });
  }

  point(cell: Cell | null): void {
    if (String(cell) === String(this.hover)) return;
    this.hover = cell;
    this.tell();
    this.redraw();
  }

  zoom(size: number, cx?: number, cy?: number): void {
    this.plot.zoom(size, cx, cy);
    this.moved();
  }

  move(dx: number, dy: number): void {
    this.plot.move(dx, dy);
    this.moved();
  }

  // 0..100, as the slider shows it.
  get zoomed(): number {
    const range = Math.log(this.plot.least);
    return range ? Math.round(100 * Math.log(this.plot.box.size) / range) : 0;
  }

  slide(value: number): void {
    const { box, least, rows, cols } = this.plot;
    const [row, col] = this.chosen;
    const inBox = (v: number, start: number) => Math.min(1, Math.max(0, (v - start) / box.size));
    const size = Math.exp(Math.log(least) * value / 100);
    this.zoom(size, inBox((col + 0.5) / cols, box.x), inBox((row + 0.5) / rows, box.y));
  }

  setDifference(wanted: boolean): void {
    this.difference = wanted;
    this.tell();
    this.redraw();
  }

  private moved(): void {
    this.meter.move(performance.now());
    this.redraw();
  }

  redraw(): void {
    this.dirty = true;
    this.wake();
  }

  private wake(): void {
    if (!this.waiting && this.canvas) this.waiting = requestAnimationFrame(this.frame);
  }

  // One frame: a slice of work, then the drawing if anything may look different.
  private frame = (time: number): void => {
    this.waiting = 0;
    if (!this.canvas || !this.width) return;
    const moving = this.meter.moving(time);
    this.meter.tick(time);
    const pyramid = this.shown.entry ? this.pyramid() : null;
    if (this.dirty) this.layout();
    const level = pyramid?.levelOf(this.cellsPerPixel(pyramid.lines));
    if (this.dirty && pyramid && level) pyramid.see(this.plot.range, level);
    const changed = pyramid?.run(moving ? MOVING : SLICE);
    if (this.dirty || changed) this.draw(pyramid, pyramid && level ? pyramid.see(this.plot.range, level) : []);
    this.dirty = false;
    this.report();
    if (moving || (pyramid && !pyramid.idle)) this.wake();
  };

  private pyramid(): Pyramid | null {
    const { operator, other } = this.shown;
    if (!operator) return null;
    let found = this.pyramids.get(this.kind);
    if (!found) {
      const make: Record<Kind, () => Lines> = {
        weights: () => weightLines(operator), scores: () => scoreLines(operator), results: () => resultLines(operator),
        difference: () => differenceLines(operator, other as typeof operator),
      };
      this.pyramids.set(this.kind, found = new Pyramid(make[this.kind]()));
    }
    return found;
  }

  get shape(): [number, number] {
    const [rows, cols] = this.shown.entry?.shape ?? [1, 1];
    return [rows, this.kind === "results" ? this.shown.operator?.width ?? cols : cols];
  }

  // What query `row` takes away, of the latest few.
  readonly resultOf = (row: number): Float32Array => {
    let found = this.results.get(row);
    if (found) return found;
    if (this.results.size >= 64) this.results.clear();
    this.results.set(row, found = this.shown.operator?.resultRow(row) ?? new Float32Array(0));
    return found;
  };

  private layout(): void {
    const [rows, cols] = this.shape;
    const { plot } = this;
    plot.layout(this.width, rows, cols, this.kind === "results");
    // Leaving a zoomed view of one shape for another may show less than the other allows.
    if (plot.box.size < plot.least) plot.zoom(plot.least);
    const canvas = this.canvas as HTMLCanvasElement;
    // A finger pans the view only when there is something to pan; otherwise it scrolls the page.
    const wanted = { touchAction: plot.box.size < 1 ? "none" : "pan-y pinch-zoom",
      width: `${plot.left + plot.size}px`, height: `${plot.top + plot.size}px` };
    for (const name of Object.keys(wanted) as (keyof typeof wanted)[]) {
      if (canvas.style[name] !== wanted[name]) canvas.style[name] = wanted[name];
    }
  }

  private cellsPerPixel({ rows, cols }: Lines): [number, number] {
    const pixels = this.plot.size * Math.min(window.devicePixelRatio || 1, 2);
    return [rows * this.plot.box.size / pixels, cols * this.plot.across[1] / pixels];
  }

  scale(): Scale {
    const { entry, head } = this.shown;
    const { kind } = this;
    if (kind === "weights") {
      const floor = entry?.floor ?? 1e-3;
      if (this.store.state.stretch) return { low: floor, high: 1, twoSided: false, log: true, logs: true };
      // The largest weight of the whole head: colors keep their meaning while one zooms.
      return { low: 0, high: Math.max(head?.stats.max ?? 1, floor), twoSided: false, log: false, logs: true };
    }
    const pyramid = this.pyramids.get(kind);
    return spread(pyramid?.low ?? Infinity, pyramid?.high ?? -Infinity, kind !== "scores");
  }

  private draw(pyramid: Pyramid | null, tiles: Tile[]): void {
    const { plot, store, kind } = this;
    const { head, operator, entry, loading } = this.shown;
    const [width, height] = [plot.left + plot.size, plot.top + plot.size];
    const pen = fitCanvas(this.canvas as HTMLCanvasElement, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(plot.left, plot.top, plot.size, plot.size);
    pen.clip();
    drawHatch(pen, plot, store, Boolean(operator?.masked) && kind !== "results");
    const scale = this.scale();
    // The small picture was made from every cell: better than a first pass over some of the rows.
    const begun = pyramid !== null && tiles.length > 0 && (pyramid.begun || plot.box.size < 0.5);
    if (kind === "weights" && !begun) { if (head) this.dots.picture(pen, plot, head, scale, isDark(store)); }
    else for (const tile of tiles) this.dots.tile(pen, plot, tile, scale, isDark(store));
    if (operator && !loading) {
      drawNumbers(pen, this, scale);
      drawCross(pen, this);
    }
    pen.restore();
    pen.lineWidth = 1;
    pen.strokeStyle = cssColor(store, "--line");
    pen.strokeRect(plot.left + 0.5, plot.top + 0.5, plot.size - 1, plot.size - 1);
    if (entry) drawAxes(pen, this);
  }

  get status(): Status {
    const { kind } = this;
    const pyramid = this.pyramids.get(kind);
    const [rows, cols] = pyramid ? pyramid.levelOf(this.cellsPerPixel(pyramid.lines)) : [0, 0];
    return { kind, cells: [1 << rows, 1 << cols], done: pyramid?.done ?? true, scale: this.scale(), zoom: this.zoomed,
      rate: this.meter.rate };
  }

  // Tells the listeners when a word of theirs may have changed.
  private report(): void {
    const { status } = this;
    if (status.rate !== null && this.canvas) this.canvas.dataset.fps = String(status.rate);
    const now = JSON.stringify(status);
    if (now === this.told) return;
    this.told = now;
    this.tell();
  }
}

const views = new WeakMap<Store, MatrixView>();

export function matrixView(store: Store): MatrixView {
  let found = views.get(store);
  if (!found) views.set(store, found = new MatrixView(store));
  return found;
}
