// Drawing a series: one row a channel, and under each row the ribbon of what counted there.
import { cssColor, fitCanvas } from "../../dom";
import { number, shorten, visible } from "../../format";
import type { Store } from "../../store";
import { type Compared, type Pieces, shareOf } from "./pieces";
import { envelopeOf, type Series, type Span, ticks } from "./signal";

export const ROW = { name: 22, plot: 48, gap: 14 };
export const AXIS = 24;
const [AMBER, BLUE] = ["--amber", "--blue"];

export interface Scene {
  series: Series;
  pieces: Pieces | null;
  compared: Compared | null;
  signed: boolean;
  from: number; // steps that are shown: [from, to)
  to: number;
  scroll: number;
  chosen: number; // a piece, or -1
  words: { all: string; nothing: string; axis: string };
}

export const ribbonHeight = (signed: boolean): number => (signed ? 38 : 24);
export const rowHeight = (signed: boolean): number => ROW.name + ROW.plot + ribbonHeight(signed) + ROW.gap;
// The ribbon of all channels stays on top, whatever is scrolled.
export const pinnedHeight = (series: Series, signed: boolean): number =>
  series.byChannel.has(-1) ? ROW.name + ribbonHeight(signed) + 10 : 0;

export interface Place {
  channel: number;
  step: number;
}

// What is under a point of the canvas.
export function placeAt(scene: Scene, width: number, height: number, x: number, y: number): Place | null {
  const { series, from, to, signed } = scene;
  const step = Math.floor(from + (x / width) * (to - from));
  if (step < from || step >= to || y < 0 || y > height - AXIS) return null;
  const pinned = pinnedHeight(series, signed);
  if (y < pinned) return { channel: -1, step };
  const channel = Math.floor((y - pinned + scene.scroll) / rowHeight(signed));
  return channel < series.names.length ? { channel, step } : null;
}

export function drawSeries(
  store: Store,
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  scene: Scene,
): void {
  const pen = fitCanvas(canvas, width, height);
  // A color is asked for thousands of times a drawing.
  const inks = new Map<string, string>();
  const ink = (name: string): string => {
    const known = inks.get(name) ?? cssColor(store, name);
    inks.set(name, known);
    return known;
  };
  const { series, signed } = scene;
  const row = rowHeight(signed);
  const pinned = pinnedHeight(series, signed);
  const paint = new Painter(pen, ink, width, scene);
  pen.fillStyle = ink("--paper");
  pen.fillRect(0, 0, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(0, pinned, width, height - AXIS - pinned);
  pen.clip();
  const first = Math.max(0, Math.floor(scene.scroll / row));
  for (let channel = first; channel < series.names.length; channel++) {
    const top = pinned + channel * row - scene.scroll;
    if (top > height - AXIS) break;
    paint.channel(channel, top);
  }
  pen.restore();
  if (pinned) paint.pinned();
  paint.axis(height - AXIS);
}

class Painter {
  private readonly common: Span[];
  private readonly strokes: CanvasPattern;
  private readonly top: number; // what a bar of full height stands for

  constructor(
    private pen: CanvasRenderingContext2D,
    private ink: (name: string) => string,
    private width: number,
    private scene: Scene,
  ) {
    this.common = scene.series.byChannel.get(-1) ?? [];
    this.strokes = hatch(pen, ink("--ink-3"));
    const { pieces, compared } = scene;
    // What it is compared with has its place on the same scale.
    const then = compared && pieces ? pieces.ranked.map((index) => Math.abs(compared.before[index])) : [];
    this.top = then.reduce((most, size) => Math.max(most, size), pieces?.top ?? 1);
  }

  private x(step: number): number {
    const { from, to } = this.scene;
    return ((step - from) / (to - from)) * this.width;
  }

  private fill(color: string, x: number, y: number, wide: number, tall: number): void {
    this.pen.fillStyle = this.ink(color);
    this.pen.fillRect(x, y, wide, tall);
  }

  private text(text: string, x: number, y: number, color: string, align: CanvasTextAlign, strong = false): number {
    const { pen } = this;
    pen.font = `${strong ? "600 " : ""}13px ${this.ink("--sans")}`;
    pen.textBaseline = "middle";
    pen.textAlign = align;
    pen.fillStyle = this.ink(color);
    pen.fillText(text, x, y);
    return pen.measureText(text).width;
  }

  channel(channel: number, top: number): void {
    const { scene, width, pen } = this;
    const { series } = scene;
    const spans = series.byChannel.get(channel) ?? [];
    const [low, high] = series.ranges[channel];
    const range = Number.isNaN(low)
      ? scene.words.nothing
      : low === high
        ? number(low)
        : `${number(low)} – ${number(high)}`;
    const used = this.text(range, width - 2, top + ROW.name / 2, "--ink-3", "right");
    this.text(
      fitText(pen, visible(series.names[channel]), width - used - 24),
      1,
      top + ROW.name / 2,
      "--ink",
      "left",
      true,
    );
    const plot = top + ROW.name;
    this.fill("--raised", 0, plot, width, ROW.plot);
    this.tint([...this.common, ...spans], plot, ROW.plot);
    this.line(channel, plot);
    pen.strokeStyle = this.ink("--line");
    pen.lineWidth = 1;
    pen.strokeRect(0.5, plot + 0.5, width - 1, ROW.plot - 1);
    this.ribbon(spans, plot + ROW.plot);
    this.frame(spans, plot, ROW.plot + ribbonHeight(scene.signed));
    this.frame(this.common, plot, ROW.plot);
  }

  pinned(): void {
    const { scene } = this;
    this.text(fitText(this.pen, scene.words.all, this.width - 4), 1, ROW.name / 2, "--ink", "left", true);
    this.ribbon(this.common, ROW.name);
    this.frame(this.common, ROW.name, ribbonHeight(scene.signed));
  }

  // Behind the line: the strongest stretch of every column, so that many short ones cost no more.
  private tint(spans: Span[], top: number, tall: number): void {
    const { pieces } = this.scene;
    if (!pieces || !spans.length) return;
    const best = new Float32Array(Math.ceil(this.width));
    for (const span of spans) {
      const sign = pieces.values[span.index] < 0 ? -1 : 1;
      const share = shareOf(pieces, span.index);
      const [x0, x1] = [
        Math.max(0, Math.floor(this.x(span.start))),
        Math.min(best.length, Math.max(this.x(span.start) + 1, this.x(span.stop))),
      ];
      for (let x = x0; x < x1; x++) if (share > Math.abs(best[x])) best[x] = sign * share;
    }
    for (let x = 0; x < best.length;) {
      let end = x + 1;
      while (end < best.length && best[end] === best[x]) end++;
      const color = this.ink(best[x] < 0 ? BLUE : AMBER);
      if (Math.abs(best[x]) > 0.02) {
        this.pen.fillStyle = `rgb(${color} / ${(0.34 * Math.abs(best[x])).toFixed(3)})`;
        this.pen.fillRect(x, top, end - x, tall);
      }
      x = end;
    }
  }

  // Where nothing was measured there is no line but a hatch.
  private line(channel: number, top: number): void {
    const { scene, pen } = this;
    const { series, from, to } = scene;
    const [low, high] = series.ranges[channel];
    const steps = to - from;
    const columns = Math.min(steps, Math.max(1, Math.floor(this.width)));
    const seen = envelopeOf(series, channel, from, to, columns);
    const wide = this.width / columns;
    const y = (value: number): number =>
      top + 5 + (ROW.plot - 10) * (high > low ? 1 - (value - low) / (high - low) : 0.5);
    pen.fillStyle = this.strokes;
    for (let i = 0; i < columns; i++) {
      let end = i;
      while (end < columns && seen.missing[end] === 2) end++;
      if (end > i) pen.fillRect(i * wide, top, (end - i) * wide, ROW.plot);
      i = Math.max(i, end - 1);
    }
    pen.beginPath();
    let open = false;
    for (let i = 0; i < columns; i++) {
      if (seen.missing[i] === 2) {
        open = false;
        continue;
      }
      const x = (i + 0.5) * wide;
      const alone = !open && (i + 1 >= columns || seen.missing[i + 1] === 2);
      if (open) pen.lineTo(x, y(seen.high[i]));
      else pen.moveTo(alone ? x - 1.5 : x, y(seen.high[i])); // a value between two gaps is a dash
      pen.lineTo(alone ? x + 1.5 : x, y(seen.low[i]));
      open = true;
    }
    pen.strokeStyle = this.ink("--ink-2");
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    pen.stroke();
  }

  // For: up from the line, full. Against: down from it, hatched.
  private ribbon(spans: Span[], top: number): void {
    const { pen, scene } = this;
    const { pieces, signed, compared } = scene;
    const tall = ribbonHeight(signed);
    const half = signed ? tall / 2 : tall;
    this.fill("--soft", 0, top, this.width, tall);
    const against = hatch(pen, `rgb(${this.ink(BLUE)})`);
    for (const span of spans) {
      if (!pieces || span.stop <= scene.from || span.start >= scene.to) continue;
      const [x0, x1] = [this.x(span.start), this.x(span.stop)];
      const gap = x1 - x0 > 4 ? 1 : 0;
      const wide = Math.max(1, x1 - x0 - gap);
      const value = pieces.values[span.index];
      const size = Math.max(value === 0 ? 0 : 1, Math.min(1, Math.abs(value) / this.top) * (half - 1));
      pen.fillStyle = this.ink("--bar");
      if (value >= 0) pen.fillRect(x0, top + half - size, wide, size);
      else this.againstBar(against, x0, top + half, wide, size);
      if (!compared?.told(span.index)) continue;
      const before = Math.max(-1, Math.min(1, compared.before[span.index] / this.top));
      this.fill("--ink", x0, top + half - before * (half - 1) - 1, wide, 2); // where it stood
    }
    this.fill("--line", 0, top + half - (signed ? 0.5 : 1), this.width, 1);
  }

  private againstBar(pattern: CanvasPattern, x: number, y: number, wide: number, tall: number): void {
    const { pen } = this;
    pen.fillStyle = `rgb(${this.ink(BLUE)} / .3)`;
    pen.fillRect(x, y, wide, tall);
    pen.fillStyle = pattern;
    pen.fillRect(x, y, wide, tall);
    pen.fillStyle = `rgb(${this.ink(BLUE)})`;
    pen.fillRect(x, y + tall - 1.5, wide, 1.5);
  }

  private frame(spans: Span[], top: number, tall: number): void {
    const span = spans.find((one) => one.index === this.scene.chosen);
    if (!span) return;
    const [x0, x1] = [this.x(span.start), this.x(span.stop)];
    this.pen.strokeStyle = this.ink("--accent");
    this.pen.lineWidth = 2;
    this.pen.strokeRect(x0, top, Math.max(2, x1 - x0), tall);
  }

  axis(top: number): void {
    const { pen, scene } = this;
    this.fill("--paper", 0, top, this.width, AXIS);
    this.fill("--line", 0, top, this.width, 1);
    const name = this.text(scene.words.axis, this.width - 2, top + AXIS / 2 + 2, "--ink-3", "right");
    for (const at of ticks(scene.from, scene.to, Math.max(2, this.width / 90))) {
      const x = this.x(at);
      this.fill("--ink-3", Math.min(x, this.width - 1), top, 1, 5);
      const label = String(at);
      const half = pen.measureText(label).width / 2;
      if (x + half < this.width - name - 8)
        this.text(label, Math.max(x, half + 1), top + AXIS / 2 + 2, "--ink-3", "center");
    }
  }
}

function fitText(pen: CanvasRenderingContext2D, text: string, room: number): string {
  let fitting = shorten(text, 200);
  while (fitting.length > 2 && pen.measureText(fitting).width > room) fitting = shorten(fitting, fitting.length - 1);
  return fitting;
}

function hatch(pen: CanvasRenderingContext2D, color: string): CanvasPattern {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [6, 6];
  const own = tile.getContext("2d") as CanvasRenderingContext2D;
  own.strokeStyle = color;
  own.lineWidth = 1;
  own.beginPath();
  for (const start of [-6, 0, 6]) {
    own.moveTo(start, 6);
    own.lineTo(start + 6, 0);
  }
  own.stroke();
  return pen.createPattern(tile, "repeat") as CanvasPattern;
}
