// Painted dots: tiles of the pyramid and the small picture, kept until their numbers or colors change.
import { paint } from "../../color";
import { TILE, type Tile } from "../../tiles";
import type { Head } from "../../types";
import type { Plot } from "./plot";
import { codes, codesOfPicture, type Scale, scaleName } from "./scale";

type Pen = CanvasRenderingContext2D;
interface Painted { canvas: HTMLCanvasElement; name: string; pass: number }

export class Dots {
  private readonly painted = new WeakMap<Tile | Uint8Array, Painted>();

  picture(pen: Pen, plot: Plot, { picture, entry }: Head, scale: Scale, dark: boolean): void {
    const [rows, cols] = entry.thumbnail;
    const canvas = this.keep(picture, 0, scaleName(scale, dark), (canvas) =>
      paint(codesOfPicture(scale, picture, entry.floor), rows, cols, false, dark, canvas));
    pen.imageSmoothingEnabled = false;
    place(pen, plot, canvas, [0, entry.shape[0], 0, entry.shape[1]]);
  }

  tile(pen: Pen, plot: Plot, tile: Tile, scale: Scale, dark: boolean): void {
    const canvas = this.keep(tile, tile.pass, scaleName(scale, dark), (canvas) =>
      paint(codes(scale, tile.values), tile.rows, tile.cols, scale.twoSided, dark, canvas));
    const [row, col] = tile.origin;
    // More features than pixels: a blend shows that something is there, a choice might not.
    pen.imageSmoothingEnabled = tile.cols > TILE && tile.cols > plot.size;
    place(pen, plot, canvas, [row, row + (tile.rows << tile.level[0]), col, col + (tile.cols << tile.level[1])]);
  }

  private keep(of: Tile | Uint8Array, pass: number, name: string,
    draw: (canvas?: HTMLCanvasElement) => HTMLCanvasElement): HTMLCanvasElement {
    const known = this.painted.get(of);
    if (known && known.name === name && known.pass === pass) return known.canvas;
    const canvas = draw(known?.canvas);
    this.painted.set(of, { canvas, name, pass });
    return canvas;
  }
}

// Edges at whole pixels, or neighbors would show a seam.
function place(pen: Pen, plot: Plot, canvas: HTMLCanvasElement, [r0, r1, c0, c1]: number[]): void {
  const ratio = pen.getTransform().a;
  const [x0, y0, x1, y1] = [...plot.at(r0, c0), ...plot.at(r1, c1)].map((v) => Math.round(v * ratio) / ratio);
  pen.drawImage(canvas, x0, y0, x1 - x0, y1 - y0);
}
