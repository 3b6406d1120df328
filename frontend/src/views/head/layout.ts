// Tokens laid out in lines from their measured widths; only lines in sight are drawn.
import { cssColor } from "../../dom";
import { labelOf, shorten } from "../../format";
import type { Store } from "../../store";
import type { Track } from "../../types";

export const LINE = 40; // pixels
const PAD = 7;
const GAP = 3;

export interface Piece { i: number; x: number; width: number; label: string }

export class Lines {
  readonly lines: Piece[][] = [[]];

  constructor(store: Store, readonly track: Track, readonly sequence: number, readonly width: number) {
    const pen = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
    pen.font = `15px ${cssColor(store, "--sans")}`;
    const measured = new Map<string, number>();
    let x = 0;
    track.sequences[sequence].labels.forEach((_, i) => {
      const label = shorten(labelOf(track, sequence, i), 40);
      let wide = measured.get(label);
      if (wide === undefined) measured.set(label, wide = Math.ceil(pen.measureText(label).width));
      const own = Math.min(wide + 2 * PAD, width);
      if (x + own > width && x > 0) { this.lines.push([]); x = 0; }
      this.lines[this.lines.length - 1].push({ i, x, width: own, label });
      x += own + GAP;
    });
  }

  get height(): number { return this.lines.length * LINE; }

  // First token of a line; the number of tokens after the last one.
  start(line: number): number {
    const last = this.lines[this.lines.length - 1];
    return line < this.lines.length ? this.lines[line][0]?.i ?? 0 : (last[last.length - 1]?.i ?? -1) + 1;
  }

  lineOf(position: number): number {
    let [low, high] = [0, this.lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.start(middle) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Lines from..to that a scrolled box of this height shows.
  seen(top: number, height: number): [number, number] {
    return [Math.max(0, Math.floor(top / LINE)), Math.min(this.lines.length, Math.ceil((top + height) / LINE))];
  }
}
