// Orders of heads, and the ones that stand out.
import { number, SHARES } from "../../format";
import { percent, type Translate } from "../../strings";
import type { Entry, Head } from "../../types";

const STANDING = 3; // robust deviations from the median head

export const headName = (t: Translate, { layer, head }: Entry): string => t("layerHead", { layer, head });
export const grouped = (n: number): string => n.toLocaleString("en");
export const stepName = (t: Translate, step: number): string => t("stepNamed", { step: grouped(step) });

type Order = [label: string, compare: (a: Head, b: Head) => number];
const stat = (head: Head, name: string): number => head.stats[name] ?? -1;
const most =
  (name: string) =>
  (a: Head, b: Head): number =>
    stat(b, name) - stat(a, name);

export const ORDERS: Record<string, Order> = {
  layer: ["orderLayer", (a, b) => a.entry.layer - b.entry.layer || a.entry.head - b.entry.head],
  standing: ["orderStanding", (a, b) => b.standing - a.standing],
  reach: ["orderReach", (a, b) => stat(a, "reach") - stat(b, "reach")],
  distance: ["orderDistance", most("distance")],
  first: ["orderFirst", most("first")],
  peak: ["orderPeak", most("peak")],
};

const rank = (shown: Head[]): Head[] => shown.filter((head) => head.standing >= STANDING).sort(ORDERS.standing[1]);

// Five heads with the same habit tell less than five habits.
export function onePerHabit(shown: Head[]): Head[] {
  const seen = new Set<string>();
  return rank(shown)
    .filter((head) => !seen.has(head.reason) && seen.add(head.reason))
    .slice(0, 6);
}

// About a tenth of the heads: a mark on every second one marks none.
export const standingOut = (shown: Head[]): Set<Head> =>
  new Set([...rank(shown).slice(0, shown.length / 10), ...onePerHabit(shown)]);

export const statText = (t: Translate, name: string, value: number): string =>
  SHARES.has(name) ? percent(t, value) : number(value, 3);

export function reasonText(t: Translate, head: Head): string {
  const name = head.reason.slice(1);
  const value = head.stats[name];
  if (value === undefined) return "";
  return t(
    (head.reason[0] === "+" ? "high." : "low.") + name,
    SHARES.has(name) ? { p: percent(t, value) } : { n: number(value, 2) },
  );
}
