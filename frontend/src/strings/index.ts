// Words in two languages. A host's own labels pass through unchanged. Chinese is handed over by the
// host when it is asked for: the build leaves the English sentences here and writes the Chinese ones
// beside the module.
import type { Store } from "../store";
import { number } from "../format";
import { base } from "./base";
import { grid } from "./grid";
import { head } from "./head";
import { input } from "./input";
import { useShown, useStore } from "../store";

export type Strings = Record<"en" | "zh", Record<string, string>>;
export type Translate = (name: string, values?: Record<string, unknown>) => string;

// What the build makes of a file of sentences.
const english = (both: Strings): Record<string, string> => both as unknown as Record<string, string>;

const TABLES: Strings = {
  en: { ...english(base), ...english(grid), ...english(head), ...english(input) },
  zh: {},
};

export const knows = (lang: "en" | "zh"): boolean => Object.keys(TABLES[lang]).length > 0;

// Change the language; where its words cannot be had, English stays.
export async function speak(store: Store, lang: "en" | "zh"): Promise<void> {
  try {
    if (!knows(lang)) {
      const words = await store.source.words(lang);
      if (words["~"] !== TABLES.en["~"]) throw new Error("words of another module");
      TABLES[lang] = words;
    }
    store.set({ lang });
  } catch {
    store.set({ lang: "en" });
  }
}

export function translate(lang: "en" | "zh", name: string, values: Record<string, unknown> = {}): string {
  // hasOwn: a label called "constructor" is a label.
  const table = [TABLES[lang], TABLES.en].find((one) => Object.hasOwn(one, name));
  const text = table?.[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (mark, key) => (Object.hasOwn(values, key) ? String(values[key]) : mark));
}

export const translator = (store: Store): Translate => (name, values) => translate(store.state.lang, name, values);

// t() for a component, drawn again when the language changes.
export function useWords(): Translate {
  useShown("lang");
  return translator(useStore());
}

export const percent = (t: Translate, share: number): string =>
  t("percent", { n: number(share * 100, share < 0.1 ? 2 : 3) });
