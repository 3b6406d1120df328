// Whether to believe what the columns say.
import { type Level, LevelIcon } from "./LevelIcon";
import { useShown, useStore } from "../store";
import { told } from "../words";

const LEVELS: readonly string[] = ["trusted", "doubtful", "refuted"];

export function Believing() {
  const store = useStore();
  const { believed, checking, checkFailed, lang } = useShown();
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
            <ul>{verdict.reasons.map((one) => <li>{told(one, lang)}</li>)}</ul>
          </div>
        ) : checkFailed ? <p class="note">{store.say("checkFailed", { what: checkFailed })}</p>
          : <p class="note">{believed?.untested ? told(believed.untested, lang) : store.say(believed ? "verdictNone" : "verdictWaits")}</p>}
      </div>
    </section>
  );
}
