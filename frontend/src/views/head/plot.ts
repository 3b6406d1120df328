// Where cells lie on the canvas: the visible box of the matrix, margins for labels.
import type { Cells } from "../../tiles";

export type Cell = readonly [row: number, col: number];
export interface Box { x: number; y: number; size: number } // shares of the matrix, 0..1

const MARGIN = 36; // for positions
const ROOM = 12; // pixels that a label needs

export class Plot {
  box: Box = { x: 0, y: 0, size: 1 };
  rows = 1;
  cols = 1;
  left = MARGIN;
  top = MARGIN;
  size = 0;
  labelRows = false;
  labelCols = false;
  private features = false;

  // `features`: columns are features; they have no labels, and all of them are always in sight.
  layout(width: number, rows: number, cols: number, features: boolean): void {
    [this.rows, this.cols, this.features] = [rows, cols, features];
    const wide = Math.min(width, 620);
    const margin = Math.min(92, Math.round(wide * 0.19));
    const most = (wide - margin) / ROOM;
    this.labelRows = rows * this.box.size <= most;
    this.labelCols = cols * this.box.size <= most && !features;
    this.left = this.labelRows ? margin : MARGIN;
    this.top = this.labelCols ? margin : MARGIN;
    this.size = Math.max(10, wide - Math.max(this.left, this.top));
  }

  // Of the columns the first in sight and how many, as shares; rows are box.y and box.size.
  get across(): [start: number, share: number] { return this.features ? [0, 1] : [this.box.x, this.box.size]; }

  // Pixel of a cell's upper left corner.
  at(row: number, col: number): [number, number] {
    const { y, size } = this.box;
    const [x, wide] = this.across;
    return [this.left + (col / this.cols - x) / wide * this.size, this.top + (row / this.rows - y) / size * this.size];
  }

  cell(px: number, py: number): Cell | null {
    const { y, size } = this.box;
    const [x, wide] = this.across;
    const col = Math.floor(((px - this.left) / this.size * wide + x) * this.cols);
    const row = Math.floor(((py - this.top) / this.size * size + y) * this.rows);
    const inside = px >= this.left && py >= this.top && row >= 0 && col >= 0 && row < this.rows && col < this.cols;
    return inside ? [row, col] : null;
  }

  // Cells in sight, from..to of rows and columns.
  get range(): Cells {
    const { y, size } = this.box;
    const [x, wide] = this.across;
    const { rows, cols } = this;
    return [Math.floor(y * rows), Math.min(rows, Math.ceil((y + size) * rows)),
      Math.floor(x * cols), Math.min(cols, Math.ceil((x + wide) * cols))];
  }

  get least(): number { return Math.min(1, 6 / Math.max(this.rows, this.features ? 0 : this.cols)); }

  // cx, cy: the place in the view (0..1) that stays where it is.
  zoom(size: number, cx = 0.5, cy = 0.5): void {
    const next = Math.min(1, Math.max(this.least, size));
    const old = this.box;
    const start = (from: number, c: number) => within(from + (old.size - next) * c, next);
    this.box = { size: next, x: start(old.x, cx), y: start(old.y, cy) };
  }

  move(dx: number, dy: number): void {
    const { x, y, size } = this.box;
    this.box = { size, x: this.features ? x : within(x + dx * size, size), y: within(y + dy * size, size) };
  }

  // Bring a cell into sight; says whether anything had to move.
  reveal([row, col]: Cell): boolean {
    const { x, y, size } = this.box;
    const [cy, cx] = [(row + 0.5) / this.rows, (col + 0.5) / this.cols];
    const beside = !this.features && (cx < x || cx > x + size);
    if (size >= 1 || (!beside && cy >= y && cy <= y + size)) return false;
    this.box = { size, x: this.features ? x : within(cx - size / 2, size), y: within(cy - size / 2, size) };
    return true;
  }
}

const within = (v: number, size: number): number => Math.min(Math.max(v, 0), 1 - size);
