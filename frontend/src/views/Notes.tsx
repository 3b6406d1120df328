// How to read the page honestly: what the numbers are, how exact, and what they are not.
import { number } from "../format";
import { useShown, useStore } from "../store";
import { type Translate, useWords } from "../strings";
import type { Moment, Track } from "../types";
import { kernelNames } from "./Hero";

export function Notes() {
  const store = useStore();
  const { track, moment } = useShown("track", "moment");
  const t = useWords();
  if (!track || !moment) return null;
  const notes = notesOf(t, track, moment, store.source.model.get("host") === "page");
  return (
    <footer>
      <h2>{t("notesTitle")}</h2>
      <ul id="notes">
        {notes.map((note) => (
          <li>{note}</li>
        ))}
      </ul>
    </footer>
  );
}

function notesOf(t: Translate, track: Track, moment: Moment, file: boolean): string[] {
  const heads = track.entries.length > 0;
  const notes = [
    t(moment.verdict ? "noteVerified" : "noteVerify") + (moment.verdict && heads ? t("space") + t("noteHeads") : ""),
  ];
  if (heads) notes.push(t("noteKernel", kernelNames(moment)));
  if (moment.heads.some((head) => head?.detailed)) {
    const [score, weight] = moment.errors;
    notes.push(t("noteOperator", { score: number(score, 2), weight: number(weight, 2) }));
  }
  if (heads) {
    const floors = [...new Set(track.entries.map((entry) => number(entry.floor, 2)))].join(", ");
    notes.push(t("notePool", { floor: floors }), t("noteCross"));
  }
  notes.push(t(file ? "noteOffline" : "noteServed"));
  const versions = Object.entries(track.versions)
    .map((pair) => pair.join(" "))
    .join(", ");
  if (versions) notes.push(t("noteVersions", { versions }));
  return notes;
}
