// What a veto may claim, in plain words, and every check behind it.
import { useShown, useStore } from "../store";
import type { Certificate } from "../types";
import { told } from "../words";

const REASONS = 2;
const MARKS: Record<string, string> = { held: "✔", failed: "✘", unchecked: "?" };

export function CertificateView({ certificate }: { certificate: Certificate }) {
  const store = useStore();
  const { lang } = useShown();
  const { asked, level, kept, claim, items, leaks, offered } = certificate;
  const because = items.filter((one) => one.state !== "held").slice(0, REASONS);
  return (
    <div class={kept ? "claim kept" : "claim lowered"} role="group" aria-label={store.say("certificate")}>
      <p>
        <b><span aria-hidden="true">{kept ? "✔ " : "△ "}</span>{store.say(kept ? "levelKept" : "levelLowered")}: {store.say(`level.${level}`)}</b>
        {!kept && ` (${store.say("levelAsked", { asked: store.say(`level.${asked}`) })})`}
      </p>
      <p>{capital(told(claim, lang))}{lang === "zh" ? "。" : "."}</p>
      {!kept && because.length > 0 && <ul class="checks">{because.map((one) => <Check item={one} />)}</ul>}
      {leaks.length > 0 && (
        <ul class="leaks" aria-label={store.say("leaks")}>{leaks.map((one) => <li>{told(one.said, lang)}</li>)}</ul>
      )}
      {offered && <p class="note">{store.say(`offered.${offered}`)}</p>}
      {items.length > 0 && (
        <details>
          <summary>{store.say("checks")}</summary>
          <ul class="checks">
            {items.map((one) => <Check item={one} />)}
          </ul>
        </details>
      )}
    </div>
  );
}

function Check({ item: { state, said } }: { item: Certificate["items"][number] }) {
  const store = useStore();
  const { lang } = useShown();
  return (
    <li class={state}>
      <b role="img" aria-label={store.say(`state.${state}`)}>{MARKS[state] ?? "·"}</b> {told(said, lang)}
    </li>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
