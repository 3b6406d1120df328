// A text, each word under two columns: how much it counted without rules (hollow) and now (filled).
import { visible } from "../../format";
import { largest, type Mark, markOf, pieceLabel } from "../marks";
import { useShown, useStore } from "../store";
import type { Piece } from "../types";
import type { Say } from "../words";

const MANY = 120; // words above which columns are low
const SEEN = 0.03; // share of the largest below which what speaks against needs no room of its own

interface WordsProps {
  text: string;
  pieces: readonly Piece[];
}

export function Words({ text, pieces }: WordsProps) {
  const store = useStore();
  const state = useShown();
  const most = largest(pieces);
  const drawn: preact.ComponentChild[] = [];
  const characters = [...text]; // as Python counts them
  let place = 0;
  pieces.forEach((piece, i) => {
    const { start = place, end = place } = piece;
    if (start > place) drawn.push(unseen(characters.slice(place, start).join("")));
    const own = start >= place && end > start ? characters.slice(start, end).join("") : piece.name;
    drawn.push(<Word key={i} index={i} piece={piece} text={own} most={most} open={state.open === i}
      mark={markOf(store.say, state, piece)} say={store.say} />);
    place = Math.max(place, end);
  });
  drawn.push(unseen(characters.slice(place).join("")));
  const against = pieces.some((one) => !one.special && Math.min(one.before, one.after) < -SEEN * most);
  const names = ["words", pieces.length > MANY && "many", against && "signed"].filter(Boolean).join(" ");
  return <div class={names}>{drawn}</div>;
}

// Between words spaces and line ends stay what they are; marks that turn writing around do not.
const unseen = (gap: string): string => gap.replace(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "·");

interface WordProps {
  index: number;
  piece: Piece;
  text: string;
  most: number;
  open: boolean;
  mark: Mark;
  say: Say;
}

function Word({ index, piece, text, most, open, mark: { tag, veto }, say }: WordProps) {
  const height = (value: number): string => Math.min(1, Math.abs(value) / most).toFixed(3);
  const names = ["word", piece.special && "special", veto && "vetoed", tag && "ruled", open && "open"]
    .filter(Boolean).join(" ");
  const trimmed = text.trim() || text;
  const before = text.slice(0, text.indexOf(trimmed));
  const behind = text.slice(before.length + trimmed.length);
  return (
    <>
      {before}
      <span class={names} data-i={index} role="button" tabIndex={index ? -1 : 0} aria-haspopup="dialog"
        aria-label={pieceLabel(say, piece, tag)} aria-expanded={open}
        style={{ "--now": height(piece.after), "--was": height(piece.before) }}>
        <span class="columns" aria-hidden="true">
          {piece.before !== piece.after && <i class={piece.before < 0 ? "was against" : "was"} />}
          <i class={piece.after < 0 ? "now against" : "now"} />
        </span>
        <span class="own">{visible(trimmed)}</span>
        {tag && <small class="tag" aria-hidden="true">{tag}</small>}
      </span>
      {behind}
    </>
  );
}
