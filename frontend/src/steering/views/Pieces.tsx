// The words of the text, or the factors of a record, with what each counted.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { stepOf, within } from "../../hands";
import { useShown, useStore } from "../store";
import type { Piece } from "../types";
import { told } from "../words";
import { Factors } from "./Factors";
import { Weigh } from "./Weigh";
import { Words } from "./Words";

const GAP = 24; // pixels between a piece and its popover: a rule stands there

const at = (target: EventTarget | null): number =>
  Number((target as Element | null)?.closest?.<HTMLElement>("[data-i]")?.dataset.i ?? -1);

export function Pieces() {
  const store = useStore();
  const { answer, answered, open, desk, lang } = useShown();
  const frame = useRef<HTMLDivElement>(null);
  if (!answer || !answered) return null;
  const { pieces } = answer;
  const words = "text" in answered;
  const signed = pieces.some((one) => one.signed);
  const label = desk.labels.length > 1 ? answer.labels[answer.target] : "";
  const caption = words ? (signed ? "wordsSigned" : "wordsCaption") : (signed ? "factorsSigned" : "factorsCaption");
  const order = words ? pieces.map((_, i) => i) : bySize(pieces);
  const element = (i: number): HTMLElement | null => frame.current?.querySelector<HTMLElement>(`[data-i="${i}"]`) ?? null;
  const close = (): void => {
    const { open } = store.state;
    store.set({ open: -1 });
    element(open)?.focus();
  };
  const keys = (event: KeyboardEvent): void => {
    const i = at(event.target);
    if (i < 0) return;
    const step = stepOf(event, words ? 10 : 1);
    if (step) element(order[within(order.indexOf(i) + step, order.length)])?.focus();
    else if (event.key === "Enter" || event.key === " ") store.set({ open: i });
    else if ((event.key === "Delete" || event.key === "Backspace") && pieces[i].select) store.weigh(pieces[i], 0);
    else return;
    event.preventDefault();
  };
  return (
    <section aria-labelledby="pieces-title">
      <h2 id="pieces-title">{label ? store.say("countedFor", { label }) : store.say("wordsTitle")}</h2>
      <p class="caption" title={told(desk.measure.said, lang)}>
        {store.say(caption)} {pieces.some((one) => one.before !== one.after) && store.say("hollow")}
      </p>
      <div class="frame" ref={frame}>
        <div id="pieces" role="group" aria-label={store.say("wordsTitle")} onKeyDown={keys} onFocusIn={focused}
          onClick={(event) => { const i = at(event.target); if (i >= 0) store.set({ open: i === open ? -1 : i }); }}>
          {words ? <Words text={answered.text} pieces={pieces} /> : <Factors pieces={pieces} order={order} />}
        </div>
        <p class="note hands">{store.say("keysHint")}</p>
        {pieces[open] && <Popover key={open} piece={pieces[open]} of={() => element(open)} close={close} />}
      </div>
    </section>
  );
}

// One piece at a time can be reached by Tab: the last one that was.
function focused(event: FocusEvent): void {
  if (at(event.target) < 0) return;
  (event.currentTarget as HTMLElement).querySelector('[data-i][tabindex="0"]')?.setAttribute("tabindex", "-1");
  (event.target as HTMLElement).tabIndex = 0;
}

// The order of a record's factors: by what they counted without rules, so that no rule moves them.
const bySize = (pieces: readonly Piece[]): number[] =>
  pieces.map((_, i) => i).sort((a, b) => Math.abs(pieces[b].before) - Math.abs(pieces[a].before));

interface PopoverProps {
  piece: Piece;
  of: () => HTMLElement | null;
  close: () => void;
}

function Popover({ piece, of, close }: PopoverProps) {
  const store = useStore();
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0, tip: 20 });
  const put = (): void => {
    const [word, own] = [of(), box.current];
    const frame = own?.parentElement;
    if (!word || !own || !frame) return;
    const [at, around] = [word.getBoundingClientRect(), frame.getBoundingClientRect()];
    const middle = at.left + Math.min(at.width, 160) / 2 - around.left;
    const left = within(middle - own.offsetWidth / 2, Math.max(1, around.width - own.offsetWidth + 1));
    setPlace({ left, top: at.bottom - around.top + GAP, tip: middle - left });
  };
  useLayoutEffect(() => {
    put();
    const first = ["input[type=range]", "button"].map((one) => box.current?.querySelector<HTMLElement>(one)).find(Boolean);
    first?.focus({ preventScroll: true });
    box.current?.scrollIntoView({ block: "nearest" });
    const outside = (event: PointerEvent): void => {
      const path = event.composedPath();
      if (!path.includes(box.current as EventTarget) && !path.some((one) => (one as HTMLElement).id === "pieces")) close();
    };
    // From wherever the focus is: a button that was pressed may be able no more.
    const escape = (event: KeyboardEvent): void => { if (event.key === "Escape") close(); };
    addEventListener("resize", put);
    addEventListener("pointerdown", outside);
    addEventListener("keydown", escape);
    return () => {
      removeEventListener("resize", put);
      removeEventListener("pointerdown", outside);
      removeEventListener("keydown", escape);
    };
  }, []);
  const keys = (event: KeyboardEvent): void => {
    if ((event.key === "Delete" || event.key === "Backspace") && piece.select) {
      event.preventDefault();
      store.weigh(piece, 0);
    }
  };
  return (
    <div class="popover" id="popover" ref={box} role="dialog" aria-labelledby="popover-title"
      style={{ left: `${place.left}px`, top: `${place.top}px`, "--tip": `${place.tip}px` }}
      onKeyDown={keys}>
      <Weigh piece={piece} close={close} />
    </div>
  );
}
