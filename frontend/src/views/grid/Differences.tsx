// The difference of two moments: pictures of where weight differs, heads and pieces that differ most.
import { number, visible } from "../../format";
import { type State, useStore } from "../../store";
import { useWords } from "../../strings";
import type { Track } from "../../types";
import { changeText } from "./change";
import type { Difference } from "./difference";
import { HeadLines } from "./HeadLines";
import { headName, statText } from "./heads";
import { Numbers } from "./Numbers";
import { Pictures, Ramp } from "./Pictures";

const FEW = 8;

export function DifferenceGrid({ found, state, now, then }: { found: Difference; state: State; now: string; then: string }) {
  const store = useStore();
  const t = useWords();
  const heads = found.pairs.map((pair) => pair.head).filter((head) => found.pictures.has(head));
  const changes = new Map(found.pairs.map((pair) => [pair.head, pair.change]));
  if (!heads.length) return null;
  return (
    <>
      <h3 id="difference-title">{t("differenceTitle")}</h3>
      <p class="caption">
        {t("differenceCaption")}
        {found.pooled && t("space") + t("differencePooled")}
      </p>
      <Pictures
        id="differences"
        heads={[...heads].sort((a, b) => a.entry.layer - b.entry.layer || a.entry.head - b.entry.head)}
        byLayer
        chosen={state.entry}
        label={t("gridLabel")}
        twoSided
        picture={(head) => found.pictures.get(head) ?? null}
        about={(head) =>
          headName(t, head.entry) +
          t("comma") +
          t("changedBy", { p: changeText(t, changes.get(head)?.size ?? 0), since: then })
        }
        choose={(head) => store.set({ entry: head.entry.index })}
      />
      <Legend
        low={t("moreIn", { where: then, n: number(found.most, 2) })}
        high={t("moreIn", { where: now, n: number(found.most, 2) })}
      />
    </>
  );
}

function Legend({ low, high }: { low: string; high: string }) {
  return (
    <div class="legend two">
      <span>{low}</span>
      <Ramp twoSided />
      <span>{high}</span>
    </div>
  );
}

export function MostChanged({ found }: { found: Difference }) {
  const t = useWords();
  if (!found.pairs.length) return null;
  const most = found.pairs
    .filter((pair) => pair.change.size > 0)
    .sort((a, b) => b.change.size - a.change.size)
    .slice(0, FEW);
  return (
    <>
      <h3>{t("mostChanged")}</h3>
      <HeadLines
        id="changed-heads"
        empty="nothingChanged"
        lines={most.map(({ head, change: { name, before, after, size } }) => ({
          head,
          amount: changeText(t, size),
          said: t("fromTo", {
            stat: t("stat." + name),
            before: statText(t, name, before),
            after: statText(t, name, after),
          }),
        }))}
      />
      <p class="note">{t("changeMeaning")}</p>
    </>
  );
}

export function ChangedValues({ found, track, now, then }: { found: Difference; track: Track; now: string; then: string }) {
  const t = useWords();
  if (!found.values?.length) return null;
  return (
    <>
      <h3>{t("changedValues")}</h3>
      <div class="scroll">
        <Numbers
          id="changed-values"
          head={[t("piece"), then, now, t("differenceColumn")]}
          rows={found.values
            .slice(0, FEW)
            .map(({ unit, now: a, then: b }) => [
              visible(track.units[unit][0]),
              number(b, 3),
              number(a, 3),
              (a > b ? "+" : "") + number(a - b, 3),
            ])}
        />
      </div>
    </>
  );
}
