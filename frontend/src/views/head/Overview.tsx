// While the matrix is zoomed: the whole of it, small, with the part that is in sight.
import { useEffect, useRef } from "preact/hooks";
import { paint } from "../../color";
import { cssColor, fitCanvas, isDark } from "../../dom";
import { dragged, placeOf } from "../../hands";
import { useStore } from "../../store";
import { useWords } from "../../strings";
import type { MatrixView } from "./matrix";

const SIDE = 64;

export function Overview({ view }: { view: MatrixView }) {
  const store = useStore();
  const t = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { box } = view.plot;
  const { head } = view.shown;
  const zoomed = box.size < 1 && view.kind !== "results" && head !== null;
  useEffect(() => {
    if (!zoomed || !canvas.current) return;
    const pen = fitCanvas(canvas.current, SIDE, SIDE);
    pen.imageSmoothingEnabled = false;
    const [rows, cols] = head.entry.thumbnail;
    pen.drawImage(paint(head.picture, rows, cols, false, isDark(store)), 0, 0, SIDE, SIDE);
    pen.strokeStyle = cssColor(store, "--accent");
    pen.lineWidth = 2;
    const side = Math.max(4, box.size * SIDE - 2);
    const start = (share: number) => Math.min(share * SIDE + 1, SIDE - side - 1);
    pen.strokeRect(start(box.x), start(box.y), side, side);
  });
  const go = (event: PointerEvent): void => {
    const { right, down } = placeOf(event);
    view.move((right - box.x) / box.size - 0.5, (down - box.y) / box.size - 0.5);
  };
  return (
    <canvas id="overview" ref={canvas} hidden={!zoomed} role="img" aria-label={t("headOverview")} {...dragged(go)} />
  );
}
