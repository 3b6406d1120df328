// What the chosen query takes away: one bar a feature, with numbers.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ramp } from "../../color";
import { cssColor, fitCanvas } from "../../dom";
import { labelOf, number } from "../../format";
import { stepOf, within } from "../../hands";
import { type Store, useShown, useStore } from "../../store";
import { useWords } from "../../strings";
import { useAgain, useResize } from "../controls";
import { useDark } from "../grid/dark";
import { useShownHead } from "./shown";

const HEIGHT = 76;

export function Result() {
  const store = useStore();
  const t = useWords();
  const { mode, query, feature } = useShown("mode", "query", "feature");
  const { track, entry, operator, loading } = useShownHead();
  const shown = mode === "results" && operator && operator.width > 0 && !loading;
  const values = useMemo(() => (shown ? operator.resultRow(query) : new Float32Array(0)), [shown, operator, query]);
  if (!shown || !track || !entry) return null;
  const strongest = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 5);
  const length = Math.hypot(...values);
  const list = strongest.map((d) => t("headFeature", { feature: d, value: number(values[d]) })).join(" · ");
  const words = t("headResultWords", { n: values.length, length: number(length), list });
  const next = (event: KeyboardEvent): void => {
    const step = stepOf(event, 0);
    if (!step) return;
    event.preventDefault();
    const last = values.length - 1;
    store.set({ feature: within(Math.min(feature, last) + step, values.length) });
  };
  return (
    <div class="result">
      <h3 id="result-title">{t("headResultTitle", { query: labelOf(track, entry.queries, query) })}</h3>
      <Bars values={values} chosen={Math.min(feature, values.length - 1)} label={words} onKeyDown={next}
        onChoose={(d) => store.set({ feature: d })} />
      <p class="note" id="result-words">{words}</p>
    </div>
  );
}

interface BarsProps {
  values: Float32Array;
  chosen: number;
  label: string;
  onKeyDown: (event: KeyboardEvent) => void;
  onChoose: (feature: number) => void;
}

function Bars({ values, chosen, label, onKeyDown, onChoose }: BarsProps) {
  const store = useStore();
  const dark = useDark();
  const canvas = useRef<HTMLCanvasElement>(null);
  const again = useAgain();
  useResize(canvas, again);
  useEffect(() => { if (canvas.current) drawBars(store, canvas.current, values, chosen, dark); });
  return (
    <canvas id="result" ref={canvas} tabIndex={0} role="application" aria-label={label} onKeyDown={onKeyDown}
      onClick={(event) => {
        const share = event.offsetX / event.currentTarget.clientWidth;
        onChoose(Math.min(values.length - 1, Math.floor(share * values.length)));
      }} />
  );
}

function drawBars(store: Store, canvas: HTMLCanvasElement, values: Float32Array, chosen: number, dark: boolean): void {
  const width = canvas.clientWidth;
  if (!width) return;
  const pen = fitCanvas(canvas, width, HEIGHT);
  const step = width / values.length;
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const numbers = step >= 34;
  const reach = HEIGHT / 2 - (numbers ? 13 : 4);
  const colors = ramp(true, dark);
  const shade = (code: number): string => `rgb(${colors.slice(3 * code, 3 * code + 3).join(" ")})`;
  values.forEach((value, d) => {
    const tall = reach * value / most;
    pen.fillStyle = shade(value < 0 ? 24 : 231);
    const gap = step > 3 ? 1 : 0;
    pen.fillRect(d * step + gap / 2, HEIGHT / 2 - Math.max(tall, 0), Math.max(1, step - gap), Math.abs(tall));
    if (!numbers) return;
    pen.fillStyle = cssColor(store, "--ink-2");
    pen.font = `10.5px ${cssColor(store, "--sans")}`;
    pen.textAlign = "center";
    pen.fillText(number(value, 2), (d + 0.5) * step, value < 0 ? HEIGHT / 2 - tall + 10 : HEIGHT / 2 - tall - 3);
  });
  pen.fillStyle = cssColor(store, "--ink-3");
  pen.fillRect(0, HEIGHT / 2 - 0.5, width, 1);
  pen.strokeStyle = cssColor(store, "--accent");
  pen.lineWidth = 1.5;
  pen.strokeRect(chosen * step, 1, Math.max(step, 2), HEIGHT - 2);
}
