// The stretches of a series and what counted there, as a table.
import { useState } from "preact/hooks";
import { number } from "../../format";
import { useWords } from "../../strings";
import { type Compared, type Pieces, signedNumber } from "./pieces";
import { channelName, type Series, type Span } from "./signal";

const LISTED = 200;

// Made when it is opened.
export function Stretches({
  series,
  pieces,
  compared,
}: {
  series: Series;
  pieces: Pieces;
  compared: Compared | null;
}) {
  const t = useWords();
  const [open, setOpen] = useState(false);
  const rows = open ? pieces.ranked.filter((index) => series.spans.has(index)).slice(0, LISTED) : [];
  const columns = ["signalPart", "signalChannel", "signalFrom", "signalTo", "value", ...(compared ? ["change"] : [])];
  return (
    <details id="spans" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {t("signalNumbers", { shown: Math.min(LISTED, pieces.ranked.length), all: pieces.ranked.length })}
      </summary>
      {open && (
        <div class="scroll tall" tabIndex={0} role="group" aria-label={t("wordsTitle")}>
          <table>
            <thead>
              <tr>
                {columns.map((name) => (
                  <th scope="col">{t(name)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((index) => {
                const { channel, start, stop } = series.spans.get(index) as Span;
                return (
                  <tr>
                    <td>{pieces.label(index)}</td>
                    <td>{channelName(t, series, channel)}</td>
                    <td>{start}</td>
                    <td>{stop - 1}</td>
                    <td>{number(pieces.values[index])}</td>
                    {compared && <td>{signedNumber(compared.change(index))}</td>}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
