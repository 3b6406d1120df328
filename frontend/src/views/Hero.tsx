// What was asked, what was decided, and whether to believe the reasons shown.
import { useShown } from "../store";
import { percent, type Translate, useWords } from "../strings";
import type { Moment, Track } from "../types";
import { Facts } from "./input/Facts";
import { Belief } from "./input/Verdict";

export function Hero() {
  const { track, moment, index } = useShown("track", "moment", "index");
  const t = useWords();
  if (!track || !moment) return null;
  return (
    <section class="hero" aria-labelledby="model">
      {track.task && (
        <p class="eyebrow" id="task">
          {t(track.task)}
        </p>
      )}
      <h1 id="model">{track.model || index.title || t("untitled")}</h1>
      <Decision moment={moment} />
      {moment.verdict ? (
        <Belief verdict={moment.verdict} />
      ) : (
        <div class="badge" id="unverified" role="note">
          <strong>{t("unverified")}</strong>
          <span>{t(track.entries.length ? "unverifiedWhy" : "unverifiedValues")}</span>
        </div>
      )}
      <Facts id="facts" facts={headerFacts(t, track, moment)} />
    </section>
  );
}

function Decision({ moment }: { moment: Moment }) {
  const t = useWords();
  const { decision, probability, alternatives } = moment;
  if (!decision) return null;
  const withChance = (label: string, chance: number | null): string =>
    chance === null ? label : t("withChance", { label, chance: percent(t, chance) });
  const others = alternatives.slice(1, 4).map(([label, chance]) => withChance(label, chance));
  return (
    <p class="decision" id="decision">
      {probability === null
        ? t("computed", { label: t(decision) })
        : t("decided", { label: withChance(decision, probability) })}
      {others.length > 0 && <span class="quietly">{t("otherwise", { list: others.join(" · ") })}</span>}
    </p>
  );
}

export const kernelNames = (moment: Moment): { kernels: string; backends: string } => ({
  kernels: moment.kernels.join(", ") || "–",
  backends: moment.backends.join(", ") || "–",
});

function headerFacts(t: Translate, track: Track, moment: Moment): [string, string][] {
  const tokens = track.sequences.map((one) => one.labels.length).join(" + ");
  const heads = track.entries.length > 0;
  const facts: [string, string][] = [
    [t("method"), moment.method],
    [t("why"), moment.reason && t(moment.reason)],
    [t("kernel"), heads || moment.kernels.length ? t("kernelValue", kernelNames(moment)) : ""],
    [t("host"), [track.dtype, track.device].filter(Boolean).join(" · ")],
    [
      t("size"),
      heads
        ? t("sizeValue", { tokens, shown: track.entries.length, all: track.heads_in_model })
        : tokens && t("sizeTokens", { tokens }),
    ],
    [t("unseen"), track.unseen.join(", ")],
  ];
  return facts.filter(([, value]) => value);
}
