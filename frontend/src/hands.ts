// What pointer and keys mean, alike in all views.
export const ARROWS: Record<string, [row: number, col: number]> = {
  ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0],
};

// The place among `count` that is nearest to v.
export const within = (v: number, count: number): number => Math.min(Math.max(v, 0), count - 1);

// How far a key goes along a list whose lines hold `line` places; 0: nowhere.
export function stepOf({ key }: KeyboardEvent, line: number): number {
  if (key === "Home" || key === "End") return key === "End" ? 1e9 : -1e9;
  const [row, col] = ARROWS[key] ?? [0, 0];
  return row * line + col;
}

// Where a pointer is in what listens to it: pixels, and as a share of its size.
export function placeOf(event: MouseEvent): { x: number; y: number; right: number; down: number } {
  const { left, top, width, height } = (event.currentTarget as Element).getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  return { x, y, right: x / Math.max(width, 1), down: y / Math.max(height, 1) };
}

// Follows a pointer from where it comes down, also beyond the edge.
export const dragged = (go: (event: PointerEvent) => void) => ({
  onPointerMove: (event: PointerEvent): void => { if (event.buttons & 1) go(event); },
  onPointerDown: (event: PointerEvent): void => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    go(event);
  },
});
