// The factors of a record, each with two bars: how much it counted without rules (hollow) and now (filled).
import { amount, largest, type Mark, markOf, pieceLabel } from "../marks";
import { plain } from "../numbers";
import { useShown, useStore } from "../store";
import type { Piece } from "../types";
import type { Say } from "../words";

interface FactorsProps {
  pieces: readonly Piece[];
  order: readonly number[];
}

export function Factors({ pieces, order }: FactorsProps) {
  const store = useStore();
  const state = useShown();
  const most = largest(pieces);
  const signed = pieces.some((one) => one.signed);
  return (
    <div class={signed ? "factors signed" : "factors"}>
      {order.map((i, row) => (
        <Factor key={i} index={i} first={row === 0} piece={pieces[i]} most={most} open={state.open === i}
          mark={markOf(store.say, state, pieces[i])} say={store.say} />
      ))}
    </div>
  );
}

interface FactorProps {
  index: number;
  first: boolean;
  piece: Piece;
  most: number;
  open: boolean;
  mark: Mark;
  say: Say;
}

function Factor({ index, first, piece, most, open, mark: { tag, veto }, say }: FactorProps) {
  const length = (value: number): string => Math.min(1, Math.abs(value) / most).toFixed(3);
  const names = ["factor", veto && "vetoed", tag && "ruled", open && "open"].filter(Boolean).join(" ");
  const changed = piece.before !== piece.after;
  return (
    <div class={names} data-i={index} role="button" tabIndex={first ? 0 : -1} aria-haspopup="dialog"
      aria-expanded={open} aria-label={pieceLabel(say, piece, tag)}>
      <span class="own"><b>{plain(piece.name)}</b> <span>{piece.text}</span></span>
      <span class="tag">{tag}</span>
      <span class="track" aria-hidden="true" style={{ "--now": length(piece.after), "--was": length(piece.before) }}>
        <i class={piece.after < 0 ? "now against" : "now"} />
        {changed && <i class={piece.before < 0 ? "was against" : "was"} />}
      </span>
      <span class="amount">{amount(piece, piece.after)}</span>
    </div>
  );
}
