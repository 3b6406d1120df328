// Words and numbers as a person reads them.
import type { Track } from "./types";

export function number(value: number, digits = 3): string {
  if (value === -Infinity) return "−∞";
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-4 || size >= 1e6 ? value.toExponential(1)
    : size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

export const weightText = (weight: number): string => (weight >= 0.0005 ? weight.toFixed(3) : number(weight, 2));

// Line ends and other invisible marks become visible, or a token would look like nothing.
export function visible(label: string): string {
  if (label === "") return "∅";
  return label.replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/^ +| +$/g, (s) => "␣".repeat(s.length))
    .replace(/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, "·");
}

export const shorten = (label: string, length: number): string =>
  (label.length > length ? label.slice(0, length - 1) + "…" : label);

export const labelOf = (track: Track, sequence: number, position: number): string =>
  visible(track.sequences[sequence]?.labels[position] ?? "?");

export const isSpecial = (track: Track, sequence: number, position: number): boolean =>
  Boolean(track.sequences[sequence]?.special[position]);

// Statistics that are shares of all weight; the others count tokens.
export const SHARES = new Set(["peak", "max", "first", "special", "self", "previous", "next"]);
