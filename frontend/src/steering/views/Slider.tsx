// How much something counts: a twentieth to twenty times, the middle is neutral.
import { STEPS, stepOf, weightAt, weightText } from "../rule";
import { useStore } from "../store";

interface SliderProps {
  label: string;
  weight: number; // 0: never
  put: (weight: number) => void;
}

export function Slider({ label, weight, put }: SliderProps) {
  const store = useStore();
  const text = weight === 0 ? store.say("neverOf")
    : weight === 1 ? store.say("weightOne") : store.say("weightIs", { weight: weightText(weight) });
  return (
    <div class="slider">
      <input type="range" min={-STEPS} max={STEPS} step={1} value={weight === 0 ? -STEPS : stepOf(weight)}
        aria-label={label} aria-valuetext={text}
        onInput={(event) => put(weightAt(Number(event.currentTarget.value)))}
        onPointerUp={() => store.settle()} onBlur={() => store.settle()} />
      <div class="scale" aria-hidden="true">
        <span>{store.say("less")} ÷ 20</span>
        <span>{store.say("neutral")}</span>
        <span>{store.say("more")} × 20</span>
      </div>
      <p class="weight-said">{text}</p>
    </div>
  );
}
