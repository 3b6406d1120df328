// Above the tokens: where in the whole text the weight is, and which part of it is in sight.
import { useEffect, useRef } from "preact/hooks";
import { cssColor, fitCanvas } from "../../dom";
import { dragged, placeOf, stepOf, within } from "../../hands";
import { type Store, useStore } from "../../store";
import { useWords } from "../../strings";
import { useDark } from "../grid/dark";

const HEIGHT = 54;
const PAGES: Record<string, number> = { PageDown: 6, PageUp: -6 };

interface TrackProps {
  values: Float32Array;
  top: number; // the value of a full bar
  asks: number; // -1: none of these tokens
  first: number; // in sight: first..past
  past: number;
  onGo: (position: number) => void;
  onScroll: (lines: number) => void;
}

export function Track(props: TrackProps) {
  const { values, first, past, onGo, onScroll } = props;
  const store = useStore();
  const t = useWords();
  useDark();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => { if (canvas.current) draw(store, canvas.current, props); });
  const go = (event: PointerEvent): void => {
    onGo(Math.floor(within(placeOf(event).right, 1.9999) * values.length));
  };
  const press = (event: KeyboardEvent): void => {
    const step = PAGES[event.key] ?? stepOf(event, 1);
    if (!step) return;
    event.preventDefault();
    onScroll(step);
  };
  return (
    <canvas id="track" ref={canvas} tabIndex={0} role="slider" aria-label={t("trackLabel")} aria-valuemin={0}
      aria-valuemax={Math.max(0, values.length - 1)} aria-valuenow={first} aria-valuetext={`${first}–${past - 1}`}
      onKeyDown={press}
      {...dragged(go)} />
  );
}

// One bar per two pixels: the largest weight of the tokens that fall into it.
function draw(store: Store, canvas: HTMLCanvasElement, { values, top, asks, first, past }: TrackProps): void {
  const width = canvas.clientWidth;
  if (!width) return;
  const pen = fitCanvas(canvas, width, HEIGHT);
  const count = values.length;
  const bars = Math.min(count, Math.floor(width / 2));
  const step = width / bars;
  pen.fillStyle = cssColor(store, "--weight");
  for (let b = 0; b < bars; b++) {
    let best = 0;
    const end = Math.floor((b + 1) * count / bars);
    for (let i = Math.floor(b * count / bars); i < end; i++) best = Math.max(best, values[i]);
    const tall = Math.max(best > 0 ? 1 : 0, (HEIGHT - 14) * best / top);
    pen.fillRect(b * step, HEIGHT - 8 - tall, Math.max(1, step - (step > 4 ? 1.5 : 0)), tall);
  }
  pen.fillStyle = cssColor(store, "--line");
  pen.fillRect(0, HEIGHT - 8, width, 1);
  if (past - first < count) {
    pen.strokeStyle = cssColor(store, "--accent");
    pen.lineWidth = 1.5;
    pen.strokeRect(first / count * width + 1, 2, Math.max(4, (past - first) / count * width - 2), HEIGHT - 6);
  }
  if (asks < 0) return;
  const x = (asks + 0.5) / count * width;
  pen.fillStyle = cssColor(store, "--accent");
  pen.beginPath();
  pen.moveTo(x, HEIGHT - 7);
  pen.lineTo(x - 4, HEIGHT);
  pen.lineTo(x + 4, HEIGHT);
  pen.fill();
}
