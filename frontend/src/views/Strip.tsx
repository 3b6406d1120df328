// The tokens of the text with what the chosen one looks at, or who looks at it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isSpecial, labelOf, weightText } from "../format";
import { stepOf, within } from "../hands";
import { type State, type Store, useShown, useStore } from "../store";
import { percent, useWords } from "../strings";
import { Segments, useResize } from "./controls";
import { LINE, Lines, type Piece } from "./head/layout";
import { rowWeights, useRowWeights } from "./head/row";
import { type Shown, useShownHead } from "./head/shown";
import { Track } from "./head/Track";

// What the strip shows: per token of one sequence a share of weight.
interface Row { values: Float32Array; sequence: number; top: number; asks: number; cursor: number; full: boolean }

function rowOf(store: Store, { entry, head }: Shown, state: State): Row | null {
  if (!entry) return null;
  const weights = rowWeights(store);
  const row = state.direction === "row" || !weights;
  const sequence = row ? entry.keys : entry.queries;
  const received = head?.received ?? new Uint8Array(entry.shape[1]);
  const values = weights ?? Float32Array.from(received, (v) => v / 255);
  const own = entry.queries === entry.keys;
  return { values, sequence, top: values.reduce((a, b) => Math.max(a, b), 0) || 1, full: weights !== null,
    asks: !weights || !own ? -1 : row ? state.query : state.key, cursor: row ? state.key : state.query };
}

export function Strip() {
  const store = useStore();
  const shown = useShownHead();
  const weights = useRowWeights();
  const state = useShown("direction", "query", "key");
  const { track } = shown;
  const { direction, query, key } = state;
  const row = useMemo(() => rowOf(store, shown, state), [store, shown, weights, direction, query, key]);
  if (!track || !row) return null;
  return <Tokens row={row} shown={shown} />;
}

function Tokens({ row, shown }: { row: Row; shown: Shown }) {
  const store = useStore();
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0, width: 0 });
  const [read, setRead] = useState(-1); // the token under the pointer
  const track = shown.track as NonNullable<Shown["track"]>;
  const { values, sequence, cursor, full } = row;
  const width = Math.max(view.width - 8, 40);
  const lines = useMemo(() => new Lines(store, track, sequence, width), [store, track, sequence, width]);
  const look = (): void => {
    if (!box.current) return; // the view may be gone before a late effect comes
    const { scrollTop, clientHeight, clientWidth } = box.current;
    setView((old) => (old.top === scrollTop && old.height === clientHeight && old.width === clientWidth ? old
      : { top: scrollTop, height: clientHeight, width: clientWidth }));
  };
  const scrollTo = (top: number): void => { (box.current as HTMLDivElement).scrollTop = top; look(); };
  const reveal = (token: number): void => {
    if (!box.current) return;
    const y = lines.lineOf(token) * LINE;
    const { scrollTop, clientHeight } = box.current;
    if (y < scrollTop || y + LINE > scrollTop + clientHeight) scrollTo(Math.max(0, y - 2 * LINE));
  };
  useLayoutEffect(look);
  useResize(box, look);
  // The token that was chosen elsewhere comes into sight; the pointer's reading is over then.
  const { direction, query, key } = store.state;
  useEffect(() => {
    setRead(-1);
    if (view.height) reveal(full ? (direction === "row" ? query : key) : cursor);
  }, [shown.entry, full, direction, query, key, lines]);
  const pick = (token: number): void => {
    if (!full) { setRead(token); return; }
    // Within one text the token becomes the one that asks; of two texts only the other one is shown.
    if (row.asks >= 0) store.set(direction === "row" ? { query: token } : { key: token });
    else store.set(direction === "row" ? { key: token } : { query: token });
  };
  const press = (event: KeyboardEvent): void => {
    const name = direction === "row" || !full ? "key" : "query";
    const step = stepOf(event, 10);
    if (step) {
      const next = within(cursor + step, values.length);
      store.set({ [name]: next });
      reveal(next);
    } else if (event.key === "Enter") pick(cursor);
    else return;
    event.preventDefault();
  };
  const [from, to] = lines.seen(view.top, view.height);
  const token = read >= 0 && read < values.length ? read : cursor;
  return (
    <section aria-labelledby="strip-title">
      <Heading row={row} shown={shown} />
      <Track values={values} top={row.top} asks={row.asks} first={lines.start(from)} past={lines.start(to)}
        onGo={(position) => scrollTo(lines.lineOf(position) * LINE - view.height / 2)}
        onScroll={(count) => scrollTo((box.current as HTMLDivElement).scrollTop + count * LINE)} />
      <div id="strip" class="strip" ref={box} tabIndex={0} role="application" aria-label={t("stripLabel")}
        onScroll={look} onKeyDown={press}
        style={{ height: `${Math.min(lines.height + 10, 6.5 * LINE)}px` }}
        onClick={(event) => { const i = tokenAt(event); if (i >= 0) pick(i); }}
        onPointerOver={(event) => { const i = tokenAt(event); if (i >= 0) setRead(i); }}>
        <div id="lines" style={{ height: `${lines.height}px` }}>
          {lines.lines.slice(Math.max(0, from - 2), to + 2).flatMap((line, place) =>
            line.map((piece) => <Token key={piece.i} piece={piece} y={(Math.max(0, from - 2) + place) * LINE} row={row}
              special={isSpecial(track, sequence, piece.i)} />))}
        </div>
      </div>
      <p class="readout" id="strip-readout" aria-live="polite">
        {values.length > 0 && t("stripRead", { i: token, label: labelOf(track, sequence, token),
          value: full ? weightText(values[token]) : percent(t, values[token]) })}</p>
    </section>
  );
}

const tokenAt = (event: Event): number => {
  const token = (event.target as HTMLElement).closest?.<HTMLElement>(".token");
  return token ? Number(token.dataset.i) : -1;
};

function Heading({ row, shown: { track, entry } }: { row: Row; shown: Shown }) {
  const store = useStore();
  const t = useWords();
  const { direction, query, key } = store.state;
  if (!track || !entry) return null;
  const token = direction === "row" ? labelOf(track, entry.queries, query) : labelOf(track, entry.keys, key);
  const name = !row.full ? "Received" : direction === "row" ? "Row" : "Column";
  const best = strongest(row.values, 5);
  const sum = best.reduce((a, b) => a + b, 0);
  return (
    <>
      <div class="heading">
        <h2 id="strip-title">{t(`strip${name}`, { token })}</h2>
        <Segments id="directions" kind="direction" label={t("directionsLabel")} names={["row", "column"] as const}
          shown={direction} text={t} able={() => row.full} choose={(one) => store.set({ direction: one })} />
      </div>
      <p class="caption" id="strip-caption">{t(`strip${name}Caption`, { n: best.length, p: percent(t, sum) })}</p>
    </>
  );
}

function strongest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (const value of values) {
    if (best.length === count && value <= best[count - 1]) continue;
    best.push(value);
    best.sort((a, b) => b - a);
    if (best.length > count) best.pop();
  }
  return best;
}

interface TokenProps { piece: Piece; y: number; row: Row; special: boolean }

function Token({ piece: { i, x, width, label }, y, row, special }: TokenProps) {
  const share = Math.min(1, row.values[i] / row.top);
  const marks = ["token", i === row.asks && "asks", i === row.cursor && "cursor", special && "special"];
  const name = marks.filter(Boolean).join(" ");
  return (
    <span class={name} data-i={i} style={{ transform: `translate(${x}px, ${y}px)`, width: `${width}px`,
      "--share": (share ** 0.7).toFixed(3), "--bar": share.toFixed(3) }}>{label}</span>
  );
}
