// One head: its matrix at any resolution, as weights, scores or results, and what is under the hand.
import { useEffect, useRef } from "preact/hooks";
import { labelOf, number, weightText } from "../format";
import { useShown, useStore } from "../store";
import type { Moment } from "../types";
import { useWords } from "../strings";
import { Check, Segments, useAgain } from "./controls";
import { placeName } from "./grid/change";
import { useDark } from "./grid/dark";
import { Ramp } from "./grid/Pictures";
import { Caption } from "./head/Caption";
import { attach } from "./head/hands";
import { type MatrixView, matrixView } from "./head/matrix";
import { Overview } from "./head/Overview";
import { Result } from "./head/Result";
import { useShownHead } from "./head/shown";

const MODES = ["weights", "scores", "results"] as const;

// Drawn again whenever the matrix has something new to say.
function useMatrix(): MatrixView {
  const view = matrixView(useStore());
  const again = useAgain();
  useEffect(() => view.listen(again), [view]);
  return view;
}

export function HeadView() {
  const t = useWords();
  const { entry } = useShownHead();
  const name = entry ? t("layerHead", { layer: entry.layer, head: entry.head }) : t("gridEmpty");
  return (
    <div class="side" role="group" aria-labelledby="head-title">
      <div class="heading">
        <h2 id="head-title">{name}</h2>
        <Modes />
      </div>
      <Caption />
      <Matrix />
      <Controls />
      <Legend />
      <Readout />
      <Result />
      <Hands />
    </div>
  );
}

function Modes() {
  const store = useStore();
  const t = useWords();
  useShown("mode");
  useShownHead();
  const view = matrixView(store);
  const shown = view.kind === "difference" ? "weights" : view.kind;
  return (
    <Segments id="modes" kind="mode" label={t("modesLabel")} names={MODES} shown={shown} text={t}
      able={(one) => view.available(one)} choose={(mode) => store.set({ mode })} />
  );
}

function Matrix() {
  const view = useMatrix();
  const t = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useDark();
  useShown("mode");
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const ends = [view.start(element), attach(element, view)];
    return () => { for (const end of ends) end(); };
  }, [view]);
  useEffect(() => view.redraw(), [view, dark]);
  const [rows, cols] = view.shape;
  return (
    <div class="frame">
      <canvas id="matrix" ref={canvas} tabIndex={0} role="application"
        aria-label={t("matrixLabel", { what: t(view.kind), rows, cols })} />
    </div>
  );
}

function Controls() {
  const store = useStore();
  const t = useWords();
  const view = useMatrix();
  const { stretch } = useShown("mode", "stretch");
  const { otherHead } = useShownHead();
  return (
    <div class="controls under">
      <label class="grow"><span>{t("zoom")}</span> <input type="range" id="zoom" min={0} max={100} value={view.zoomed}
        onInput={(event) => view.slide(Number(event.currentTarget.value))} /></label>
      <button type="button" id="whole" class="quiet" onClick={() => view.zoom(1)}>{t("whole")}</button>
      <Check id="stretch" label={t("stretch")} on={stretch} hidden={view.kind !== "weights"}
        change={(on) => store.set({ stretch: on })} />
      <Check id="difference" label={t("headDifference")} on={view.kind === "difference"}
        hidden={!otherHead || !["weights", "difference"].includes(view.kind)}
        disabled={!view.available("difference")} change={(on) => view.setDifference(on)} />
    </div>
  );
}

function Legend() {
  const store = useStore();
  const t = useWords();
  const view = useMatrix();
  const { scale, kind } = view.status;
  const { index, place, other } = useShown("index", "place", "other", "stretch", "mode");
  const named = ({ track, step }: Moment): string =>
    placeName(t, index, { track, step }, other?.track === place.track ? track : "");
  const { moment, otherMoment } = store.state;
  return (
    <div class="legend">
      <span id="low">{(scale.log ? "≤ " : "") + number(scale.low)}</span>
      <Ramp id="ramp" twoSided={scale.twoSided} />
      <span id="high">{(scale.twoSided && scale.high > 0 ? "+" : "") + number(scale.high)}</span>
      {kind === "difference" && moment && otherMoment && (
        <span id="minus">{t("headMinus", { one: named(moment), other: named(otherMoment) })}</span>)}
      <Overview view={view} />
    </div>
  );
}

function Readout() {
  const t = useWords();
  const view = useMatrix();
  useShown("query", "key", "feature", "mode");
  useShownHead();
  return <p class="readout" id="matrix-readout" aria-live="polite">{cellText(view, t)}</p>;
}

function cellText(view: MatrixView, t: ReturnType<typeof useWords>): string {
  const { track, entry, operator, other, loading } = view.shown;
  if (!track || !entry || !operator || loading) return "";
  const [row, col] = view.hover ?? view.chosen;
  const query = labelOf(track, entry.queries, row);
  if (view.kind === "results") {
    return t("headCellResult", { query, feature: col, value: number(view.resultOf(row)[col]) });
  }
  const key = labelOf(track, entry.keys, col);
  const score = operator.score(row, col);
  if (score === -Infinity) return t("headCellMasked", { query, key });
  const weight = operator.weight(row, col);
  const words = t("headCell", { query, key, weight: weightText(weight), score: number(score) });
  if (view.kind !== "difference" || !other) return words;
  const before = other.weight(row, col);
  const gap = (weight > before ? "+" : "") + number(weight - before);
  return words + t("headCellDifference", { weight: weightText(before), gap });
}

function Hands() {
  const t = useWords();
  const { rate } = useMatrix().status;
  return (
    <p class="note hands">{t("hands")}
      {rate !== null && <span id="fps" aria-hidden="true">{t("headFrames", { n: rate })}</span>}</p>
  );
}
