// Shares, points and values as a person reads them.
import { number, visible } from "../format";
import type { Decision, Ruled } from "./types";
import type { Say } from "./words";

export interface Amounts {
  shares: number[] | null; // null of a number
  value: number;
  unit: string;
}

export function amountsOf({ shares, value, unit = "" }: Decision): Amounts {
  return value === undefined ? { shares, value: 0, unit } : { shares: null, value, unit };
}

// One place behind the point, so that numbers in a column stand still; small ones are not nothing.
export function percent(share: number): string {
  const n = share * 100;
  if (n > 0 && n < 0.05) return "< 0.1 %";
  if (n < 100 && n > 99.95) return "> 99.9 %";
  return `${n.toFixed(1).replace("-", "−")} %`;
}

export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? "±0" : (value < 0 ? "−" : "+") + text;
}

export const signedNumber = (value: number): string => (value > 0 ? "+" : "") + number(value, 3);

// A change of the decision: in points of a percentage, or in the unit of a number.
export function change(say: Say, by: number, decision: Decision): string {
  const { shares, unit } = amountsOf(decision);
  return shares ? say("points", { n: signed(by * 100, 1) }) : `${signedNumber(by)}${unit && ` ${unit}`}`;
}

// How far, not which way.
export function extent(say: Say, by: number, decision: Decision): string {
  const { shares, unit } = amountsOf(decision);
  return shares ? say("points", { n: (by * 100).toFixed(1) }) : `${number(by, 3)}${unit && ` ${unit}`}`;
}

// The label on which a rule does most.
export const mostMoved = ({ effects }: Ruled): number =>
  effects.reduce((best, effect, i) => (Math.abs(effect) > Math.abs(effects[best]) ? i : best), 0);

// Two numbers with as many places as tell them apart, and no more than the larger one deserves.
export function apart(value: number, other: number): string {
  const by = Math.abs(value - other);
  const size = Math.max(Math.abs(value), Math.abs(other));
  if (by < size * 1e-7 || size >= 1e6 || size < 1e-4) return number(value, 4);
  const places = Math.max(1 - Math.floor(Math.log10(by)), 3 - Math.floor(Math.log10(size)), 0);
  return value.toFixed(Math.min(places, 7)).replace("-", "−");
}

export const valueText = (decision: Decision, other: Decision): string => {
  const { value, unit } = amountsOf(decision);
  return `${apart(value, other.value ?? 0)}${unit && ` ${unit}`}`;
};

// A name without what stands around it, and with what cannot be seen.
export const plain = (name: string): string => visible(name.trim() || name);
