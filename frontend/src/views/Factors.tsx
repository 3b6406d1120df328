// The factors of a table's row: what stood in each cell, and what it added to the decision.
import { useMemo, useState } from "preact/hooks";
import { number, visible } from "../format";
import { useShown } from "../store";
import { useWords } from "../strings";
import type { Moment, Track } from "../types";
import { Check, Segments } from "./controls";
import { type Bar, barPlace, canFold, type Chart, chartOf, type Order } from "./input/factors";
import { type Compared, joined, methodName, type Pieces, piecesOf, signedNumber, useCompared } from "./input/pieces";
import { VerdictIcon } from "./input/Verdict";

export function Factors() {
  const { track, moment } = useShown("track", "moment");
  if (!track || !moment) return null;
  return <Shown key={track.id} track={track} moment={moment} />;
}

function Shown({ track, moment }: { track: Track; moment: Moment }) {
  const t = useWords();
  const pieces = useMemo(() => piecesOf(track, moment), [track, moment]);
  const compared = useCompared(pieces);
  const [order, setOrder] = useState<Order>("size");
  const [running, setRunning] = useState(false);
  const [all, setAll] = useState(false);
  const waterfall = running && track.signed;
  const chart = useMemo(
    () => pieces && chartOf(pieces, order, waterfall, all, compared?.before),
    [pieces, order, waterfall, all, compared?.before],
  );
  return (
    <section aria-labelledby="words-title">
      <div class="heading">
        <h2 id="words-title">{t("wordsTitle")}</h2>
        {pieces && (
          <div class="controls">
            <Segments kind="factors" label={t("factorOrder")} names={["size", "column"] as const} shown={order}
              text={(name) => t(`factorOrder.${name}`)} choose={setOrder} />
            {track.signed && (
              <Check id="running" label={t("running")} on={running} change={setRunning} />
            )}
          </div>
        )}
      </div>
      <p class="caption" id="words-caption">
        {captionOf(t, track, moment, pieces, compared, waterfall)}
      </p>
      <p class="chip" id="factors-verdict">
        {moment.verdict && <VerdictIcon label={moment.verdict.label} />}
        {moment.verdict ? t("verdict." + moment.verdict.label) : `△ ${t("unverified")}`}
      </p>
      {chart && pieces ? (
        <Table track={track} pieces={pieces} compared={compared} chart={chart} waterfall={waterfall} />
      ) : (
        <Plain track={track} />
      )}
      {pieces && canFold(pieces) && (
        <button type="button" id="factors-all" class="quiet" aria-pressed={all} onClick={() => setAll(!all)}>
          {t(all ? "factorFew" : "factorAll", { n: pieces.count })}
        </button>
      )}
      {chart && track.signed && (
        <p class="readout" id="factors-sum">
          {t("factorSum", { sum: signedNumber(chart.total) })}
        </p>
      )}
    </section>
  );
}

function captionOf(
  t: ReturnType<typeof useWords>,
  track: Track,
  moment: Moment,
  pieces: Pieces | null,
  compared: Compared | null,
  waterfall: boolean,
): string {
  if (!pieces) return t("wordsSilent");
  const kind = waterfall ? "factorRunning" : track.signed ? "factorSigned" : "factorCaption";
  return joined(
    t,
    t(kind, { method: methodName(moment) }),
    compared && !waterfall && t("factorChanged", { other: compared.name }),
  );
}

interface TableProps {
  track: Track;
  pieces: Pieces;
  compared: Compared | null;
  chart: Chart;
  waterfall: boolean;
}

function Table({ track, pieces, compared, chart, waterfall }: TableProps) {
  const t = useWords();
  const columns = ["factor", "cell", "value", ...(compared ? ["change"] : []), ...(waterfall ? ["sum"] : [])];
  return (
    <table
      id="factors"
      class={["factors", compared ? "compared" : "", waterfall ? "waterfall" : ""].filter(Boolean).join(" ")}
    >
      <thead>
        <tr>
          {columns.slice(0, 2).map((name) => (
            <th scope="col">{t(name)}</th>
          ))}
          <th scope="col" class="bar-head">
            <span class="unseen">{t("factorBar")}</span>
          </th>
          {columns.slice(2).map((name) => (
            <th scope="col" class="amounts">
              {t(name)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {chart.bars.map((bar) => (
          <Factor
            key={bar.index}
            bar={bar}
            track={track}
            pieces={pieces}
            compared={compared}
            chart={chart}
            waterfall={waterfall}
          />
        ))}
      </tbody>
    </table>
  );
}

function Factor({ bar, track, pieces, compared, chart, waterfall }: TableProps & { bar: Bar }) {
  const t = useWords();
  const { index, value, count } = bar;
  const own = index >= 0;
  const name = own ? pieces.label(index) : t(index === -1 ? "factorOthers" : "factorTotal", { n: count });
  const amount = track.signed ? signedNumber(value) : number(value);
  const zero = barPlace(chart, chart.low, 0).width;
  const { left, width } = barPlace(chart, bar.from, bar.to);
  return (
    <tr class={own ? (pieces.special(index) ? "special" : "") : index === -2 ? "total" : "others"} data-i={index}>
      <th scope="row">{name}</th>
      <td class="given">{own ? visible(track.cells[index] ?? "") : ""}</td>
      <td class="bars" aria-hidden="true">
        <span class="chart">
          <i class="zero" style={{ left: `${zero}%` }} />
          <i class={value < 0 ? "bar contra" : "bar"} style={{ left: `${left}%`, width: `${width}%` }} />
          {compared && own && !waterfall && compared.told(index) && (
            <i class="before" style={{ left: `${barPlace(chart, chart.low, compared.before[index]).width}%` }} />
          )}
        </span>
      </td>
      <td class="amounts">{amount}</td>
      {compared && <td class="amounts change">{own ? signedNumber(compared.change(index), 2) : ""}</td>}
      {waterfall && <td class="amounts">{signedNumber(bar.running)}</td>}
    </tr>
  );
}

// No method has said what counted: the row itself.
function Plain({ track }: { track: Track }) {
  const t = useWords();
  return (
    <table id="factors" class="factors plain">
      <thead>
        <tr>
          <th scope="col">{t("factor")}</th>
          <th scope="col">{t("cell")}</th>
        </tr>
      </thead>
      <tbody>
        {track.units.map(([label], index) => (
          <tr>
            <th scope="row">{visible(label)}</th>
            <td class="given">{visible(track.cells[index] ?? "")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
