// What travels between the panel and `zhuyi serve`, as src/zhuyi/ui/steering writes it.
import type { Said } from "../types";

export type Lang = "en" | "zh";
export type Told = Said | string;

// One entry of `rules:` of a YAML file (steer/rules.schema.json).
export type Rule = Record<string, unknown> & { id?: string };
export type Value = string | number | null;
export type Input = { text: string } | { record: Record<string, Value> } | { series: number };

export interface Column {
  name: string;
  kind: "number" | "category" | "date" | "text";
  low?: number;
  high?: number;
  step?: number;
  values?: Value[];
}

export interface DeskInfo {
  schema: string;
  kind: "text" | "table" | "series";
  model: string;
  labels: string[]; // [] where there are too many to list
  many: boolean; // each label is a question of its own: shares do not sum to 1
  measure: { kind: "attention" | "contribution"; unit: string; said: Told };
  title: string;
  examples: { name: string; input: Input }[];
  columns?: Column[];
  rules: Rule[];
  notes: Told[];
  limit: { characters: number; rules: number };
}

export interface Decision {
  shares: number[]; // [] of a number
  value?: number;
  unit?: string;
  index: number;
  label: string;
  lines?: Told[];
}

export interface Piece {
  name: string;
  text?: string;
  start?: number; // characters of the text
  end?: number;
  special: boolean;
  before: number;
  after: number;
  signed?: boolean;
  select?: unknown; // this piece alone; none where no rule can mean it
  everywhere?: unknown; // all that read like it, where there are several
  rules: string[];
}

export interface Ruled {
  id: string;
  matched: number;
  shown: string[];
  effect: number; // on the target: all rules against all but this
  effects: number[]; // the same on every label of the answer
  dose: number | null;
  clamped: boolean;
}

export interface Answer {
  turn: number;
  target: number; // which label pieces and effects are about
  labels: string[];
  before: Decision;
  after: Decision;
  pieces: Piece[];
  rules: Ruled[];
  told: Told[];
  yaml: string;
  python: string;
  took_ms: number;
}

export interface Control {
  turn: number;
  target: number | null; // null where labels are too many to list
  rules: { id: string; own: number; mean: number | null; as_large: number | null; draws: number }[];
  whole: { own: number; draws: number[] };
}

export interface Certificate {
  id: string;
  asked: string;
  level: string;
  kept: boolean;
  claim: Told;
  items: { name: string; state: string; said: Told }[];
  leaks: { source: string; auc: number | null; low: number | null; high: number | null; said: Told }[];
  offered: string | null;
}

export interface Believed {
  turn: number;
  verdict: { level: string; reasons: Told[] } | null;
  untested?: Told; // why there is none
  certificate: Certificate[];
}
