// A grid of heads' pictures that arrow keys move in, by layer and head or in any other order.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { paint } from "../../color";
import { stepOf, within } from "../../hands";
import { useWords } from "../../strings";
import type { Head } from "../../types";
import { useDark } from "./dark";

export interface Drawn {
  codes: ArrayLike<number>; // 0..255 per dot, -1 = see through
  rows: number;
  cols: number;
}

interface Props {
  id: string;
  heads: Head[];
  byLayer: boolean;
  chosen: number;
  label: string;
  twoSided?: boolean;
  picture: (head: Head) => Drawn | null;
  about: (head: Head) => string;
  stands?: Set<Head>;
  mark?: (head: Head) => number; // 0 to 1, how much it changed
  choose: (head: Head) => void;
}

export function Thumb({ drawn, twoSided, dark }: { drawn: Drawn | null; twoSided?: boolean; dark: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (!canvas.current) return;
    const { codes, rows, cols } = drawn ?? { codes: [-1], rows: 1, cols: 1 };
    paint(codes, rows, cols, twoSided ?? false, dark, canvas.current);
  }, [drawn?.codes, twoSided, dark]);
  return <canvas ref={canvas} aria-hidden="true" />;
}

// From one end of a scale to the other.
const SHADES = Uint8Array.from({ length: 256 }, (_, i) => i);
export function Ramp({ id, twoSided }: { id?: string; twoSided: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useDark();
  useLayoutEffect(() => {
    if (canvas.current) paint(SHADES, 1, 256, twoSided, dark, canvas.current);
  }, [twoSided, dark]);
  return <canvas ref={canvas} id={id} class="ramp" aria-hidden="true" />;
}

export function Pictures(props: Props) {
  const { id, heads, byLayer, chosen, label } = props;
  const columns = byLayer ? new Set(heads.map((head) => head.entry.head)).size : Math.min(12, heads.length);
  const kind = [byLayer ? "" : "flat", columns > 12 ? "many" : ""].filter(Boolean).join(" ");
  return (
    <div class="scroll">
      <div
        id={id}
        class={`pictures ${kind}`}
        role="group"
        aria-label={label}
        style={{ "--columns": columns }}
        onKeyDown={(event) => move(event, columns)}
      >
        <Cells
          {...props}
          reachable={heads.some((head) => head.entry.index === chosen) ? chosen : heads[0]?.entry.index}
        />
      </div>
    </div>
  );
}

function Cells(props: Props & { reachable: number }) {
  const { heads, byLayer, chosen, reachable, picture, about, stands, mark, choose, twoSided } = props;
  const t = useWords();
  const dark = useDark();
  const used = [...new Set(heads.map((head) => head.entry.head))].sort((a, b) => a - b);
  const cells: ComponentChildren[] = [];
  if (byLayer)
    cells.push(
      <span class="tick" />,
      ...used.map((head) => (
        <span class="tick top" key={`t${head}`}>
          {head}
        </span>
      )),
    );
  let layer = -1;
  let place = used.length;
  for (const head of heads) {
    const { entry } = head;
    if (byLayer && entry.layer !== layer) {
      for (; place < used.length; place++) cells.push(<span />);
      layer = entry.layer;
      place = 0;
      cells.push(
        <span class="tick" key={`l${layer}`}>
          {layer}
        </span>,
      );
    }
    // A head that is not there leaves its place empty.
    for (; byLayer && used[place] !== entry.head && place < used.length; place++) cells.push(<span />);
    place++;
    const name = about(head);
    cells.push(
      <button
        type="button"
        key={entry.index}
        data-i={entry.index}
        tabIndex={entry.index === reachable ? 0 : -1}
        class={`head${head.detailed ? " detailed" : ""}${stands?.has(head) ? " stands" : ""}`}
        title={name}
        aria-label={name}
        aria-pressed={entry.index === chosen}
        onClick={() => choose(head)}
      >
        <Thumb drawn={picture(head)} twoSided={twoSided} dark={dark} />
        {mark && <span class="change" style={{ "--size": mark(head) }} />}
        <span class="tag">{byLayer ? entry.head : t("lh", { layer: entry.layer, head: entry.head })}</span>
      </button>,
    );
  }
  return <>{cells}</>;
}

function move(event: KeyboardEvent, columns: number): void {
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".head")];
  const at = buttons.indexOf(event.target as HTMLElement);
  const step = stepOf(event, columns);
  if (at < 0 || !step) return;
  event.preventDefault();
  const next = buttons[within(at + step, buttons.length)];
  buttons[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
