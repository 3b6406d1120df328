// Two steps, or two runs: what was decided, which heads changed and how, what counted more or less.
import { useMemo } from "preact/hooks";
import { shownHeads } from "../choosing";
import { type State, useShown, useStore } from "../store";
import { percent, type Translate, useWords } from "../strings";
import type { Moment, Track, TrackIndex } from "../types";
import { Pick } from "./controls";
import { placeName } from "./grid/change";
import { type Difference, differenceOf, sameUnits } from "./grid/difference";
import { ChangedValues, DifferenceGrid, MostChanged } from "./grid/Differences";
import { grouped, stepName } from "./grid/heads";
import { Numbers } from "./grid/Numbers";
import { nearest } from "./grid/playing";

export function Compare() {
  const state = useShown("track", "moment", "otherTrack", "otherMoment", "other", "index", "sequence", "entry");
  const { track, moment, otherTrack, otherMoment, other } = state;
  const t = useWords();
  if (!track || !moment) return null;
  const itself = other && other.track === moment.track && other.step === moment.step;
  return (
    <section id="compare" aria-labelledby="compare-title">
      <div class="heading">
        <h2 id="compare-title">{t("compareTitle")}</h2>
      </div>
      <Against track={track} moment={moment} state={state} />
      {!other ? (
        <p class="caption">{t("compareCaption")}</p>
      ) : itself ? (
        <p class="note" id="compare-none">
          {t("compareItself")}
        </p>
      ) : !otherTrack || !otherMoment ? (
        <p class="note" aria-live="polite">
          {t("stepWaiting")}
        </p>
      ) : (
        <Body state={state} track={track} moment={moment} otherTrack={otherTrack} otherMoment={otherMoment} />
      )}
    </section>
  );
}

function Against({ track, moment, state }: { track: Track; moment: Moment; state: State }) {
  const store = useStore();
  const t = useWords();
  const { index, other } = state;
  const here = index.tracks.find((one) => one.id === track.id);
  const able = index.tracks.filter((one) => one.steps.length > (one === here ? 1 : 0));
  const chosen = index.tracks.find((one) => one.id === other?.track);
  const first = here?.steps[0];
  const choose = (one: TrackIndex | undefined): void => {
    if (!one) {
      store.set({ other: null });
      return;
    }
    const step = one === here ? one.steps[0] : one.steps[nearest(one.steps, moment.step)];
    store.set({ other: { track: one.id, step } });
  };
  const name = (one: TrackIndex): string =>
    one === here ? t("compareHere") : [one.run, one.name].filter(Boolean).join(" · ") || t("runNameless");
  return (
    <div class="controls against">
      <Pick id="other-track" label={t("compareWith")} value={chosen ? able.indexOf(chosen) : -1}
        options={[[-1, t("compareNothing")], ...able.map((one, i): [number, string] => [i, name(one)])]}
        choose={(i) => choose(able[Number(i)])} />
      {chosen && chosen.steps.length > 1 && other && (
        <label class="grow">
          {stepName(t, other.step)}{" "}
          <input
            type="range"
            id="other-step"
            min={0}
            max={chosen.steps.length - 1}
            step={1}
            value={nearest(chosen.steps, other.step)}
            aria-label={t("compareWith")}
            aria-valuetext={stepName(t, other.step)}
            onInput={(event) =>
              store.set({ other: { track: chosen.id, step: chosen.steps[Number(event.currentTarget.value)] } })
            }
          />
        </label>
      )}
      {first !== undefined && here && here.steps.length > 1 && (other?.track !== track.id || other.step !== first) && (
        <button
          type="button"
          id="first"
          class="quiet"
          onClick={() => store.set({ other: { track: track.id, step: first } })}
        >
          {t("compareFirst", { step: grouped(first) })}
        </button>
      )}
      {other && (
        <button type="button" id="alone" class="quiet" onClick={() => store.set({ other: null })}>
          {t("compareStop")}
        </button>
      )}
    </div>
  );
}

interface Both {
  state: State;
  track: Track;
  moment: Moment;
  otherTrack: Track;
  otherMoment: Moment;
}

function Body({ state, track, moment, otherTrack, otherMoment }: Both) {
  const t = useWords();
  const shown = useMemo(() => shownHeads(moment, state.sequence), [moment, state.sequence]);
  const found = useMemo(
    () => differenceOf(track, moment, otherTrack, otherMoment, shown),
    [track, moment, otherTrack, otherMoment, shown],
  );
  const then = placeName(t, state.index, { track: otherMoment.track, step: otherMoment.step }, track.id);
  const elsewhere = otherTrack.id !== track.id;
  const now = placeName(t, state.index, { track: moment.track, step: moment.step }, elsewhere ? "" : track.id);
  return (
    <>
      <p class="caption" id="compare-caption">
        {t("compareSaid", { now, then })}
      </p>
      <Decisions
        rows={[
          [now, moment],
          [then, otherMoment],
        ]}
      />
      <ul id="compare-limits" class="note">
        {limits(t, found, track, moment, otherTrack, otherMoment).map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      <div class={found.pictures.size ? "pair" : "single"}>
        <div class="side">
          <DifferenceGrid found={found} state={state} now={now} then={then} />
        </div>
        <div class="side">
          <MostChanged found={found} />
          <ChangedValues found={found} track={track} now={now} then={then} />
        </div>
      </div>
    </>
  );
}

function Decisions({ rows }: { rows: [string, Moment][] }) {
  const t = useWords();
  return (
    <div class="scroll">
      <Numbers
        id="decisions"
        head={["", t("decidedColumn"), t("verdictColumn"), t("method")]}
        rows={rows.map(([name, one]) => [
          name,
          (one.decision || "–") + (one.probability === null ? "" : ` · ${percent(t, one.probability)}`),
          t(one.verdict ? "verdict." + one.verdict.label : "unverified"),
          one.method || "–",
        ])}
      />
    </div>
  );
}

// Everything that must not be compared, said before somebody does.
function limits(
  t: Translate,
  found: Difference,
  track: Track,
  moment: Moment,
  otherTrack: Track,
  other: Moment,
): string[] {
  const said: string[] = [];
  const all = found.pairs.length + found.missing;
  if (track.model !== otherTrack.model) said.push(t("limitModel", { now: track.model, then: otherTrack.model }));
  if (found.missing) said.push(t("limitHeads", { n: found.missing, all }));
  if (!found.texts) said.push(t("limitTexts"));
  else if (found.pictures.size < found.pairs.length)
    said.push(t("limitPictures", { n: found.pairs.length - found.pictures.size }));
  if (moment.values.length && other.values.length && !found.values) {
    said.push(
      sameUnits(track, otherTrack) && moment.values.length === other.values.length
        ? t("limitMethod", { now: moment.method, then: other.method })
        : t("limitUnits"),
    );
  }
  return said;
}
