// Rules as a person changes them: one about a word, with a weight, or a veto.
import type { Rule } from "./types";

export const ACTIONS = ["boost", "damp", "veto", "share", "link"] as const;
export type Action = (typeof ACTIONS)[number];
export const MOST = 20; // and a twentieth: beyond it a weight is clamped

export const actionOf = (rule: Rule): Action => ACTIONS.find((one) => one in rule) ?? "boost";
export const weightOf = (rule: Rule): number =>
  (actionOf(rule) === "veto" ? 0 : typeof rule.weight === "number" ? rule.weight : 1);
export const idOf = (rule: Rule): string => String(rule.id ?? "");
export const whyOf = (rule: Rule): string => String(rule.why ?? "");

// Whether a slider may change it: of the others more than a weight would be lost.
export const weighed = (rule: Rule): boolean => ["boost", "damp", "veto"].includes(actionOf(rule));

// Equal whatever the order of keys.
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

// The rule that a word's own slider moves: about nothing else, everywhere, always.
const PLAIN = new Set(["id", "why", "weight", "boost", "damp", "veto", "guarantee", "beyond"]);
export const plainlyAbout = (rule: Rule, select: unknown): boolean =>
  weighed(rule) && same(rule[actionOf(rule)], select) && Object.keys(rule).every((key) => PLAIN.has(key));

// The same rule with another weight; 0 is a veto.
export function withWeight(rule: Rule, weight: number): Rule {
  const was = actionOf(rule);
  const { [was]: select, weight: _, guarantee, ...rest } = rule;
  if (weight === 0) return { ...rest, veto: select, ...(was === "veto" && guarantee ? { guarantee } : {}) };
  return { ...rest, [weight < 1 ? "damp" : "boost"]: select, weight };
}

// A name that no other rule has.
export function freeName(name: string, taken: readonly string[]): string {
  const start = name.trim().slice(0, 60) || "rule";
  let free = start;
  for (let i = 2; taken.includes(free); i++) free = `${start} ${i}`;
  return free;
}

// Slider: the logarithm of the weight, in sixty steps either way, so that each has a short number of its own.
export const STEPS = 60;
const EDGE = Math.log(MOST);
export const stepOf = (weight: number): number =>
  Math.round(Math.min(Math.max(Math.log(weight) / EDGE, -1), 1) * STEPS);

export function weightAt(step: number): number {
  const short = Number(Math.exp(Math.abs(step) / STEPS * EDGE).toPrecision(3));
  return step < 0 ? Number((1 / short).toPrecision(4)) : short;
}

// × 4, ÷ 4.
export function weightText(weight: number): string {
  const times = weight < 1 ? 1 / weight : weight;
  const text = times >= 100 ? times.toExponential(0) : String(Number(times.toPrecision(3)));
  return `${weight < 1 ? "÷" : "×"} ${text}`;
}
