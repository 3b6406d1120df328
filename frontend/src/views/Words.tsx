// The input with its pieces colored by how much they counted.
import { useMemo, useState } from "preact/hooks";
import { number, visible } from "../format";
import { stepOf, within } from "../hands";
import { useShown, useStore } from "../store";
import { type Translate, useWords } from "../strings";
import type { Track } from "../types";
import { Check } from "./controls";
import { Overlay } from "./input/Overlay";
import {
  type Compared,
  joined,
  methodName,
  type Pieces,
  piecesOf,
  readPiece,
  shareOf,
  signedNumber,
  strongest,
  useCompared,
} from "./input/pieces";

export function Words() {
  const store = useStore();
  const { track, moment, numbers } = useShown("track", "moment", "numbers");
  const t = useWords();
  const pieces = useMemo(() => (track && moment ? piecesOf(track, moment) : null), [track, moment]);
  const compared = useCompared(pieces);
  const [pointed, setPointed] = useState(-1);
  const [chosen, setChosen] = useState(-1);
  if (!track || !moment) return null;
  const read = pointed >= 0 ? pointed : chosen;
  const readout = !pieces
    ? ""
    : read >= 0 && read < pieces.count
      ? readPiece(t, pieces, compared, read)
      : t("wordsHint", { list: strongest(pieces) });
  const caption = !pieces
    ? t("wordsSilent")
    : joined(
        t,
        t(track.image ? "wordsCaptionImage" : "wordsCaption", { method: methodName(moment) }),
        track.signed && t("wordsSigned"),
        compared && t("wordsChanged", { other: compared.name }),
      );
  return (
    <section aria-labelledby="words-title">
      <div class="heading">
        <h2 id="words-title">{t("wordsTitle")}</h2>
        {pieces && (
          <Check id="numbers" label={t("numbers")} on={numbers} change={(on) => store.set({ numbers: on })} />
        )}
      </div>
      <p class="caption" id="words-caption">
        {caption}
      </p>
      {track.image && <Overlay pieces={pieces} read={read} choose={setChosen} />}
      {track.units.length > 0 && (
        <WordList
          key={track.id}
          track={track}
          pieces={pieces}
          compared={compared}
          point={setPointed}
          choose={setChosen}
        />
      )}
      {pieces && (
        <p class="readout" id="words-readout" aria-live="polite">
          {readout}
        </p>
      )}
    </section>
  );
}

interface ListProps {
  track: Track;
  pieces: Pieces | null;
  compared: Compared | null;
  point: (index: number) => void;
  choose: (index: number) => void;
}

const at = (target: EventTarget | null): number => {
  const word = (target as Element | null)?.closest?.<HTMLElement>(".word");
  return word ? Number(word.dataset.i) : -1;
};

function WordList({ track, pieces, compared, point, choose }: ListProps) {
  const { numbers, lang } = useShown("numbers", "lang");
  const t = useWords();
  const words = useMemo(
    () =>
      track.units.flatMap(([label, , gap], index) =>
        // The gaps between the pieces (spaces, line ends) come from the text itself.
        [gap, word(t, index, visible(label), track, pieces, compared, numbers)],
      ),
    [track, pieces, compared?.name, numbers, lang],
  );
  // One piece at a time can be reached by Tab. Set by hand: drawing thousands of words again for
  // every arrow key would be slow, and what Preact last wrote there never changes.
  const focus = (event: FocusEvent): void => {
    const index = at(event.target);
    if (index < 0) return;
    const box = event.currentTarget as HTMLElement;
    box.querySelector('.word[tabindex="0"]')?.setAttribute("tabindex", "-1");
    (event.target as HTMLElement).tabIndex = 0;
    choose(index);
  };
  const go = (event: KeyboardEvent): void => {
    const step = stepOf(event, 10);
    if (!step) return;
    event.preventDefault();
    const box = event.currentTarget as HTMLElement;
    const next = within(Math.max(at(event.target), 0) + step, track.units.length);
    box.querySelector<HTMLElement>(`.word[data-i="${next}"]`)?.focus();
  };
  return (
    <div
      id="words"
      class={track.image ? "words folded" : "words"}
      role="group"
      aria-label={t("wordsLabel")}
      onPointerOver={(event) => point(at(event.target))}
      onPointerLeave={() => point(-1)}
      onFocusIn={focus}
      onKeyDown={go}
      onClick={(event) => (event.target as Element).closest<HTMLElement>(".word")?.focus()}
    >
      {words}
    </div>
  );
}

function word(
  t: Translate,
  index: number,
  text: string,
  track: Track,
  pieces: Pieces | null,
  compared: Compared | null,
  numbers: boolean,
) {
  const value = pieces ? pieces.values[index] : 0;
  const share = pieces ? shareOf(pieces, index) : 0;
  const names = ["word", track.units[index][1] ? "special" : "", value < 0 ? "against" : ""]
    .filter(Boolean)
    .join(" ");
  return (
    <span
      class={names}
      data-i={index}
      tabIndex={index ? -1 : 0}
      style={{ "--share": (value < 0 ? share : share ** 0.8).toFixed(3) }}
    >
      {text}
      {numbers && pieces && <small>{number(value, 2)}</small>}
      {compared?.told(index) && (
        <small class="change" aria-label={t("change")}>
          {signedNumber(compared.change(index), 2)}
        </small>
      )}
    </span>
  );
}
