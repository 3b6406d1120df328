// The verdicts over the steps, told apart by shape: a circle, a triangle, an octagon.
import { useWords } from "../../strings";
import type { Label, Series } from "../../types";
import { SHAPES } from "../input/Verdict";
import { along } from "./Course";
import { grouped } from "./heads";

const LABELS: (Label | "")[] = ["", "trusted", "doubtful", "refuted"];
const ROOM = 40; // marks that fit beside each other

// Where there are too many, one a change and a few between.
export function toldVerdicts(verdicts: ArrayLike<number>): number[] {
  const told: number[] = [];
  const apart = verdicts.length / ROOM;
  for (let i = 0; i < verdicts.length; i++) {
    if (!verdicts[i]) continue;
    const before = told[told.length - 1];
    if (before === undefined || verdicts[before] !== verdicts[i] || i - before >= apart) told.push(i);
  }
  return told;
}

export function VerdictMarks({ series }: { series: Series }) {
  const t = useWords();
  const count = series.steps.length;
  return (
    <>
      {toldVerdicts(series.verdicts).map((i) => {
        const label = LABELS[series.verdicts[i]] as Label;
        const chance = series.probability[i];
        return (
          <svg
            key={i}
            class={`verdict ${label}`}
            viewBox="0 0 24 24"
            style={{ left: `${along(i, count)}%`, top: `${100 * (1 - Math.max(chance, 0))}%` }}
          >
            <title>{t("verdictAt", { verdict: t("verdict." + label), step: grouped(series.steps[i]) })}</title>
            <path d={SHAPES[label]} />
          </svg>
        );
      })}
    </>
  );
}

// What the shapes mean, and where the verdict changed: a screen reader cannot see the marks.
export function VerdictLegend({ series }: { series: Series }) {
  const t = useWords();
  const changes = Array.from(series.verdicts, (verdict, i) => ({ verdict, i })).filter(
    ({ verdict, i }) => verdict && verdict !== (series.verdicts[i - 1] ?? 0),
  );
  const used = [...new Set(changes.map((one) => one.verdict))];
  if (!used.length) return null;
  const text = changes
    .slice(0, 20)
    .map(({ verdict, i }) =>
      t("verdictAt", { verdict: t("verdict." + LABELS[verdict]), step: grouped(series.steps[i]) }),
    )
    .join(t("comma"));
  return (
    <p class="verdict-legend" role="note" aria-label={text}>
      {used.map((one) => {
        const label = LABELS[one] as Label;
        return (
          <span key={one}>
            <svg class={`verdict ${label}`} viewBox="0 0 24 24" aria-hidden="true">
              <path d={SHAPES[label]} />
            </svg>
            {t("verdict." + label)}
          </span>
        );
      })}
    </p>
  );
}
