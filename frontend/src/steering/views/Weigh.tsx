// The small panel at a word or factor: more, less, never, or as it was.
import { amount, markOf } from "../marks";
import { change, mostMoved, plain } from "../numbers";
import { actionOf, idOf, same, weightOf } from "../rule";
import { useShown, useStore } from "../store";
import type { Piece } from "../types";
import { Slider } from "./Slider";

export function Weigh({ piece, close }: { piece: Piece; close: () => void }) {
  const store = useStore();
  const state = useShown();
  const { own, others } = markOf(store.say, state, piece);
  const name = plain(piece.name);
  const weight = own ? weightOf(own.rule) : 1;
  const found = own && state.answer?.rules.find((one) => one.id === idOf(own.rule));
  const both = piece.before !== piece.after;
  return (
    <>
      <div class="heading">
        <h3 id="popover-title">{name}{piece.text ? `: ${piece.text}` : ""}</h3>
        <button type="button" class="close" aria-label={store.say("close")} onClick={close}>×</button>
      </div>
      <p class="note">
        {amount(piece, piece.after)}
        {both && ` · ${store.say("withoutRules")} ${amount(piece, piece.before)}`}
      </p>
      {piece.select ? (
        <>
          <Slider label={store.say("weightOf", { name })} weight={weight}
            put={(value) => store.weigh(piece, value, `weigh ${JSON.stringify(piece.select)}`)} />
          <div class="tools">
            <button type="button" class="quiet" id="never" aria-pressed={weight === 0 && Boolean(own)}
              onClick={() => store.weigh(piece, 0)}>{store.say("never")}</button>
            <button type="button" class="quiet" id="reset" disabled={!own}
              onClick={() => store.release(piece)}>{store.say("reset")}</button>
            {found && state.answer && (
              <span class="effect">{change(store.say, found.effects[mostMoved(found)], state.answer.after)}</span>
            )}
          </div>
          {Boolean(piece.everywhere) && own && (
            <label class="check">
              <input type="checkbox" id="everywhere" checked={same(own.rule[actionOf(own.rule)], piece.everywhere)}
                onChange={(event) => store.widen(piece, event.currentTarget.checked)} />{" "}
              {store.say("everywhere", { name })}
            </label>
          )}
        </>
      ) : <p class="note">{store.say("cannotSelect")}</p>}
      {others.length > 0 && (
        <p class="note">{store.say("alsoUnder", { list: others.map((one) => idOf(one.rule)).join(", ") })}</p>
      )}
    </>
  );
}
