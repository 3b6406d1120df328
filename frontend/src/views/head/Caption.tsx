// What the matrix shows, what a dot of it stands for, and what is missing.
import { useEffect } from "preact/hooks";
import { useAgain } from "../controls";
import { useShown, useStore } from "../../store";
import { type Translate, useWords } from "../../strings";
import { useDark } from "../grid/dark";
import { grouped } from "../grid/heads";
import { nearest } from "../grid/playing";
import { type MatrixView, matrixView } from "./matrix";
import { useShownHead } from "./shown";

export function Caption() {
  const store = useStore();
  const t = useWords();
  const dark = useDark();
  const view = matrixView(store);
  const { head, entry, otherHead, loading } = useShownHead();
  const { index } = useShown("mode", "index", "place");
  const again = useAgain();
  useEffect(() => view.listen(again), [view]);
  if (!entry) return <p class="caption" id="matrix-caption" />;
  const full = head?.detailed || loading;
  const { track, step } = view.shown;
  const known = index.tracks.find((one) => one.id === track?.id);
  const [steps, detailed] = [known?.steps ?? [], known?.detailed ?? []];
  const near = !full && !detailed.includes(step) ? detailed[nearest(detailed, step)] : undefined;
  const { thumbnail, layer, head: number } = entry;
  const lacking = { size: thumbnail.join(" × "), layer, head: number, step: grouped(step) };
  const { operator } = view.shown;
  const sentence = SENTENCES[view.kind] + (view.kind === "weights" && dark ? "Dark" : "");
  const text = full ? t(sentence, { width: operator?.width ?? 0 })
    : !head ? t("headNotKept", lacking)
      : steps.length < 2 ? t("noDetail", lacking)
        : t(detailed.includes(step) ? "headOthersOnly" : "headSmallOnly", lacking);
  return (
    <p class="caption" id="matrix-caption">
      {text}
      {full && operator?.masked && view.kind !== "results" && t("masked")}
      {full && <span class="dots">{dots(view, t)}</span>}
      {near !== undefined && (
        <button type="button" id="to-detail" class="inline"
          onClick={() => store.set({ place: { track: track?.id ?? "", step: near } })}>
          {t("headToDetail", { step: grouped(near) })}</button>)}
      {otherHead && full && !loading && view.kind === "weights" && !view.available("difference")
        && t("headNoDifference")}
    </p>
  );
}

const SENTENCES = { weights: "weightsCaption", scores: "scoresCaption", results: "resultsCaption",
  difference: "headDifferenceCaption" };

// What a dot stands for: it changes while one zooms, so it has a line of its own.
function dots(view: MatrixView, t: Translate): string {
  const { kind, cells: [rows, cols], done } = view.status;
  let text = "";
  if (kind === "results" && rows > 1) text = t("headFarthestRows", { rows });
  else if (kind !== "results" && rows * cols > 1) {
    text = t(kind === "difference" ? "headFarthest" : "pooled", { rows, cols });
  }
  return done ? text : text + t("working");
}
