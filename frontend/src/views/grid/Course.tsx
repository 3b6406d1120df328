// A number over the steps: a line above the slider's own places, with a band behind it and marks on it.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { dragged, placeOf, within } from "../../hands";
import { grouped } from "./heads";

export interface CourseProps {
  id: string;
  values: ArrayLike<number>; // NaN where there is none
  band?: [low: ArrayLike<number>, high: ArrayLike<number>];
  range: [low: number, high: number];
  at: number; // index of the shown step, -1 for none
  then?: number; // index of the compared step
  label: string;
  go: (index: number) => void;
  children?: ComponentChildren; // marks, placed with `left` and `top`
}

// Place of step i of n along a lane, in percent: under the slider's thumb.
export const along = (i: number, count: number): number => (count > 1 ? (100 * i) / (count - 1) : 50);

// Which step a pointer over a lane means.
export function stepUnder(event: PointerEvent, count: number): number {
  return within(Math.round(placeOf(event).right * (count - 1)), count);
}

export function Course({ id, values, band, range: [low, high], at, then = -1, label, go, children }: CourseProps) {
  const count = values.length;
  const down = (value: number): number => 100 * (1 - (value - low) / Math.max(high - low, 1e-9));
  const paths = useMemo(
    () => (
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {band && <path class="band" d={areaOf(band, count, down)} />}
        <path class="course-line" d={lineOf(values, down)} />
      </svg>
    ),
    [values, band, low, high],
  );
  const value = at >= 0 ? values[at] : NaN;
  return (
    <div
      id={id}
      class="lane course"
      role="img"
      aria-label={label}
      {...dragged((event) => go(stepUnder(event, count)))}
    >
      {paths}
      {then >= 0 && <span class="now then" style={{ left: `${along(then, count)}%` }} />}
      {at >= 0 && <span class="now" style={{ left: `${along(at, count)}%` }} />}
      {children}
      {Number.isFinite(value) && (
        <span class="spot" style={{ left: `${along(at, count)}%`, top: `${down(value)}%` }} />
      )}
    </div>
  );
}

const place = (i: number, count: number, down: number): string => `${along(i, count).toFixed(3)} ${down.toFixed(2)}`;

function lineOf(values: ArrayLike<number>, down: (value: number) => number): string {
  let path = "";
  let pen = false;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      pen = false;
      continue;
    }
    path += `${pen ? "L" : "M"}${place(i, values.length, down(values[i]))}`;
    // A step alone between gaps is a line of no length: its round end is a dot.
    if (!pen && !Number.isFinite(values[i + 1])) path += "h0";
    pen = true;
  }
  return path;
}

function areaOf(
  [low, high]: [ArrayLike<number>, ArrayLike<number>],
  count: number,
  down: (value: number) => number,
): string {
  const there = Array.from({ length: count }, (_, i) => i).filter((i) => Number.isFinite(low[i]));
  if (there.length < 2) return "";
  const edge = (list: ArrayLike<number>, order: number[]): string =>
    order.map((i) => place(i, count, down(list[i]))).join("L");
  return `M${edge(high, there)}L${edge(low, there.reverse())}Z`;
}

// Step numbers under the lanes: the ends and a few between.
export function Ticks({ steps }: { steps: ArrayLike<number> }) {
  const count = steps.length;
  const every = Math.max(1, Math.ceil((count - 1) / 4));
  const shown = Array.from({ length: count }, (_, i) => i).filter(
    (i) => i % every === 0 && (count - 1 - i) * 6 >= count,
  );
  if (count > 1) shown.push(count - 1);
  return (
    <div class="lane ticks" aria-hidden="true">
      {shown.map((i) => (
        <span key={i} class={i === 0 ? "begin" : i === count - 1 ? "end" : ""} style={{ left: `${along(i, count)}%` }}>
          {grouped(steps[i])}
        </span>
      ))}
    </div>
  );
}
