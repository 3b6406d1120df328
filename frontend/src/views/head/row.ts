// The chosen query's (or key's) weights, for whoever draws them: the strip, an image.
import { useShown, useStore } from "../../store";
import type { Store } from "../../store";
import type { HeadOperator } from "../../operator";
import { shownHead, useShownHead } from "./shown";

interface Known { operator: HeadOperator; place: string; weights: Float32Array }
const known = new WeakMap<Store, Known>();

// Per key what the chosen query gives it; with the direction "column", per query what it gives to the
// chosen key. null where the head has no details at this step.
export function rowWeights(store: Store): Float32Array | null {
  const { operator } = shownHead(store).now;
  if (!operator) return null;
  const { direction, query, key } = store.state;
  const place = `${direction} ${direction === "row" ? query : key}`;
  const last = known.get(store);
  if (last?.operator === operator && last.place === place) return last.weights;
  const weights = direction === "row" ? operator.weightRow(query) : operator.weightColumn(key);
  known.set(store, { operator, place, weights });
  return weights;
}

// The same, drawn again when it changes.
export function useRowWeights(): Float32Array | null {
  useShownHead();
  useShown("direction", "query", "key");
  return rowWeights(useStore());
}
