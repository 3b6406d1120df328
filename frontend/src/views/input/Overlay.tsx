// An image beside itself with its patches shaded: by what counted, or by what one patch looks at.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { cssColor, fitCanvas } from "../../dom";
import { labelOf, number } from "../../format";
import { ARROWS, placeOf, within } from "../../hands";
import { type Store, useShown, useStore } from "../../store";
import { useWords } from "../../strings";
import type { Track } from "../../types";
import { useDark } from "../grid/dark";
import { useRowWeights } from "../head/row";
import { type Pieces, shareOf, strongest } from "./pieces";

const SIDE = 384;
const SHOWN = "data:image/png;base64,"; // nothing that a log from somewhere else names is loaded

interface Shades {
  grid: [rows: number, cols: number];
  shares: number[];
  chosen: number;
}

interface OverlayProps {
  pieces: Pieces | null;
  read: number;
  choose: (piece: number) => void;
}

export function Overlay({ pieces, read, choose }: OverlayProps) {
  const store = useStore();
  const { track, entry, direction, moment } = useShown("track", "entry", "direction", "moment");
  useDark();
  const t = useWords();
  const url = track?.image?.url.startsWith(SHOWN) ? track.image.url : "";
  const image = useImage(url);
  const weights = useRowWeights();
  if (!track?.image || !url) return null;
  const { grid } = track.image;
  const parts = pieces ? pieces.values.map((_, i) => i).filter((i) => !pieces.special(i)) : [];
  const counted =
    grid && pieces ? { grid, shares: parts.map((i) => shareOf(pieces, i)), chosen: parts.indexOf(read) } : null;
  const row = grid && weights && moment?.heads[entry] ? rowShades(store, track, grid, weights) : null;
  const look = (place: number): void => {
    if (row) store.set(direction === "row" ? { query: row.first + place } : { key: row.first + place });
  };
  const said = row
    ? t(direction === "row" ? "imageRow" : "imageColumn", {
        head: t("layerHead", { ...track.entries[entry] }),
        name: labelOf(track, row.sequence, row.first + row.shades.chosen),
        top: number(row.top),
      })
    : "";
  return (
    <div id="image">
      <figure>
        <img src={url} alt={track.source} />
        <figcaption>{t("imagePlain")}</figcaption>
      </figure>
      {image && counted && pieces && (
        <figure>
          <Shaded
            id="image-counted"
            image={image}
            shades={counted}
            choose={(place) => {
              if (place in parts) choose(parts[place]);
            }}
            label={`${t("wordsHint", { list: strongest(pieces) })} ${t("imageKeys")}`}
          />
          <figcaption>{t("wordsTitle")}</figcaption>
        </figure>
      )}
      {image && row && (
        <figure>
          <Shaded
            id="image-row"
            image={image}
            shades={row.shades}
            choose={look}
            label={`${said} ${t("imageKeys")}`}
          />
          <figcaption id="image-row-caption">{said}</figcaption>
        </figure>
      )}
    </div>
  );
}

function useImage(url: string): HTMLImageElement | null {
  const [image, setImage] = useState<HTMLImageElement | null>(null);
  useEffect(() => {
    let live = true;
    const next = new Image();
    next.onload = () => {
      if (live) setImage(next);
    };
    setImage(null);
    if (url) next.src = url;
    return () => {
      live = false;
    };
  }, [url]);
  return image;
}

interface Row {
  shades: Shades;
  first: number;
  sequence: number;
  top: number;
}

// The weights of the chosen patch over the image, if its head looks from patches at patches.
function rowShades(store: Store, track: Track, grid: [number, number], weights: Float32Array): Row | null {
  const { entry, direction, query, key } = store.state;
  const { keys, queries } = track.entries[entry];
  const { special } = track.sequences[keys];
  const first = special.findIndex((one) => !one);
  const count = grid[0] * grid[1];
  if (queries !== keys || weights.length !== special.length || special.filter((one) => !one).length !== count)
    return null;
  const own = [...weights.subarray(first, first + count)];
  const top = Math.max(...own, 1e-30);
  return {
    first,
    sequence: keys,
    top,
    shades: { grid, shares: own.map((weight) => weight / top), chosen: (direction === "row" ? query : key) - first },
  };
}

interface ShadedProps {
  id: string;
  image: HTMLImageElement;
  shades: Shades;
  label: string;
  choose: (place: number) => void;
}

function Shaded({ id, image, shades, label, choose }: ShadedProps) {
  const store = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, cols] = shades.grid;
  useLayoutEffect(() => {
    if (canvas.current) drawShades(store, canvas.current, image, shades);
  });
  const click = (event: MouseEvent): void => {
    const { right, down } = placeOf(event);
    choose(within(Math.floor(down * rows), rows) * cols + within(Math.floor(right * cols), cols));
  };
  const press = (event: KeyboardEvent): void => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const place = Math.max(0, shades.chosen);
    const row = within(Math.floor(place / cols) + step[0], rows);
    choose(row * cols + within((place % cols) + step[1], cols));
  };
  return (
    <canvas
      id={id}
      ref={canvas}
      role="application"
      tabIndex={0}
      aria-label={label}
      onClick={click}
      onKeyDown={press}
    />
  );
}

function drawShades(store: Store, canvas: HTMLCanvasElement, image: HTMLImageElement, shades: Shades): void {
  const scale = Math.min(SIDE / image.width, SIDE / image.height);
  const [w, h] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  const pen = fitCanvas(canvas, w, h);
  const [rows, cols] = shades.grid;
  const box = (place: number): [number, number, number, number] => [
    ((place % cols) * w) / cols,
    (Math.floor(place / cols) * h) / rows,
    w / cols,
    h / rows,
  ];
  pen.drawImage(image, 0, 0, w, h);
  shades.shares.slice(0, rows * cols).forEach((share, place) => {
    const [x, y, width, height] = box(place);
    pen.fillStyle = `rgba(12, 12, 24, ${(0.82 * (1 - share)).toFixed(3)})`;
    pen.fillRect(x, y, width + 0.5, height + 0.5);
  });
  if (shades.chosen < 0 || shades.chosen >= rows * cols) return;
  const [x, y, width, height] = box(shades.chosen);
  pen.lineWidth = 3;
  pen.strokeStyle = "#000";
  pen.strokeRect(x, y, width, height);
  pen.lineWidth = 1.5;
  pen.strokeStyle = cssColor(store, "--accent");
  pen.strokeRect(x, y, width, height);
}
