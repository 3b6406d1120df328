// The parts of the matrix besides its dots: hatch, numbers, crosshair, axes.
import { ramp } from "../../color";
import { cssColor, isDark } from "../../dom";
import { labelOf, number, shorten } from "../../format";
import type { Store } from "../../store";
import { translator } from "../../strings";
import type { Track } from "../../types";
import { ticks } from "../input/signal";
import type { MatrixView } from "./matrix";
import type { Cell, Plot } from "./plot";
import { code, type Scale } from "./scale";

type Pen = CanvasRenderingContext2D;

// Behind the dots: what stays visible there is masked.
export function drawHatch(pen: Pen, plot: Plot, store: Store, masked: boolean): void {
  const { left, top, size } = plot;
  pen.fillStyle = cssColor(store, "--raised");
  pen.fillRect(left, top, size, size);
  if (!masked) return;
  pen.strokeStyle = cssColor(store, "--line");
  pen.lineWidth = 1;
  pen.beginPath();
  for (let d = 0; d < 2 * size; d += 9) {
    pen.moveTo(left + d, top);
    pen.lineTo(left + d - size, top + size);
  }
  pen.stroke();
}

// Large cells carry their number as text, so that color is never the only sign.
export function drawNumbers(pen: Pen, view: MatrixView, scale: Scale): void {
  const { plot, kind, store } = view;
  const [r0, r1, c0, c1] = plot.range;
  const [tall, wide] = [plot.size / (r1 - r0), plot.size / (c1 - c0)];
  if (!view.shown.operator || wide < 27 || tall < (kind === "results" ? 14 : 27)) return;
  pen.font = `${Math.min(12, wide / 3)}px ${cssColor(store, "--sans")}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const colors = ramp(scale.twoSided, isDark(store));
  for (let i = r0; i < r1; i++) {
    for (let j = c0; j < c1; j++) {
      const [value, text] = cellOf(view, i, j);
      if (!text) continue;
      const at = 3 * Math.round(code(scale, value));
      const light = 0.299 * colors[at] + 0.587 * colors[at + 1] + 0.114 * colors[at + 2];
      const [x0, y0] = plot.at(i, j), [x1, y1] = plot.at(i + 1, j + 1);
      pen.fillStyle = light < 135 ? "#fff" : "#14131a";
      pen.fillText(text.replace("-", "−"), (x0 + x1) / 2, (y0 + y1) / 2 + 0.5);
    }
  }
}

// The number of a cell as its color takes it, and its text; none where it would say nothing.
function cellOf({ kind, shown, resultOf }: MatrixView, i: number, j: number): [value: number, text: string] {
  const { other } = shown;
  const operator = shown.operator as NonNullable<typeof shown.operator>;
  if (kind === "results") {
    const value = resultOf(i)[j];
    return [value, Math.abs(value) < 10 ? short(value) : number(value)];
  }
  const score = operator.score(i, j);
  if (score === -Infinity) return [score, ""];
  if (kind === "scores") return [score, score.toFixed(1)];
  const log = score - operator.lse[i];
  if (kind === "weights") return [log, Math.exp(log) < 0.005 ? "" : short(Math.exp(log))];
  const gap = Math.exp(log) - (other?.weight(i, j) ?? 0);
  return [gap, Math.abs(gap) < 0.005 ? "" : (gap > 0 ? "+" : "") + short(gap)];
}

// .93, 1.00
const short = (value: number): string => value.toFixed(2).replace(/^-0.00$/, "0.00").replace(/^(-?)0/, "$1");

export function drawCross(pen: Pen, view: MatrixView): void {
  mark(pen, view, view.chosen, cssColor(view.store, "--accent"), 1.5);
  if (view.hover) mark(pen, view, view.hover, cssColor(view.store, "--ink-3"), 0.75);
}

function mark(pen: Pen, { plot, kind }: MatrixView, [row, col]: Cell, color: string, width: number): void {
  const [x0, y0] = plot.at(row, col), [x1, y1] = plot.at(row + 1, col + 1);
  pen.fillStyle = pen.strokeStyle = color;
  pen.lineWidth = width;
  // A frame around a thin line would hide it: one line then, with a gap around the cell.
  const gap = 7;
  if (y1 - y0 >= 6) pen.strokeRect(plot.left - 4, y0, plot.size + 8, y1 - y0);
  else if (kind === "results") pen.fillRect(plot.left, (y0 + y1) / 2 - width / 2, plot.size, width);
  else {
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    pen.fillRect(plot.left, y - width / 2, Math.max(0, x - gap - plot.left), width);
    pen.fillRect(x + gap, y - width / 2, plot.size, width);
    pen.fillRect(x - width / 2, plot.top, width, Math.max(0, y - gap - plot.top));
    pen.fillRect(x - width / 2, y + gap, width, plot.size);
    pen.strokeRect(x - gap, y - gap, 2 * gap, 2 * gap);
    return;
  }
  pen.strokeRect(x0, plot.top - 4, x1 - x0, plot.size + 8);
}

export function drawAxes(pen: Pen, view: MatrixView): void {
  const { plot, kind, store } = view;
  const { track, entry } = view.shown;
  if (!track || !entry) return;
  const t = translator(store);
  const [r0, r1, c0, c1] = plot.range;
  const [query, key] = view.chosen;
  pen.textBaseline = "middle";
  if (plot.labelRows) {
    labels(track, entry.queries, [r0, r1], Math.floor(plot.left / 6.4), (text, i) => {
      const y = (plot.at(i, 0)[1] + plot.at(i + 1, 0)[1]) / 2;
      if (y < plot.top || y > plot.top + plot.size) return;
      pen.textAlign = "right";
      write(pen, store, text, plot.left - 7, y, i === query);
    });
  } else positions(pen, view, [r0, r1], true);
  if (plot.labelCols) {
    labels(track, entry.keys, [c0, c1], Math.floor(plot.top / 6.4), (text, j) => {
      const x = (plot.at(0, j)[0] + plot.at(0, j + 1)[0]) / 2;
      if (x < plot.left || x > plot.left + plot.size) return;
      turned(pen, x, plot.top - 7, () => { pen.textAlign = "left"; write(pen, store, text, 0, 0, j === key); });
    });
  } else positions(pen, view, [c0, c1], false);
  pen.fillStyle = cssColor(store, "--ink-3");
  pen.font = `11px ${cssColor(store, "--sans")}`;
  if (!plot.labelRows) turned(pen, 8, plot.top, () => { pen.textAlign = "right"; pen.fillText(t("asks"), 0, 0); });
  if (!plot.labelCols) {
    pen.textAlign = "left";
    pen.fillText(t(kind === "results" ? "features" : "answers"), plot.left, 8);
  }
}

function labels(track: Track, sequence: number, [from, to]: [number, number], room: number,
  draw: (text: string, place: number) => void): void {
  for (let i = from; i < to; i++) draw(shorten(labelOf(track, sequence, i), room), i);
}

// Where there is no room for labels: numbers of positions, a round distance apart.
function positions(pen: Pen, { plot, store }: MatrixView, [from, to]: [number, number], rows: boolean): void {
  pen.fillStyle = cssColor(store, "--ink-3");
  pen.font = `10.5px ${cssColor(store, "--sans")}`;
  for (const i of ticks(from, to, 5)) {
    const [x, y] = plot.at(i + 0.5, i + 0.5);
    const along = rows ? y : x;
    const start = rows ? plot.top : plot.left;
    // The first place belongs to the name of the axis.
    if (along < start || along > start + plot.size - 6) continue;
    const [a, b] = [along, (rows ? plot.left : plot.top)];
    if (rows) pen.fillRect(b - 4, a, 4, 0.8);
    else pen.fillRect(a, b - 4, 0.8, 4);
    if (rows) turned(pen, b - 11, a, () => { pen.textAlign = "center"; pen.fillText(String(i), 0, 0); });
    else { pen.textAlign = "center"; pen.fillText(String(i), a, b - 11); }
  }
}

function turned(pen: Pen, x: number, y: number, draw: () => void): void {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-Math.PI / 2);
  draw();
  pen.restore();
}

function write(pen: Pen, store: Store, text: string, x: number, y: number, strong: boolean): void {
  pen.fillStyle = cssColor(store, strong ? "--accent" : "--ink-2");
  pen.font = `${strong ? "600 " : ""}11px ${cssColor(store, "--sans")}`;
  pen.fillText(text, x, y);
}
