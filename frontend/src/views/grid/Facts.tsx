// The chosen head in numbers, and what they were before.
import { useShown } from "../../store";
import { useWords } from "../../strings";
import type { Reference } from "./change";
import { headName, statText } from "./heads";

export function Facts({ reference }: { reference: Reference | null }) {
  const { track, moment, entry } = useShown("track", "moment", "entry");
  const t = useWords();
  const head = moment?.heads[entry];
  if (!track || !head) return null;
  const before = reference?.statsOf(entry);
  return (
    <>
      <h3 id="facts-title">{t("inNumbers", { name: headName(t, head.entry) })}</h3>
      <dl class="facts small" id="head-facts">
        {track.statistics
          .filter((name) => name in head.stats)
          .map((name) => {
            const now = statText(t, name, head.stats[name]);
            const then = before && name in before ? statText(t, name, before[name]) : now;
            return (
              <div key={name}>
                <dt>{t("stat." + name)}</dt>
                <dd>
                  {now}
                  {then !== now && <small class="was">{t("was", { value: then })}</small>}
                </dd>
              </div>
            );
          })}
        <div>
          <dt>{t("headKernel")}</dt>
          <dd>{head.kernel}</dd>
        </div>
      </dl>
    </>
  );
}
