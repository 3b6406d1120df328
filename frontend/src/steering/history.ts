// Steps back and forth. A drag of a slider is one step, however many places it passed.
const DEEPEST = 200;

export interface History<Value> {
  past: Value[];
  now: Value;
  future: Value[];
  gesture: string; // what the last step was part of; "" for a whole one
}

export const startWith = <Value>(now: Value): History<Value> => ({ past: [], now, future: [], gesture: "" });

export function put<Value>(history: History<Value>, now: Value, gesture = ""): History<Value> {
  const goesOn = gesture !== "" && gesture === history.gesture;
  const past = goesOn ? history.past : [...history.past, history.now].slice(-DEEPEST);
  return { past, now, future: [], gesture };
}

// The next change is a new step.
export const settle = <Value>(history: History<Value>): History<Value> => ({ ...history, gesture: "" });

export function undo<Value>({ past, now, future }: History<Value>): History<Value> {
  if (!past.length) return { past, now, future, gesture: "" };
  return { past: past.slice(0, -1), now: past[past.length - 1], future: [now, ...future], gesture: "" };
}

export function redo<Value>({ past, now, future }: History<Value>): History<Value> {
  if (!future.length) return { past, now, future, gesture: "" };
  return { past: [...past, now], now: future[0], future: future.slice(1), gesture: "" };
}
