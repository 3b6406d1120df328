// Whether to believe it: the verdict, its first reasons, and every test with its numbers.
import { number } from "../../format";
import { useShown } from "../../store";
import { type Translate, useWords } from "../../strings";
import type { Finding, Label, Said, Verdict } from "../../types";
import { Facts } from "./Facts";

const REASONS = 3;
const OUTCOMES = ["refutes", "cautions", "supports", "skipped", "informs"]; // the most important first
const MARKS: Record<string, string> = { supports: "✔", cautions: "?", refutes: "✘", informs: "·", skipped: "–" };

// Verdicts told apart by shape: a circle with a check, a triangle with a question, an octagon with a cross.
export const SHAPES = {
  trusted: "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z",
  doubtful: "M12 1.2 23.6 22.2 0.4 22.2z",
  refuted: "M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z",
};
const SIGNS = {
  trusted: "M7 12.4l3.4 3.4L17 9",
  doubtful: "M9.9 11.4q0-2.3 2.1-2.3t2.1 2q0 1.6-2.1 2.6v1.2M12 18.4v.1",
  refuted: "M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6",
};

export function VerdictIcon({ label }: { label: Label }) {
  return (
    <svg viewBox="0 0 24 24" class={`icon ${label}`} aria-hidden="true">
      <path d={SHAPES[label]} class="shape" />
      <path d={SIGNS[label]} class="sign" />
    </svg>
  );
}

const named = (t: Translate, prefix: string, name: string): string => {
  const text = t(`${prefix}.${name}`);
  return text === `${prefix}.${name}` ? capital(name.replaceAll("_", " ")) : text;
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function Belief({ verdict }: { verdict: Verdict }) {
  const { lang } = useShown("lang");
  const t = useWords();
  const said = (two: Said): string => two[lang] || two.en;
  const findings = [...verdict.findings].sort((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome));
  // A deletion test that could not run is the reason for a doubt; any other is a footnote.
  const told = findings.filter(
    (one) => one.outcome !== "informs" && (one.outcome !== "skipped" || one.test === "Deletion"),
  );
  const skipped = findings
    .filter((one) => one.outcome === "skipped" && !told.includes(one))
    .map((one) => named(t, "test", one.test));
  const notes = [
    ...(skipped.length ? [t("saysNothing", { list: skipped.join(t("comma")) })] : []),
    ...verdict.notes.map(said),
    t("evidence"),
  ];
  return (
    <div class={`belief ${verdict.label}`} id="belief" role="note">
      <p class="belief-word" id="belief-word">
        <VerdictIcon label={verdict.label} />
        {t("verdict." + verdict.label)}
      </p>
      <p class="belief-said" id="belief-said">
        {capital(said(verdict.headline))}
      </p>
      <ul class="belief-why" id="belief-why">
        {told.slice(0, REASONS).map((one) => (
          <li>
            <Outcome outcome={one.outcome} />
            <span>{said(one.said)}</span>
          </li>
        ))}
      </ul>
      <p class="belief-note" id="belief-note">
        {notes.join(t("space"))}
      </p>
      <details id="belief-all">
        <summary>{t("allTests")}</summary>
        <div id="findings">
          {findings.map((one) => (
            <Found finding={one} said={said(one.said)} />
          ))}
          <p class="belief-note">{t("removedBy", { how: verdict.removal })}</p>
        </div>
      </details>
    </div>
  );
}

// A sign and a word: color is never the only one.
function Outcome({ outcome }: { outcome: Finding["outcome"] }) {
  const t = useWords();
  return <b class={`outcome ${outcome}`}>{`${MARKS[outcome] ?? "·"} ${t(outcome)}`}</b>;
}

function Found({ finding, said }: { finding: Finding; said: string }) {
  const t = useWords();
  const shown = (value: number | string | null): string =>
    value === null || value === "" ? "–" : typeof value === "number" ? number(value, 4) : value;
  const details = Object.entries(finding.details).filter(([name]) => !Object.hasOwn(finding.numbers, name));
  const numbers = [...Object.entries(finding.numbers), ...details];
  return (
    <div class="finding">
      <h3>
        {named(t, "test", finding.test)}
        <Outcome outcome={finding.outcome} />
      </h3>
      <p>{said}</p>
      <Facts
        small
        facts={[
          ...numbers.map(([name, value]): [string, string] => [named(t, "n", name), shown(value)]),
          [t("calls"), number(finding.calls)],
        ]}
      />
      <code>{finding.settings}</code>
    </div>
  );
}
