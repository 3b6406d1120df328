// The small parts that several views have: a box to check, a choice, buttons of which one is pressed.
import { type RefObject } from "preact";
import { useEffect, useReducer } from "preact/hooks";

interface CheckProps {
  id: string;
  label: string;
  on: boolean;
  change: (on: boolean) => void;
  hidden?: boolean;
  disabled?: boolean;
}

export function Check({ id, label, on, change, hidden, disabled }: CheckProps) {
  return (
    <label class="check" id={`${id}-box`} hidden={hidden}>
      <input type="checkbox" id={id} checked={on} disabled={disabled}
        onChange={(event) => change(event.currentTarget.checked)} />{" "}
      <span>{label}</span>
    </label>
  );
}

interface PickProps {
  id: string;
  label: string;
  value: string | number;
  options: [value: string | number, text: string][];
  choose: (value: string) => void;
}

export function Pick({ id, label, value, options, choose }: PickProps) {
  return (
    <label class="pick" id={`${id}-box`}>
      {label}{" "}
      <select id={id} value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map(([one, text]) => <option key={one} value={one}>{text}</option>)}
      </select>
    </label>
  );
}

interface SegmentsProps<Name extends string> {
  id?: string;
  kind: string; // the buttons carry data-KIND
  label: string;
  names: readonly Name[];
  shown: Name;
  text: (name: Name) => string;
  able?: (name: Name) => boolean;
  choose: (name: Name) => void;
}

export function Segments<Name extends string>(props: SegmentsProps<Name>) {
  const { id, kind, label, names, shown, text, able, choose } = props;
  return (
    <div class="segments" id={id} role="group" aria-label={label}>
      {names.map((one) => (
        <button key={one} type="button" {...{ [`data-${kind}`]: one }} aria-pressed={one === shown}
          disabled={able && !able(one)} onClick={() => choose(one)}>{text(one)}</button>
      ))}
    </div>
  );
}

// Draws the component again.
export const useAgain = (): (() => void) => useReducer((n: number) => n + 1, 0)[1] as () => void;

// What to do whenever the element has another size.
export function useResize(frame: RefObject<Element | null>, action: () => void, ...when: unknown[]): void {
  useEffect(() => {
    const watch = new ResizeObserver(action);
    if (frame.current) watch.observe(frame.current);
    return () => watch.disconnect();
  }, when);
}
