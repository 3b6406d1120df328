// The hands on a series: pointer, wheel, drag and keyboard, and the canvas under them.
import type { RefObject as Ref } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { within } from "../../hands";
import { type Store } from "../../store";
import { useWords } from "../../strings";
import { useResize } from "../controls";
import { type Box, moved, zoomed } from "./box";
import { AXIS, drawSeries, pinnedHeight, type Place, placeAt, rowHeight, type Scene } from "./ribbon";
import { type Series, type Span, spanAt } from "./signal";

const TALLEST = 560;

interface PictureProps {
  store: Store;
  scene: Scene;
  chosen: number;
  setBox: (box: Box) => void;
  choose: (index: number) => void;
  point: (place: Place | null) => void;
}

export function SignalPicture(props: PictureProps) {
  const { store, scene } = props;
  const t = useWords();
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const { series, signed } = scene;
  const total = pinnedHeight(series, signed) + series.names.length * rowHeight(signed) + AXIS;
  const height = Math.min(TALLEST, total);
  const current = useRef(scene);
  current.current = scene;
  const draw = (): void => {
    const box = frame.current;
    if (box && canvas.current && box.clientWidth) {
      drawSeries(store, canvas.current, box.clientWidth, height, { ...current.current, scroll: box.scrollTop });
    }
  };
  useLayoutEffect(draw);
  useResize(frame, draw, height);
  return (
    <div
      id="signal"
      class="signal"
      ref={frame}
      tabIndex={0}
      role="application"
      aria-label={t("signalLabel", { count: series.names.length, steps: series.length, hands: t("signalHands") })}
      style={{ height: `${height}px` }}
      onScroll={draw}
      {...handsOf(props, frame, drag, height)}
    >
      <div style={{ height: `${total}px` }}>
        <canvas ref={canvas} style={{ width: "100%", height: `${height}px` }} aria-hidden="true" />
      </div>
    </div>
  );
}

interface Drag {
  x: number;
  box: Box;
}

// What pointer, wheel and keyboard do.
function handsOf(props: PictureProps, frame: Ref<HTMLDivElement | null>, drag: Ref<Drag | null>, height: number) {
  const { scene, chosen, setBox, choose, point } = props;
  const { series } = scene;
  const place = (event: MouseEvent): Place | null => {
    const box = frame.current as HTMLDivElement;
    const edge = box.getBoundingClientRect();
    return placeAt(
      { ...scene, scroll: box.scrollTop },
      box.clientWidth,
      height,
      event.clientX - edge.left,
      event.clientY - edge.top,
    );
  };
  const move = (event: PointerEvent): void => {
    const { current: held } = drag;
    if (!held || event.buttons !== 1) {
      point(place(event));
      return;
    }
    const steps = held.box.to - held.box.from;
    setBox(
      moved(series, held.box, ((held.x - event.clientX) / (frame.current as HTMLDivElement).clientWidth) * steps),
    );
  };
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return; // pages must scroll
    event.preventDefault();
    const at = place(event);
    setBox(
      zoomed(
        series,
        scene,
        (scene.to - scene.from) * Math.exp(event.deltaY * 0.002),
        at?.step ?? (scene.from + scene.to) / 2,
      ),
    );
  };
  const press = (event: KeyboardEvent): void => {
    const box = zoomKey(series, scene, event.key, series.spans.get(chosen));
    if (box) setBox(box);
    else {
      const next = spanKey(scene, event.key, chosen);
      if (!next) return;
      choose(next.index);
      point(null);
      reveal(frame.current as HTMLDivElement, scene, height, next);
      if (next.start < scene.from || next.stop > scene.to)
        setBox(moved(series, scene, (next.start + next.stop - scene.from - scene.to) / 2));
    }
    event.preventDefault();
  };
  const stop = (): void => {
    drag.current = null;
  };
  return {
    onKeyDown: press,
    onWheel: wheel,
    onPointerMove: move,
    onPointerLeave: () => point(null),
    onPointerUp: stop,
    onPointerCancel: stop,
    onPointerDown: (event: PointerEvent) => {
      if (event.pointerType === "mouse") drag.current = { x: event.clientX, box: { from: scene.from, to: scene.to } };
    },
    onClick: (event: MouseEvent) => {
      const at = place(event);
      const span = at && (spanAt(series, at.channel, at.step) ?? spanAt(series, -1, at.step));
      if (span) choose(span.index);
    },
  };
}

function zoomKey(series: Series, scene: Scene, key: string, span: Span | undefined): Box | null {
  const steps = scene.to - scene.from;
  const around = span ? (span.start + span.stop) / 2 : (scene.from + scene.to) / 2;
  if (key === "+" || key === "=") return zoomed(series, scene, steps / 1.5, around);
  if (key === "-" || key === "−") return zoomed(series, scene, steps * 1.5, around);
  return key === "0" ? { from: 0, to: series.length } : null;
}

// Left and right go through the stretches of a channel, up and down to those beside it.
function spanKey({ series }: Scene, key: string, chosen: number): Span | null {
  const channels = [...series.byChannel.keys()].sort((a, b) => a - b);
  const now = series.spans.get(chosen);
  if (!channels.length || !/^(Arrow|Home|End)/.test(key)) return null;
  if (!now) return (series.byChannel.get(channels[0]) as Span[])[0];
  const row = series.byChannel.get(now.channel) as Span[];
  const place = row.indexOf(now);
  const along: Record<string, number> = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: row.length - 1 };
  if (key in along) return row[within(along[key], row.length)];
  const beside =
    channels[
      within(channels.indexOf(now.channel) + (key === "ArrowDown" ? 1 : -1), channels.length)
    ];
  return spanAt(series, beside, (now.start + now.stop) >> 1) ?? nearest(series.byChannel.get(beside) as Span[], now);
}

const nearest = (spans: Span[], to: Span): Span =>
  spans.reduce((a, b) => (Math.abs(b.start - to.start) < Math.abs(a.start - to.start) ? b : a));

function reveal(frame: HTMLDivElement, { series, signed }: Scene, height: number, span: Span): void {
  if (span.channel < 0) return;
  const room = height - AXIS - pinnedHeight(series, signed);
  const top = span.channel * rowHeight(signed);
  frame.scrollTop = Math.min(top, Math.max(frame.scrollTop, top + rowHeight(signed) - room));
}
