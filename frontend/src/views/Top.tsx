// The brand and the two switches that a reader keeps: language and theme.
import { storage } from "../dom";
import { useShown, useStore } from "../store";
import { speak, useWords } from "../strings";

export function Top() {
  const store = useStore();
  const { lang, theme } = useShown("lang", "theme");
  const t = useWords();
  const other = lang === "en" ? "zh" : "en";
  const next = ({ auto: "light", light: "dark", dark: "auto" } as const)[theme];
  return (
    <header class="top">
      <div class="brand">
        <b>zhuyi</b>
        <span lang="zh">注意</span>
      </div>
      <div class="tools">
        <button
          type="button"
          id="language"
          class="quiet"
          lang={other === "zh" ? "zh-Hans" : "en"}
          aria-label={t("otherLabel")}
          onClick={() => {
            storage.put("lang", other);
            void speak(store, other);
          }}
        >
          {t("other")}
        </button>
        <button
          type="button"
          id="theme"
          class="quiet"
          onClick={() => {
            storage.put("theme", next);
            store.set({ theme: next });
          }}
        >
          {t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[theme])}
        </button>
      </div>
    </header>
  );
}
