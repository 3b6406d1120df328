// Language and theme, which a reader keeps, and the element that the page draws into.
import { storage } from "../dom";
import type { Lang } from "./types";

export type Theme = "auto" | "light" | "dark";

export function firstLanguage(): Lang {
  const known = storage.get("lang");
  if (known === "en" || known === "zh") return known;
  return (navigator.language || "en").startsWith("zh") ? "zh" : "en";
}

export const firstTheme = (): Theme =>
  (["light", "dark"] as const).find((name) => name === storage.get("theme")) ?? "auto";

// A shadow root with these styles.
export function shadow(el: HTMLElement, css: string): ShadowRoot {
  const root = el.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  return root;
}

export function wear(el: HTMLElement, theme: Theme, lang: Lang): void {
  if (theme === "auto") delete el.dataset.theme;
  else el.dataset.theme = theme;
  document.documentElement.style.background = getComputedStyle(el).getPropertyValue("--paper");
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
}
