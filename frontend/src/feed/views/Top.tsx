// The brand, and the two switches that a reader keeps.
import { storage } from "../../dom";
import { useShown, useStore } from "../store";

export function Top() {
  const store = useStore();
  const { lang, theme, desk } = useShown();
  const other = lang === "en" ? "zh" : "en";
  const next = ({ auto: "light", light: "dark", dark: "auto" } as const)[theme];
  const keep = (name: "lang" | "theme", value: string): void => {
    storage.put(name, value);
    store.set({ [name]: value, done: "" });
  };
  return (
    <header class="top">
      <div class="brand">
        <b>zhuyi</b> <span lang="zh">注意</span>
        {desk.about.data && <span id="model">{store.say("data", { name: desk.about.data })}</span>}
      </div>
      <div class="tools">
        <button type="button" id="language" class="quiet" lang={other === "zh" ? "zh-Hans" : "en"}
          aria-label={store.say("otherLabel")} onClick={() => keep("lang", other)}>{store.say("other")}</button>
        <button type="button" id="theme" class="quiet" onClick={() => keep("theme", next)}>
          {store.say({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[theme])}
        </button>
      </div>
    </header>
  );
}
