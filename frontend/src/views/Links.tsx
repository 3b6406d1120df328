// The strongest links of every head as a table that can be sorted, searched and saved.
import { useState } from "preact/hooks";
import { isSpecial, labelOf, weightText } from "../format";
import { shownHeads } from "../loading";
import { type State, type Store, useShown, useStore } from "../store";
import { percent, type Translate, useWords } from "../strings";
import type { Head, Link, Track } from "../types";
import { Check } from "./controls";
import { csv, saveText } from "./input/csv";

const COLUMNS = ["weight", "query", "key", "layer", "head"];
const ROWS = 100;

export function Links() {
  const store = useStore();
  const state = useShown("track", "moment", "sequence", "filter", "onlyHead", "entry", "inner", "sort", "down");
  const t = useWords();
  const [saved, setSaved] = useState<Link[] | null>(null);
  const { track } = state;
  if (!track) return null;
  const [links, heads] = linksOf(state, track, t);
  const save = (): void => {
    saveText("zhuyi-links.csv", tableOf(links, track));
    setSaved(links);
  };
  return (
    <section aria-labelledby="links-title">
      <div class="heading">
        <h2 id="links-title">{t("linksTitle")}</h2>
        <div class="controls">
          <label>
            <span>{t("filter")}</span>{" "}
            <input
              type="search"
              id="filter"
              autocomplete="off"
              spellcheck={false}
              value={state.filter}
              onInput={(event) => store.set({ filter: event.currentTarget.value })}
            />
          </label>
          <Check id="only-head" label={t("onlyHead")} on={state.onlyHead} change={(on) => store.set({ onlyHead: on })} />
          <Check id="inner" label={t("inner")} on={state.inner} change={(on) => store.set({ inner: on })} />
          <button type="button" id="save" class="quiet" onClick={save}>
            {t("save")}
          </button>
        </div>
      </div>
      <p class="caption" id="links-caption">
        {t("linksCaption")}
      </p>
      <div class="scroll tall" tabIndex={0} role="group" aria-labelledby="links-title">
        <table id="links">
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <Column column={column} />
              ))}
            </tr>
          </thead>
          <tbody>
            <Rows links={links.slice(0, ROWS)} track={track} store={store} />
          </tbody>
        </table>
      </div>
      <p class="note" id="links-note" aria-live="polite">
        {sameLinks(saved, links) ? t("saved", { n: links.length }) : noteOf(t, links, heads)}
      </p>
    </section>
  );
}

function linksOf(state: State, track: Track, t: Translate): [Link[], Head[]] {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const heads = shownHeads(state.moment, state.sequence).filter(
    (head) => !state.onlyHead || head.entry.index === state.entry,
  );
  const links = heads.flatMap((head) => head.top).filter((link) => keeps(link, words, state.inner, track, t));
  const value: Record<string, (link: Link) => number | string> = {
    weight: (x) => x.weight,
    layer: (x) => x.entry.layer,
    head: (x) => x.entry.head,
    query: (x) => labelOf(track, x.entry.queries, x.query),
    key: (x) => labelOf(track, x.entry.keys, x.key),
  };
  const of = value[state.sort] ?? value.weight;
  const sign = state.down ? -1 : 1;
  const keyed = links.map((link) => [of(link), link] as const);
  keyed.sort(
    ([x, a], [y, b]) =>
      sign * (typeof x === "string" ? x.localeCompare(y as string) : x - (y as number)) || b.weight - a.weight,
  );
  return [keyed.map(([, link]) => link), heads];
}

function keeps({ entry, query, key }: Link, words: string[], inner: boolean, track: Track, t: Translate): boolean {
  if (inner) {
    if (isSpecial(track, entry.queries, query) || isSpecial(track, entry.keys, key)) return false;
    if (entry.queries === entry.keys && query === key) return false;
  }
  if (!words.length) return true;
  const place = t("layerHead", { layer: entry.layer, head: entry.head });
  const text = `${labelOf(track, entry.queries, query)} ${labelOf(track, entry.keys, key)} ${place}`.toLowerCase();
  return words.every((one) => text.includes(one));
}

// Every row of every head sums to 1, so all its weight is its number of queries.
function noteOf(t: Translate, links: Link[], heads: Head[]): string {
  const carried = links.reduce((sum, link) => sum + link.weight, 0);
  const share = carried / (heads.reduce((sum, head) => sum + head.entry.shape[0], 0) || 1);
  return t("linksNote", {
    drawn: Math.min(ROWS, links.length),
    all: links.length,
    heads: heads.length,
    p: percent(t, share),
    rest: percent(t, 1 - share),
  });
}

const sameLinks = (saved: Link[] | null, links: Link[]): boolean =>
  saved !== null && saved.length === links.length && saved.every((link, i) => link === links[i]);

function Column({ column }: { column: string }) {
  const store = useStore();
  const { sort, down } = useShown("sort", "down");
  const t = useWords();
  const current = sort === column;
  return (
    <th scope="col" aria-sort={current ? (down ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        onClick={() => store.set(current ? { down: !down } : { sort: column, down: column === "weight" })}
      >
        {t(column) + (current ? (down ? " ↓" : " ↑") : "")}
      </button>
    </th>
  );
}

function Rows({ links, track, store }: { links: Link[]; track: Track; store: Store }) {
  const t = useWords();
  if (!links.length)
    return (
      <tr>
        <td class="empty" colSpan={COLUMNS.length}>
          {t("linksEmpty")}
        </td>
      </tr>
    );
  const top = links.reduce((most, link) => Math.max(most, link.weight), 0) || 1;
  return (
    <>
      {links.map(({ entry, query, key, weight }) => (
        <tr onClick={() => store.set({ entry: entry.index, query, key, direction: "row" })}>
          <td class="amount" style={{ "--bar": (weight / top).toFixed(3) }}>
            {weightText(weight)}
          </td>
          <td>
            <button type="button">{labelOf(track, entry.queries, query)}</button>
            <sub>{query}</sub>
          </td>
          <td>
            {labelOf(track, entry.keys, key)}
            <sub>{key}</sub>
          </td>
          <td>{entry.layer}</td>
          <td>{entry.head}</td>
        </tr>
      ))}
    </>
  );
}

function tableOf(links: Link[], track: Track): string {
  const head = ["layer", "head", "site", "query_position", "query", "key_position", "key", "weight"];
  return csv([
    head,
    ...links.map(({ entry, query, key, weight }) => [
      entry.layer,
      entry.head,
      entry.site,
      query,
      track.sequences[entry.queries].labels[query],
      key,
      track.sequences[entry.keys].labels[key],
      weight.toPrecision(6),
    ]),
  ]);
}
