// What counted over the steps: one row a piece of the input, one column a step.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { paint } from "../../color";
import { number, visible } from "../../format";
import { ARROWS, placeOf, stepOf, within } from "../../hands";
import { useWords } from "../../strings";
import type { Series, Track } from "../../types";
import { Check } from "../controls";
import { along, stepUnder } from "./Course";
import { useDark } from "./dark";
import { grouped } from "./heads";

const FEW = 8;

// The pieces that ever counted most, in reading order. Those that the model added would outshine the
// rest: on encoders most of what counts gathers there.
function topUnits(series: Series, count: number, most: number, added: boolean[]): number[] {
  const steps = series.steps.length;
  const peak = new Float64Array(count);
  for (let s = 0; s < steps; s++) {
    for (let i = 0; i < count; i++) peak[i] = Math.max(peak[i], Math.abs(series.values[s * count + i]));
  }
  const order = [...peak.keys()].filter((i) => !added[i]).sort((a, b) => peak[b] - peak[a] || a - b);
  return order.slice(0, most).sort((a, b) => a - b);
}

interface Props {
  track: Track;
  series: Series;
  at: number;
  go: (index: number) => void;
}

export function Heat({ track, series, at, go }: Props) {
  const t = useWords();
  const [all, setAll] = useState(false);
  const [cursor, setCursor] = useState<{ row: number; step: number } | null>(null);
  const steps = series.steps.length;
  const count = steps ? series.values.length / steps : 0;
  const special = track.units.map((unit) => Boolean(unit[1]));
  const added = special.every(Boolean) ? [] : special;
  const pieces = count - added.filter(Boolean).length;
  const units = useMemo(() => topUnits(series, count, all ? count : FEW, added), [series, count, all]);
  useEffect(() => setCursor(null), [track, all]);
  const label = (unit: number): string => visible(track.units[unit][0]);
  const read = cursor ?? { row: 0, step: Math.max(at, 0) };
  const said = (): string => {
    const row = Math.min(read.row, units.length - 1);
    const step = Math.min(cursor ? read.step : at, steps - 1);
    if (step < 0) return "";
    return t("heatRead", {
      label: label(units[row]),
      step: grouped(series.steps[step]),
      value: number(series.values[step * count + units[row]], 3),
    });
  };
  const keys = (event: KeyboardEvent): void => {
    const by = ARROWS[event.key] ?? (/^(Home|End)$/.test(event.key) && [0, stepOf(event, 1)]);
    if (event.key === "Enter") go(Math.min(read.step, steps - 1));
    else if (by) {
      event.preventDefault();
      setCursor({
        row: within(read.row + by[0], units.length),
        step: within(read.step + by[1], steps),
      });
    }
  };
  const point = (event: PointerEvent): void => {
    const step = stepUnder(event, steps);
    setCursor({ row: within(Math.floor(placeOf(event).down * units.length), units.length), step });
    if (event.buttons & 1) go(step);
  };
  return (
    <>
      <div class={`heat${all ? " all" : ""}`}>
        <ul class="gutter" aria-hidden="true">
          {units.map((unit, row) => (
            <li key={unit} class={cursor && row === read.row ? "on" : ""} title={label(unit)}>
              {label(unit)}
            </li>
          ))}
        </ul>
        <div
          id="heat"
          class="lane"
          tabIndex={0}
          role="application"
          aria-label={t("heatLabel")}
          aria-describedby="heat-readout"
          style={{ "--rows": units.length }}
          onKeyDown={keys}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={() => setCursor(null)}
        >
          <HeatPicture series={series} units={units} count={count} signed={track.signed} />
          {at >= 0 && <span class="now" style={{ left: `${along(at, steps)}%` }} />}
          {cursor && (
            <span
              class="cell"
              style={{
                left: `${along(read.step, steps)}%`,
                top: `${(100 * (read.row + 0.5)) / units.length}%`,
              }}
            />
          )}
        </div>
      </div>
      <div class="controls under">
        <p class="readout" id="heat-readout" aria-live={cursor ? "polite" : "off"}>
          {said()}
        </p>
        {pieces > FEW && (
          <Check id="heat-all" label={t("heatAll", { n: pieces })} on={all} change={setAll} />
        )}
      </div>
    </>
  );
}

function HeatPicture({
  series,
  units,
  count,
  signed,
}: {
  series: Series;
  units: number[];
  count: number;
  signed: boolean;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useDark();
  const steps = series.steps.length;
  useLayoutEffect(() => {
    if (!canvas.current) return;
    const values = units.flatMap((unit) => Array.from({ length: steps }, (_, s) => series.values[s * count + unit]));
    const most = Math.max(
      1e-12,
      ...units.map((_, row) =>
        values.slice(row * steps, (row + 1) * steps).reduce((a, b) => Math.max(a, Math.abs(b)), 0),
      ),
    );
    const codes = values.map((v) => Math.round(signed ? 127.5 * (1 + v / most) : (255 * Math.max(v, 0)) / most));
    paint(codes, units.length, steps, signed, dark, canvas.current);
  }, [series, units, signed, dark]);
  // A column is what is nearest to its place on the slider, so the outer two are cut in half.
  const wide = steps > 1 ? 100 / (steps - 1) : 0;
  return (
    <span class="cut">
      <canvas ref={canvas} aria-hidden="true" style={{ left: `${-wide / 2}%`, width: `${100 + wide}%` }} />
    </span>
  );
}
