// What travels between the feed's page and `zhuyi serve --feed`, as src/zhuyi/ui/feed writes it.
import type { Lang, Rule, Told } from "../steering/types";

export type { Lang, Rule, Told };
export type Entry = [title: string, ...genres: string[]];

export interface DeskInfo {
  schema: string;
  title: string;
  missing: string | null; // why there is no feed, and how to get one
  films: Entry[];
  genres: string[];
  people: { name: string; history: number[] }[];
  popular: number[];
  about: Record<string, string | number>;
  length: number; // films of a history that are read
  notes: Told[];
  limit: { rules: number };
}

export interface Reason {
  film: number;
  log_odds: number;
  place_without: number;
}

export interface Offer {
  film: number;
  share: number;
  place: number;
  place_before: number;
  place_without: Record<string, number | null>;
  reasons: Reason[];
}

export interface Ruled {
  id: string;
  seen: number;
  shown: number;
  titles: string[];
  moved: number;
  among_before: number;
  among: number;
  dose: number | null;
  clamped: boolean;
}

export interface Answer {
  turn: number;
  personal: boolean;
  offers: Offer[];
  gone: { film: number; place_before: number; place: number | null }[];
  seen: { film: number; before: number; after: number; rules: string[] }[];
  rules: Ruled[];
  told: Told[];
  yaml: string;
  python: string;
  took_ms: number;
}

export interface Compared {
  id: string;
  measure: "among" | "moved";
  without: number;
  own: number;
  mean: number | null;
  draws: number;
}

export interface Control {
  turn: number;
  rules: Compared[];
}

export interface Certificate {
  id: string;
  asked: string;
  level: string;
  kept: boolean;
  claim: Told;
}

export interface Believed {
  turn: number;
  film?: number;
  verdict: { level: string; reasons: Told[] } | null;
  untested?: Told;
  certificate: Certificate[];
}
