// The layer x head grid of small pictures, its orders, and the heads that stand out.
import { chosenFrom, firstHead, shownHeads, usedSequences } from "../choosing";
import { type State, useShown, useStore } from "../store";
import { type Translate, useWords } from "../strings";
import type { Head, Track } from "../types";
import { Pick } from "./controls";
import { changeSince, changeText, type Reference, useReference } from "./grid/change";
import { useDark } from "./grid/dark";
import { Facts } from "./grid/Facts";
import { HeadLines } from "./grid/HeadLines";
import { headName, onePerHabit, ORDERS, reasonText, standingOut } from "./grid/heads";
import { Pictures } from "./grid/Pictures";
import { Several } from "./grid/Several";

export function Grid() {
  const store = useStore();
  const state = useShown("track", "moment", "sequence", "entry", "order");
  const { track, moment, sequence, entry } = state;
  const t = useWords();
  const reference = useReference();
  const dark = useDark();
  if (!track || !moment) return null;
  const order = state.order === "change" && !reference ? "layer" : state.order;
  const shown = sorted(shownHeads(moment, sequence), order, reference);
  const stands = standingOut(shown);
  const about = (head: Head): string => {
    const name = headName(t, head.entry);
    const change = changeSince(reference, head);
    return (
      (stands.has(head) ? `${name}: ${reasonText(t, head)}` : name) +
      (change && reference
        ? t("comma") + t("changedBy", { p: changeText(t, change.size), since: reference.name })
        : "")
    );
  };
  return (
    <div class="side" role="group" aria-labelledby="grid-title">
      <div class="heading">
        <h2 id="grid-title">{t("gridTitle")}</h2>
        <Choices track={track} state={state} order={order} changes={reference !== null} />
      </div>
      <p class="caption" id="grid-caption">
        {t(dark ? "gridCaptionDark" : "gridCaptionLight")}
        {reference && t("space") + t("gridChange", { since: reference.name })}
      </p>
      {shown.length === 0 ? (
        <p class="empty" id="grid">
          {t("gridEmpty")}
        </p>
      ) : (
        <Pictures
          id="grid"
          heads={shown}
          byLayer={order === "layer"}
          chosen={entry}
          label={t("gridLabel")}
          stands={stands}
          about={about}
          picture={(head) => ({ codes: head.picture, rows: head.entry.thumbnail[0], cols: head.entry.thumbnail[1] })}
          mark={reference ? (head) => changeSince(reference, head)?.size ?? 0 : undefined}
          choose={(head) => store.set({ entry: head.entry.index })}
        />
      )}
      <p class="note" id="coverage">
        {coverage(t, state, shown)}
      </p>
      <Several />
      <h3>{t("standTitle")}</h3>
      <HeadLines
        id="standing"
        empty="standEmpty"
        lines={onePerHabit(shown).map((head) => ({ head, said: reasonText(t, head) }))}
      />
      <Facts reference={reference} />
    </div>
  );
}

function sorted(shown: Head[], order: string, reference: Reference | null): Head[] {
  if (order !== "change") return [...shown].sort((ORDERS[order] ?? ORDERS.layer)[1]);
  const size = new Map(shown.map((head) => [head, changeSince(reference, head)?.size ?? -1]));
  return [...shown].sort((a, b) => (size.get(b) as number) - (size.get(a) as number));
}

function Choices({ track, state, order, changes }: { track: Track; state: State; order: string; changes: boolean }) {
  const store = useStore();
  const t = useWords();
  const used = usedSequences(track);
  const names: [string, string][] = Object.entries(ORDERS).map(([name, [label]]) => [name, label]);
  if (changes) names.push(["change", "orderChange"]);
  const chooseText = (sequence: number): void => {
    if (state.moment) store.set({ sequence, ...chosenFrom(track, firstHead(state.moment, sequence)) });
  };
  return (
    <div class="controls">
      {used.length > 1 && (
        <Pick id="sequence" label={t("sequence")} value={state.sequence}
          options={used.map((one) => [one, t(track.sequences[one].name)])} choose={(one) => chooseText(Number(one))} />
      )}
      <Pick id="order" label={t("order")} value={order}
        options={names.map(([name, label]) => [name, t(label)])} choose={(name) => store.set({ order: name })} />
    </div>
  );
}

// What a reader may expect of the pictures: which heads open in full, and which were not kept.
function coverage(t: Translate, { track, moment, sequence, index }: State, shown: Head[]): string {
  if (!track || !moment || !shown.length) return "";
  const some = shown.filter((head) => head.detailed).length;
  const all = shown.length;
  const known = index.tracks.find((one) => one.id === track.id);
  const missing = track.entries.filter((entry) => entry.keys === sequence).length - all;
  const lost = missing > 0 ? t("space") + t("coverageLost", { n: missing }) : "";
  const kind = some === all ? "coverageAll" : some ? "coverage" : "coverageNone";
  return t(some < all && known && known.steps.length > 1 ? kind + "Step" : kind, { some, all }) + lost;
}
