// Going through the steps by itself.
import { useEffect, useState } from "preact/hooks";
import { type Store, useShown } from "../../store";

const FRAME = 320; // milliseconds a step
const CALM = 1200; // for readers who asked their system for less motion
const FRAMES = 80; // a long training is shown in strides

export interface Playing {
  on: boolean;
  toggle: () => void;
  stop: () => void;
}

export function usePlaying(store: Store, steps: readonly number[]): Playing {
  const [on, setOn] = useState(false);
  const { place, moment } = useShown("place", "moment");
  const at = nearest(steps, place.step);
  // The next step is asked for only when the last one is there.
  const waiting = moment?.track !== place.track || moment.step !== place.step;
  useEffect(() => {
    if (!on || waiting) return;
    if (at >= steps.length - 1) {
      setOn(false);
      return;
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const stride = calm ? 1 : Math.ceil(steps.length / FRAMES);
    const timer = setTimeout(
      () => {
        if (document.hidden) {
          setOn(false);
          return;
        }
        store.set({ place: { track: place.track, step: steps[Math.min(at + stride, steps.length - 1)] } });
      },
      calm ? CALM : FRAME,
    );
    return () => clearTimeout(timer);
  }, [on, waiting, at, steps.length]);
  useEffect(() => setOn(false), [place.track]);
  return {
    on,
    stop: () => setOn(false),
    toggle: () => {
      if (!on && at >= steps.length - 1) store.set({ place: { track: place.track, step: steps[0] } });
      setOn(!on);
    },
  };
}

export function nearest(steps: ArrayLike<number>, step: number): number {
  let best = -1;
  for (let i = 0; i < steps.length; i++) {
    if (best < 0 || Math.abs(steps[i] - step) < Math.abs(steps[best] - step)) best = i;
  }
  return best;
}
