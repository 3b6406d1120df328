// Whether to believe the reasons.
import { LevelIcon, type Level } from "../../steering/views/LevelIcon";
import { told } from "../../steering/words";
import { useShown, useStore } from "../store";

const LEVELS: readonly string[] = ["trusted", "doubtful", "refuted"];

export function Believing() {
  const store = useStore();
  const { believed, checking, lang, answer } = useShown();
  if (!answer) return null;
  const verdict = believed?.verdict;
  return (
    <section class="believing" aria-labelledby="believing-title" aria-busy={Boolean(checking)}>
      <h2 id="believing-title">{store.say("verdict")}</h2>
      <div id="verdict" aria-live="polite">
        {verdict ? (
          <div class={`belief ${verdict.level}`}>
            <p class="level">
              {LEVELS.includes(verdict.level) && <LevelIcon level={verdict.level as Level} />}
              {store.say(`verdict.${verdict.level}`)}
            </p>
            <p class="note">{store.say("verdictOf", { title: store.title(believed?.film ?? -1) })}</p>
            <ul>{verdict.reasons.map((one) => <li>{told(one, lang)}</li>)}</ul>
          </div>
        ) : <p class="note">{believed?.untested ? told(believed.untested, lang) : store.say(believed ? "verdictNone" : "verdictWaits")}</p>}
      </div>
    </section>
  );
}
