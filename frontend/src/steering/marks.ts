// What a piece of the input shows: how much it counted, then and now, and the rules it is under.
import { number } from "../format";
import { percent, plain } from "./numbers";
import { actionOf, idOf, weighed, weightOf, weightText } from "./rule";
import { type Kept, ruleOf, rulesOf, type State } from "./store";
import type { Piece, Rule } from "./types";
import type { Say } from "./words";

export function actionText(say: Say, rule: Rule): string {
  const action = actionOf(rule);
  if (action === "veto") return say("neverSaid");
  if (action === "share") return say("shareSaid", { n: percent(Number(rule.at_least)) });
  const weight = weightText(weightOf(rule));
  return action === "link" ? say("linkSaid", { weight }) : weight;
}

export interface Mark {
  own: Kept | undefined; // the rule that the piece's slider moves
  others: Kept[];
  tag: string;
  veto: boolean;
}

export function markOf(say: Say, state: State, piece: Piece): Mark {
  const own = ruleOf(state, piece);
  const others = rulesOf(state).filter((one) => one !== own && piece.rules.includes(idOf(one.rule)));
  const active = [own, ...others].filter((one): one is Kept => Boolean(one?.on) && !state.off);
  const single = active.find((one) => weighed(one.rule));
  const veto = active.some((one) => actionOf(one.rule) === "veto");
  const tag = veto ? say("neverSaid") : single ? actionText(say, single.rule) : active.length ? "•" : "";
  return { own, others, tag, veto };
}

export const amount = (piece: Piece, value: number): string => (piece.signed ? number(value, 3) : percent(value));

export function pieceLabel(say: Say, piece: Piece, tag: string): string {
  const name = [plain(piece.name), piece.text].filter(Boolean).join(" ");
  const both = piece.before !== piece.after;
  const what = say(both ? "pieceBoth" : "pieceNow",
    { name, now: amount(piece, piece.after), before: amount(piece, piece.before) });
  return tag ? say("pieceRule", { what, rule: tag }) : what;
}

// The largest amount, of what is no special token: those often take most and mean nothing.
export function largest(pieces: readonly Piece[]): number {
  const meant = pieces.filter((one) => !one.special);
  return Math.max(1e-9, ...(meant.length ? meant : pieces).flatMap((one) => [Math.abs(one.before), Math.abs(one.after)]));
}
