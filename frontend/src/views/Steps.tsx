// Which run, which input, which step; and what became of the decision over the steps.
import { useMemo } from "preact/hooks";
import { useShown, useStore } from "../store";
import { percent, type Translate, useWords } from "../strings";
import type { Series, TrackIndex } from "../types";
import { Pick } from "./controls";
import { along, Course, Ticks } from "./grid/Course";
import { Heat } from "./grid/Heat";
import { grouped, stepName } from "./grid/heads";
import { nearest, type Playing, usePlaying } from "./grid/playing";
import { VerdictLegend, VerdictMarks } from "./grid/VerdictMarks";

export function Steps() {
  const store = useStore();
  const { index, place, track, series } = useShown("index", "place", "track", "series");
  const t = useWords();
  const known = index.tracks.find((one) => one.id === place.track);
  const steps = known?.steps ?? [];
  const playing = usePlaying(store, steps);
  const go = (step: number): void => {
    playing.stop();
    store.set({ place: { track: place.track, step } });
  };
  return (
    <section id="steps" aria-labelledby="steps-title">
      <div class="heading">
        <h2 id="steps-title">{t(steps.length > 1 ? "stepsTitle" : "inputsTitle")}</h2>
        <Pickers known={known} />
      </div>
      {known && steps.length > 1 && (
        <>
          <p class="caption" id="steps-caption">
            {t("stepsCaption")}
            {known.written > steps.length && (
              <span id="sampled">
                {t("space") + t("stepsSampled", { kept: grouped(steps.length), written: grouped(known.written) })}
              </span>
            )}
          </p>
          <Slider known={known} playing={playing} go={go} />
          {series && track?.id === known.id && <Courses known={known} series={series} go={go} />}
        </>
      )}
    </section>
  );
}

// `known` is missing when the shown run has gone from the index.
function Pickers({ known }: { known: TrackIndex | undefined }) {
  const store = useStore();
  const { index, place } = useShown("index", "place");
  const t = useWords();
  const runs = [...new Set(index.tracks.map((one) => one.run))];
  const inputs = index.tracks.filter((one) => one.run === known?.run);
  // The same input and the nearest step, so that two runs can be told apart by switching.
  const goTo = (track: TrackIndex | undefined): void => {
    if (!track?.steps.length) return;
    const newest = place.step === known?.steps[known.steps.length - 1];
    const step = newest ? track.steps[track.steps.length - 1] : track.steps[nearest(track.steps, place.step)];
    store.set({ place: { track: track.id, step } });
  };
  const inRun = (run: string): TrackIndex | undefined => {
    const there = index.tracks.filter((one) => one.run === run);
    return there.find((one) => one.name === known?.name) ?? there[0];
  };
  return (
    <div class="controls">
      {(runs.length > 1 || !known) && (
        <Pick id="run" label={t("run")} value={known ? runs.indexOf(known.run) : -1}
          options={runs.map((run, i) => [i, run || t("runNameless")])} choose={(i) => goTo(inRun(runs[Number(i)]))} />
      )}
      {inputs.length > 1 && (
        <Pick id="input" label={t("input")} value={known ? inputs.indexOf(known) : -1}
          options={inputs.map((one, i) => [i, one.name || t("inputNameless", { n: i + 1 })])}
          choose={(i) => goTo(inputs[Number(i)])} />
      )}
    </div>
  );
}

interface Going {
  known: TrackIndex;
  go: (step: number) => void;
}

function Slider({ known, playing, go }: Going & { playing: Playing }) {
  const { place, moment, lang } = useShown("place", "moment", "lang");
  const t = useWords();
  const { steps, times } = known;
  const at = nearest(steps, place.step);
  const gone = steps[at] !== place.step;
  const words = [stepName(t, place.step)];
  words.push(gone ? t("stepGone") : t("lookOf", { n: grouped(at + 1), all: grouped(steps.length) }));
  if (!gone && times[at] > 0)
    words.push(
      new Date(1000 * times[at]).toLocaleString(lang === "zh" ? "zh-CN" : "en-GB", {
        dateStyle: "medium",
        timeStyle: "short",
      }),
    );
  if (known.detailed.includes(place.step)) words.push(t("stepDetailed"));
  if (at === steps.length - 1) words.push(t("stepNewest"));
  const waiting = moment?.step !== place.step || moment.track !== place.track;
  return (
    <div class="course-rows" aria-busy={waiting}>
      <button type="button" id="play" class="quiet gutter" aria-pressed={playing.on} onClick={playing.toggle}>
        {t(playing.on ? "pause" : "play")}
      </button>
      <div class="slide">
        <input
          type="range"
          id="step"
          min={0}
          max={steps.length - 1}
          step={1}
          value={at}
          aria-label={t("stepLabel")}
          aria-valuetext={words.join(t("comma"))}
          onInput={(event) => go(steps[Number(event.currentTarget.value)])}
        />
        <Detailed known={known} />
      </div>
      <span class="gutter" />
      <p class="step-now" id="step-now">
        <b>{words[0]}</b>
        {words.slice(1).map((word) => ` · ${word}`)}
        {waiting && ` · ${t("stepWaiting")}`}
      </p>
    </div>
  );
}

// Under the slider a tick at every step that keeps heads in full.
function Detailed({ known }: { known: TrackIndex }) {
  const { steps, detailed } = known;
  const t = useWords();
  const path = useMemo(() => {
    const full = new Set(detailed);
    return steps.map((step, i) => (full.has(step) ? `M${along(i, steps.length).toFixed(3)} 0v10` : "")).join("");
  }, [steps, detailed]);
  if (!path || detailed.length >= steps.length) return null;
  return (
    <svg
      class="lane detailed-marks"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={t("detailedLabel", { n: detailed.length })}
    >
      <title>{t("detailedLabel", { n: detailed.length })}</title>
      <path d={path} />
    </svg>
  );
}

function Courses({ known, series, go }: Going & { series: Series }) {
  const { track, moment, other } = useShown("track", "moment", "other");
  const t = useWords();
  const at = moment ? series.steps.indexOf(moment.step) : -1;
  const then = other?.track === known.id ? series.steps.indexOf(other.step) : -1;
  const chances = useMemo(() => Array.from(series.probability, (p) => (p < 0 ? NaN : p)), [series]);
  const there = chances.filter(Number.isFinite);
  const goTo = (i: number): void => go(series.steps[i]);
  const marks = useMemo(() => <VerdictMarks series={series} />, [series]);
  const course = there.length > 1 || series.verdicts.some((one) => one > 0);
  return (
    <div class="course-rows">
      {course && (
        <>
          <span class="gutter">
            {t("chance")}
            <small>{t("chanceRange")}</small>
          </span>
          <Course
            id="line"
            values={chances}
            range={[0, 1]}
            at={at}
            then={then}
            go={goTo}
            label={chanceLabel(t, there)}
          >
            {marks}
          </Course>
        </>
      )}
      <span class="gutter" />
      <div>
        <Ticks steps={series.steps} />
        <VerdictLegend series={series} />
      </div>
      {track && series.values.length > 0 && series.values.length === series.steps.length * track.units.length && (
        <div class="wide">
          <h3 id="heat-title">
            {t("heatTitle")}
            <small>{t(track.signed ? "heatCaptionSigned" : "heatCaption")}</small>
          </h3>
          <Heat track={track} series={series} at={at} go={goTo} />
        </div>
      )}
    </div>
  );
}

function chanceLabel(t: Translate, chances: number[]): string {
  const [low, high] = [chances.reduce((a, b) => Math.min(a, b), 1), chances.reduce((a, b) => Math.max(a, b), 0)];
  return t("chanceLabel", {
    first: percent(t, chances[0] ?? 0),
    last: percent(t, chances[chances.length - 1] ?? 0),
    low: percent(t, low),
    high: percent(t, high),
  });
}
