// Heads as dots: how many tokens a query looks at, how far away, and how much rests on the first token.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { number } from "../../format";
import { ARROWS, placeOf } from "../../hands";
import { useShown, useStore } from "../../store";
import { percent, useWords } from "../../strings";
import type { Head, Series, Track } from "../../types";
import { useResize } from "../controls";
import { seriesStats } from "./change";
import { headName, onePerHabit } from "./heads";
import { logScale, type Scale } from "./scales";

const HEIGHT = 360;
const EDGE = { left: 48, right: 18, top: 14, bottom: 44 };
const LEAST = 0.05; // tokens away: a head that only looks at itself has distance 0, which has no logarithm

interface Dot {
  head: Head;
  x: number;
  y: number;
  radius: number;
}
type Stats = Record<string, number>;

export function Scatter({ heads, track, series }: { heads: Head[]; track: Track; series: Series | null }) {
  const store = useStore();
  const { entry } = useShown("entry");
  const t = useWords();
  const [frame, width] = useWidth();
  const [over, setOver] = useState<Head | null>(null);
  const able = heads.filter((head) => "reach" in head.stats && "distance" in head.stats);
  const trail = useMemo(() => (series ? trailOf(series, track, entry) : []), [series, track, entry]);
  const { across, down } = useMemo(() => scalesOf(able, series, track), [series, track, series ? null : heads]);
  const place = (stats: Stats): [number, number] => [
    EDGE.left + across.at(stats.reach) * (width - EDGE.left - EDGE.right),
    HEIGHT - EDGE.bottom - down.at(Math.max(stats.distance, LEAST)) * (HEIGHT - EDGE.top - EDGE.bottom),
  ];
  const dots: Dot[] = able.map((head) => {
    const [x, y] = place(head.stats);
    return { head, x, y, radius: 3.5 + 9 * Math.sqrt(Math.min(head.stats.first ?? 0, 1)) };
  });
  const chosen = dots.find((dot) => dot.head.entry.index === entry);
  // Large ones first, so that a small one is never hidden under them; the chosen one above all.
  const drawn = [...dots].sort((a, b) => Number(a === chosen) - Number(b === chosen) || b.radius - a.radius);
  const read = over && able.includes(over) ? over : chosen?.head;
  const name = (head: Head): string => headName(t, head.entry);
  const said = (head: Head): string =>
    t("dotRead", {
      name: name(head),
      reach: number(head.stats.reach, 3),
      distance: number(head.stats.distance, 3),
      first: percent(t, head.stats.first ?? 0),
    });
  const point = (event: MouseEvent): Head | null => {
    const { right, y } = placeOf(event);
    return nearestDot(dots, right * width, y, 18)?.head ?? null;
  };
  const keys = (event: KeyboardEvent): void => {
    const from = dots.find((dot) => dot.head === read) ?? dots[0];
    const next = from && towards(dots, from, event.key);
    if (event.key === "Enter" && read) store.set({ entry: read.entry.index });
    else if (next) {
      event.preventDefault();
      setOver(next.head);
    }
  };
  const labels = useMemo(() => labelled(dots, chosen), [dots.length, heads, entry, width]);
  return (
    <div ref={frame} class="scatter">
      <svg
        id="scatter"
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        tabindex={0}
        role="application"
        aria-label={t("scatterLabel", { n: dots.length })}
        aria-describedby="scatter-readout"
        onKeyDown={keys}
        onPointerMove={(event) => setOver(point(event))}
        onPointerLeave={() => setOver(null)}
        onClick={(event) => {
          const head = point(event);
          if (head) store.set({ entry: head.entry.index });
        }}
      >
        <Axes across={across} down={down} width={width} x={t("axisReach")} y={t("axisDistance")} />
        {trail.length > 1 && (
          <path
            class="trail"
            d={
              "M" +
              trail
                .map((stats) =>
                  place(stats)
                    .map((v) => v.toFixed(1))
                    .join(" "),
                )
                .join("L")
            }
          />
        )}
        {trail.length > 1 && <circle class="trail-start" cx={place(trail[0])[0]} cy={place(trail[0])[1]} r={3} />}
        {drawn.map((dot) => (
          <circle
            key={dot.head.entry.index}
            data-i={dot.head.entry.index}
            cx={dot.x}
            cy={dot.y}
            r={dot.radius}
            class={`dot${dot.head.entry.index === entry ? " chosen" : ""}${dot.head === over ? " over" : ""}`}
          />
        ))}
        {labels.map((dot) => (
          <text key={dot.head.entry.index} class="dot-label" x={dot.x + dot.radius + 3} y={dot.y + 4}>
            {t("lh", { layer: dot.head.entry.layer, head: dot.head.entry.head })}
          </text>
        ))}
      </svg>
      <p class="readout" id="scatter-readout" aria-live="polite">
        {read ? said(read) : ""}
      </p>
    </div>
  );
}

function Axes({ across, down, width, x, y }: { across: Scale; down: Scale; width: number; x: string; y: string }) {
  const bottom = HEIGHT - EDGE.bottom;
  const wide = width - EDGE.left - EDGE.right;
  return (
    <g class="axes" aria-hidden="true">
      {across.ticks.map((tick) => {
        const at = EDGE.left + across.at(tick) * wide;
        return (
          <g key={tick}>
            <path d={`M${at} ${EDGE.top}V${bottom}`} />
            <text x={at} y={bottom + 16} text-anchor="middle">
              {number(tick, 2)}
            </text>
          </g>
        );
      })}
      {down.ticks.map((tick) => {
        const at = bottom - down.at(tick) * (bottom - EDGE.top);
        return (
          <g key={tick}>
            <path d={`M${EDGE.left} ${at}H${width - EDGE.right}`} />
            <text x={EDGE.left - 8} y={at + 4} text-anchor="end">
              {number(tick, 2)}
            </text>
          </g>
        );
      })}
      <text class="axis" x={EDGE.left + wide / 2} y={HEIGHT - 8} text-anchor="middle">
        {x}
      </text>
      <text class="axis" transform={`translate(13 ${(EDGE.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
        {y}
      </text>
    </g>
  );
}

// With a course of steps the axes hold all of it, so that dots move and the axes do not.
function scalesOf(heads: Head[], series: Series | null, track: Track): { across: Scale; down: Scale } {
  const reach = heads.map((head) => head.stats.reach);
  const distance = heads.map((head) => Math.max(head.stats.distance, LEAST));
  const places = [track.statistics.indexOf("reach"), track.statistics.indexOf("distance")];
  for (let i = 0; series && i < series.statistics.length; i += track.statistics.length) {
    const [r, d] = places.map((place) => series.statistics[i + place]);
    if (r >= 0) reach.push(r);
    if (d >= 0) distance.push(Math.max(d, LEAST));
  }
  return { across: logScale(extremes(reach), 1), down: logScale(extremes(distance), LEAST) };
}

// Math.min(...list) fails on lists of a hundred thousand.
const extremes = (list: number[]): number[] =>
  list.length ? [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))] : [1, 10];

function trailOf(series: Series, track: Track, entry: number): Stats[] {
  return Array.from(series.steps, (_, step) => seriesStats(series, track, step, entry)).filter(
    (stats): stats is Stats => stats !== null && "reach" in stats && "distance" in stats,
  );
}

function nearestDot(dots: Dot[], x: number, y: number, within: number): Dot | null {
  let best: Dot | null = null;
  let least = Infinity;
  for (const dot of dots) {
    const away = Math.max(Math.hypot(dot.x - x, dot.y - y) - dot.radius, 0) + dot.radius / 100;
    if (away < least && away <= within) [best, least] = [dot, away];
  }
  return best;
}

// The nearest dot in the direction of an arrow key; sideways counts double.
function towards(dots: Dot[], from: Dot, key: string): Dot | null {
  const [y, x] = ARROWS[key] ?? [];
  if (y === undefined) return null;
  let best: Dot | null = null;
  let least = Infinity;
  for (const dot of dots) {
    const ahead = (dot.x - from.x) * x + (dot.y - from.y) * y;
    const aside = Math.abs((dot.x - from.x) * y) + Math.abs((dot.y - from.y) * x);
    if (dot === from || ahead <= 0) continue;
    if (ahead + 2 * aside < least) [best, least] = [dot, ahead + 2 * aside];
  }
  return best;
}

// Names beside the chosen dot and those that stand out, where there is room.
function labelled(dots: Dot[], chosen: Dot | undefined): Dot[] {
  const telling = onePerHabit(dots.map((dot) => dot.head)).map((head) => dots.find((dot) => dot.head === head) as Dot);
  const shown: Dot[] = [];
  for (const dot of chosen ? [chosen, ...telling] : telling) {
    if (!shown.includes(dot) && shown.every((one) => Math.abs(one.x - dot.x) > 44 || Math.abs(one.y - dot.y) > 14))
      shown.push(dot);
  }
  return shown;
}

function useWidth(): [ref: { current: HTMLDivElement | null }, width: number] {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(560);
  const measure = (): void => setWidth(Math.max(240, Math.round(frame.current?.clientWidth ?? 0)));
  useLayoutEffect(measure, []);
  useResize(frame, measure);
  return [frame, width];
}
