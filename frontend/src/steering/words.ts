// Sentences in two languages; {name} marks are filled.
import type { Lang, Told } from "./types";

export type Sentences = Record<Lang, Record<string, string>>;
export type Say = (name: string, values?: Record<string, unknown>) => string;

export const sayer = (sentences: Sentences, lang: Lang): Say => (name, values = {}) =>
  (sentences[lang][name] ?? sentences.en[name] ?? name)
    .replace(/\{(\w+)\}/g, (mark, key) => (Object.hasOwn(values, key) ? String(values[key]) : mark));

export const told = (one: Told, lang: Lang): string => (typeof one === "string" ? one : one[lang] || one.en);
