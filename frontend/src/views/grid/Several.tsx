// The chosen head over the steps, as small pictures that lead there.
import { useEffect, useState } from "preact/hooks";
import { trackIndex } from "../../loading";
import { type Store, useShown, useStore } from "../../store";
import { useWords } from "../../strings";
import type { Moment, Track } from "../../types";
import { useDark } from "./dark";
import { grouped, headName, stepName } from "./heads";
import { Thumb } from "./Pictures";

const MOST = 12;

// Evenly spread, and the same ones again when a few more steps come in.
export function spread(steps: readonly number[]): number[] {
  let stride = 1;
  while (Math.ceil(steps.length / stride) > MOST - 1) stride *= 2;
  const chosen = steps.length <= MOST ? [...steps] : steps.filter((_, i) => i % stride === 0);
  const last = steps[steps.length - 1];
  if (chosen[chosen.length - 1] !== last) chosen.push(last);
  return chosen;
}

// The moments of these steps, one after the other, so that the slider never waits for them.
function useMoments(store: Store, track: Track | null, steps: readonly number[], ready: boolean): Map<number, Moment> {
  const [found, setFound] = useState<{ track: Track | null; moments: Map<number, Moment> }>({
    track,
    moments: new Map(),
  });
  const wanted = steps.join();
  useEffect(() => {
    if (!track || !ready) return;
    let live = true;
    const moments = new Map(
      [...(found.track === track ? found.moments : [])].filter(([step]) => steps.includes(step)),
    );
    const load = async (): Promise<void> => {
      for (const step of steps) {
        if (moments.has(step)) continue;
        // A step that is gone leaves a gap; whoever goes there is told why.
        const moment = await store.source.moment(track, step).catch(() => null);
        if (!live) return;
        if (moment) moments.set(step, moment);
        setFound({ track, moments: new Map(moments) });
      }
    };
    void load();
    return () => {
      live = false;
    };
  }, [track, wanted, ready]);
  return found.track === track ? found.moments : new Map();
}

export function Several() {
  const store = useStore();
  const { track, moment, entry, index } = useShown("track", "moment", "entry", "index");
  const t = useWords();
  const dark = useDark();
  const all = (track && trackIndex(store, track.id)?.steps) ?? [];
  const steps = spread(all);
  const moments = useMoments(store, track, steps, all.length > 1 && moment !== null);
  const chosen = track?.entries[entry];
  if (!track || !moment || !chosen || all.length < 2 || !index.tracks.length) return null;
  const [rows, cols] = chosen.thumbnail;
  const name = headName(t, chosen);
  return (
    <>
      <h3 id="several-title">{t("severalTitle", { name })}</h3>
      <div id="several" class="several" role="group" aria-labelledby="several-title">
        {steps.map((step) => {
          const picture = moments.get(step)?.heads[entry]?.picture;
          return (
            <button
              type="button"
              key={step}
              class="one"
              data-step={step}
              aria-current={step === moment.step ? "step" : undefined}
              aria-label={stepName(t, step)}
              onClick={() => store.set({ place: { track: track.id, step } })}
            >
              <Thumb drawn={picture ? { codes: picture, rows, cols } : null} dark={dark} />
              <span class="tag">{grouped(step)}</span>
            </button>
          );
        })}
      </div>
    </>
  );
}
