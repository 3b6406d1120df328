// A series with the ribbon of what counted: pointer, keyboard, zoom in time, and the same in numbers.
import { useMemo, useState } from "preact/hooks";
import { number, visible } from "../format";
import { useShown, useStore } from "../store";
import { type Translate, useWords } from "../strings";
import type { Moment, Track } from "../types";
import { useDark } from "./grid/dark";
import { type Box, LEAST, zoomed } from "./input/box";
import {
  type Compared, joined, methodName, type Pieces, piecesOf, readPiece, strongest, useCompared,
} from "./input/pieces";
import type { Place, Scene } from "./input/ribbon";
import { SignalPicture } from "./input/SignalPicture";
import { channelName, measuredIn, type Series, seriesOf, type Span, spanAt } from "./input/signal";
import { Stretches } from "./input/Stretches";

export function Ribbon() {
  const { track, moment } = useShown("track", "moment");
  if (!track?.signal || !moment) return null;
  return <Shown key={track.id} track={track} signal={track.signal} moment={moment} />;
}

function Shown({ track, signal, moment }: { track: Track; signal: NonNullable<Track["signal"]>; moment: Moment }) {
  const store = useStore();
  useDark();
  const t = useWords();
  const pieces = useMemo(() => piecesOf(track, moment), [track, moment]);
  const series = useMemo(() => seriesOf(signal, pieces), [signal, pieces]);
  const compared = useCompared(pieces);
  const [box, setBox] = useState({ from: 0, to: series.length });
  const [chosen, setChosen] = useState(-1);
  const [place, setPlace] = useState<Place | null>(null);
  const shown = place ? (spanAt(series, place.channel, place.step) ?? spanAt(series, -1, place.step)) : null;
  const marked = shown?.index ?? (place ? -1 : chosen);
  const words = { all: t("signalAll"), nothing: t("signalNothing"), axis: t("signalAxis") };
  const scene: Scene = { series, pieces, compared, signed: track.signed, ...box, scroll: 0, chosen: marked, words };
  const caption = !pieces
    ? t("wordsSilent")
    : joined(
        t,
        t("signalCaption", { method: methodName(moment) }),
        track.signed && t("signalSigned"),
        compared && t("signalChanged", { other: compared.name }),
      );
  return (
    <section aria-labelledby="words-title">
      <div class="heading">
        <h2 id="words-title">{t("wordsTitle")}</h2>
        <Zoom series={series} box={box} setBox={setBox} />
      </div>
      <p class="caption" id="words-caption">
        {caption}
      </p>
      <SignalPicture
        store={store}
        scene={scene}
        setBox={setBox}
        choose={setChosen}
        point={setPlace}
        chosen={chosen}
      />
      <p class="readout" id="signal-readout" aria-live="polite">
        {readout(t, scene, place, marked)}
      </p>
      <p class="note hands">{t("signalHands")}</p>
      {pieces && <Stretches series={series} pieces={pieces} compared={compared} />}
    </section>
  );
}

function readout(t: Translate, { series, pieces, compared }: Scene, place: Place | null, index: number): string {
  const span = series.spans.get(index);
  if (span && pieces) return readSpan(t, series, pieces, compared, span);
  if (place && place.channel >= 0) {
    const value = series.values[place.channel * series.length + place.step];
    return t("signalPoint", {
      channel: visible(series.names[place.channel]),
      step: place.step,
      value: Number.isFinite(value) ? number(value) : t("signalMissing"),
    });
  }
  return pieces ? t("wordsHint", { list: strongest(pieces) }) : "";
}

function readSpan(t: Translate, series: Series, pieces: Pieces, compared: Compared | null, span: Span): string {
  const where = t("signalSpan", {
    channel: channelName(t, series, span.channel),
    from: span.start,
    to: span.stop - 1,
  });
  return [
    `${readPiece(t, pieces, compared, span.index)} · ${where}`,
    ...(span.channel < 0 ? [] : measured(t, series, span)),
  ].join(t("space"));
}

function measured(t: Translate, series: Series, span: Span): string[] {
  const { low, high, mean, missing, count } = measuredIn(series, span);
  if (missing === count) return [t("signalNone")];
  const there = t("signalThere", { low: number(low), high: number(high), mean: number(mean) });
  return missing ? [there, t("signalGaps", { missing, count })] : [there];
}

function Zoom({ series, box, setBox }: { series: Series; box: Box; setBox: (box: Box) => void }) {
  const t = useWords();
  if (series.length <= LEAST) return null;
  const depth = Math.log(series.length / LEAST);
  const value = Math.round((100 * Math.log(series.length / (box.to - box.from))) / depth);
  return (
    <div class="controls">
      <label class="grow">
        <span>{t("zoom")}</span>{" "}
        <input
          type="range"
          id="signal-zoom"
          min="0"
          max="100"
          value={value}
          onInput={(event) =>
            setBox(
              zoomed(
                series,
                box,
                series.length / Math.exp((depth * Number(event.currentTarget.value)) / 100),
                (box.from + box.to) / 2,
              ),
            )
          }
        />
      </label>
      <button
        type="button"
        id="signal-whole"
        class="quiet"
        disabled={value === 0}
        onClick={() => setBox({ from: 0, to: series.length })}
      >
        {t("whole")}
      </button>
    </div>
  );
}
