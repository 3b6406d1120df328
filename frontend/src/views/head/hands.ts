// The hands on the matrix: pointer, fingers, wheel, keyboard.
import { ARROWS, placeOf, within } from "../../hands";
import type { MatrixView } from "./matrix";

type Point = [x: number, y: number];

export function attach(canvas: HTMLCanvasElement, view: MatrixView): () => void {
  const ends = [pointers(canvas, view), wheel(canvas, view)];
  const key = (event: KeyboardEvent): void => press(event, view);
  canvas.addEventListener("keydown", key);
  return () => {
    for (const end of ends) end();
    canvas.removeEventListener("keydown", key);
  };
}

function pixels(event: MouseEvent): Point {
  const { x, y } = placeOf(event);
  return [x, y];
}

function pointers(canvas: HTMLCanvasElement, view: MatrixView): () => void {
  const { plot } = view;
  const down = new Map<number, Point>();
  let from: Point | null = null; // where the first finger came down; null once it has moved
  const handlers: Record<string, (event: PointerEvent) => void> = {
    pointerdown(event) {
      from = down.size ? null : pixels(event);
      down.set(event.pointerId, pixels(event));
      canvas.setPointerCapture(event.pointerId);
    },
    pointermove(event) {
      const at = pixels(event);
      const last = down.get(event.pointerId);
      if (!last || plot.box.size >= 1) {
        view.point(view.shown.operator ? plot.cell(...at) : null);
        return;
      }
      if (from && Math.hypot(at[0] - from[0], at[1] - from[1]) <= 4) return;
      from = null;
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      // One of two fingers moves the picture half as far, and their distance is the zoom.
      const share = other ? 2 : 1;
      view.move((last[0] - at[0]) / plot.size / share, (last[1] - at[1]) / plot.size / share);
      if (other) {
        const apart = (one: Point) => Math.max(8, Math.hypot(one[0] - other[0], one[1] - other[1]));
        view.zoom(plot.box.size * apart(last) / apart(at), ((at[0] + other[0]) / 2 - plot.left) / plot.size,
          ((at[1] + other[1]) / 2 - plot.top) / plot.size);
      }
      down.set(event.pointerId, at);
    },
    pointerup(event) {
      const cell = plot.cell(...pixels(event));
      if (from && cell && view.shown.operator) view.choose(cell);
      down.delete(event.pointerId);
      from = null;
    },
    pointercancel(event) { down.delete(event.pointerId); },
    pointerleave() { view.point(null); },
  };
  for (const [name, action] of Object.entries(handlers)) canvas.addEventListener(name, action as EventListener);
  return () => {
    for (const [name, action] of Object.entries(handlers)) canvas.removeEventListener(name, action as EventListener);
  };
}

// The wheel zooms only with Ctrl or Command, or when the view has the focus: pages must scroll.
function wheel(canvas: HTMLCanvasElement, view: MatrixView): () => void {
  const turn = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey && view.store.root.activeElement !== canvas) return;
    event.preventDefault();
    const [x, y] = pixels(event);
    const { plot } = view;
    view.zoom(plot.box.size * Math.exp(event.deltaY * 0.002), (x - plot.left) / plot.size, (y - plot.top) / plot.size);
  };
  canvas.addEventListener("wheel", turn, { passive: false });
  return () => canvas.removeEventListener("wheel", turn);
}

function press(event: KeyboardEvent, view: MatrixView): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { entry, operator } = view.shown;
  const [rows, cols] = view.shape;
  const leap = event.shiftKey ? 10 : 1;
  const step = ARROWS[event.key];
  const [row, col] = view.chosen;
  if (step && operator) {
    view.choose([within(row + leap * step[0], rows), within(col + leap * step[1], cols)]);
  } else if (event.key === "+" || event.key === "=") view.zoom(view.plot.box.size / 1.5);
  else if (event.key === "-") view.zoom(view.plot.box.size * 1.5);
  else if (event.key === "0") view.zoom(1);
  else if (event.key === "Enter" && entry?.queries === entry?.keys) view.store.set({ query: view.store.state.key });
  else return;
  event.preventDefault();
}
