// All heads as dots by what they do, one head's numbers over the steps, and everything as a table.
import { useMemo, useState } from "preact/hooks";
import { shownHeads } from "../choosing";
import { useShown, useStore } from "../store";
import { useWords } from "../strings";
import type { Head, Series, Track } from "../types";
import { Pick } from "./controls";
import { Course, Ticks } from "./grid/Course";
import { grouped, headName, statText } from "./grid/heads";
import { Numbers } from "./grid/Numbers";
import { Scatter } from "./grid/Scatter";

export function Statistics() {
  const { track, moment, sequence, entry, series } = useShown("track", "moment", "sequence", "entry", "series");
  const t = useWords();
  if (!track || !moment) return null;
  const heads = shownHeads(moment, sequence);
  if (!heads.length) return null;
  const course = series && series.steps.length > 1 && entry >= 0 && entry < series.heads ? series : null;
  return (
    <section id="statistics" aria-labelledby="statistics-title">
      <div class="heading">
        <h2 id="statistics-title">{t("statisticsTitle")}</h2>
      </div>
      <div class={course ? "pair" : "single"}>
        <div class="side">
          <p class="caption">
            {t("statisticsCaption")}
            {course && t("space") + t("statisticsTrail")}
          </p>
          <Scatter heads={heads} track={track} series={course} />
        </div>
        {course && (
          <div class="side">
            <History track={track} series={course} entry={entry} />
          </div>
        )}
      </div>
      <Table heads={heads} track={track} />
    </section>
  );
}

// The chosen head against the middle half of all heads.
function History({ track, series, entry }: { track: Track; series: Series; entry: number }) {
  const store = useStore();
  const { moment, other } = useShown("moment", "other");
  const t = useWords();
  const [name, setName] = useState("reach");
  const column = Math.max(track.statistics.indexOf(name), 0);
  const width = track.statistics.length;
  const steps = series.steps;
  const value = (s: number, e: number): number => {
    const one = series.statistics[(s * series.heads + e) * width + column];
    return one < 0 ? NaN : one;
  };
  const band = useMemo(() => middleHalf(series, value), [series, column]);
  const values = useMemo(() => Array.from(steps, (_, s) => value(s, entry)), [series, entry, column]);
  const high = [...values, ...band[1]].reduce((a, b) => (b > a ? b : a), 0) * 1.05 || 1;
  const at = moment ? steps.indexOf(moment.step) : -1;
  const then = other?.track === track.id ? steps.indexOf(other.step) : -1;
  const chosen = track.entries[entry];
  const who = headName(t, chosen);
  const there = values.filter(Number.isFinite);
  const text = (v: number): string => statText(t, name, v);
  const go = (i: number): void => store.set({ place: { track: track.id, step: steps[i] } });
  return (
    <>
      <div class="controls">
        <Pick id="history-statistic" label={t("historyOf")} value={name}
          options={track.statistics.map((one) => [one, t("stat." + one)])} choose={setName} />
      </div>
      <p class="caption">{t("historyCaption", { name: who })}</p>
      <div class="course-rows" id="history">
        <span class="gutter ends">
          <small>{text(high)}</small>
          <small>0</small>
        </span>
        <Course
          id="history-line"
          values={values}
          band={band}
          range={[0, high]}
          at={at}
          then={then}
          go={go}
          label={t("historyLabel", {
            name: who,
            stat: t("stat." + name),
            first: text(there[0]),
            last: text(there[there.length - 1]),
          })}
        />
        <span class="gutter" />
        <Ticks steps={steps} />
      </div>
      <p class="readout" id="history-readout">
        {at >= 0 &&
          Number.isFinite(values[at]) &&
          t("historyRead", {
            step: grouped(steps[at]),
            stat: t("stat." + name),
            value: text(values[at]),
            low: text(band[0][at]),
            high: text(band[1][at]),
          })}
      </p>
    </>
  );
}

function middleHalf(series: Series, value: (s: number, e: number) => number): [number[], number[]] {
  const [low, high]: [number[], number[]] = [[], []];
  for (let s = 0; s < series.steps.length; s++) {
    const all = Array.from({ length: series.heads }, (_, e) => value(s, e))
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    low.push(all.length ? all[Math.floor((all.length - 1) / 4)] : NaN);
    high.push(all.length ? all[Math.ceil((3 * (all.length - 1)) / 4)] : NaN);
  }
  return [low, high];
}

// The same for those who read numbers; its rows are made when somebody opens it.
function Table({ heads, track }: { heads: Head[]; track: Track }) {
  const store = useStore();
  const t = useWords();
  const [open, setOpen] = useState(false);
  const names = track.statistics.filter((name) => heads.some((head) => name in head.stats));
  return (
    <details id="statistics-table" onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{t("asTable")}</summary>
      {open && (
        <div class="scroll tall" tabIndex={0} role="region" aria-label={t("statisticsTitle")}>
          <Numbers
            id="statistics-numbers"
            head={[t("head"), ...names.map((name) => t("stat." + name))]}
            rows={heads.map((head) => [
              <button type="button" class="plain" onClick={() => store.set({ entry: head.entry.index })}>
                {headName(t, head.entry)}
              </button>,
              ...names.map((name) => (name in head.stats ? statText(t, name, head.stats[name]) : "–")),
            ])}
          />
        </div>
      )}
    </details>
  );
}
