// What the view of looks needs besides: it must stay small, so names get short, and its Chinese
// sentences stand beside the module.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { build } from "esbuild";
import { sheet } from "./sheets.mjs";

const PARTS = ["base", "grid", "head", "input"];
const OTHERS = /^(steering|feed)\//; // folders of other modules

const letter = (first, i) => String.fromCharCode(first.charCodeAt(0) + i);

export async function viewParts() {
  const properties = await shortProperties();
  const both = await sentences();
  const short = await shortKeys(Object.keys(both.zh));
  // "~" tells which module sentences belong to.
  both.en["~"] = both.zh["~"] = createHash("sha256").update([...short.keys()].join()).digest("hex").slice(0, 6);
  const shorten = (table) => Object.fromEntries(Object.entries(table).map(([key, text]) => [short.get(key) ?? key, text]));
  return {
    rename: (text) => text.replace(/--[a-z][\w-]*/g, (name) => properties.get(name) ?? name),
    plugins: [sentencesInside(shorten(both.en), (name) => short.get(name) ?? properties.get(name))],
    words: `${JSON.stringify(Object.fromEntries(Object.entries(shorten(both.zh)).sort()), null, 0)}\n`,
  };
}

// The styles' own properties get short names, too, but for those that single elements set.
async function shortProperties() {
  const sheets = await Promise.all(PARTS.map((name) => sheet(`src/style/${name}.css`)));
  return new Map([...new Set(sheets.join().match(/(?<=\s)--[a-z][\w-]*(?=:)/g))]
    .filter((name) => name !== "--bar").map((name, i) => [name, `--${letter(i < 26 ? "a" : "A", i % 26)}`]));
}

// Sentences: English comes with the module, Chinese beside it as data that a host hands over when a
// reader asks for it (src/zhuyi/ui/view/words.py). Both stand side by side in src/strings.
async function sentences() {
  const both = { en: {}, zh: {} };
  for (const name of PARTS) {
    const one = await build({ entryPoints: [`src/strings/${name}.ts`], bundle: true, format: "esm", charset: "utf8",
      write: false });
    const [table] = Object.values(await import(
      `data:text/javascript;base64,${Buffer.from(one.outputFiles[0].text).toString("base64")}`));
    // Chinese also has sentences that come from Python in English: those are their own keys.
    const missing = Object.keys(table.en).find((key) => !(key in table.zh));
    const twice = Object.keys(table.zh).find((key) => key in both.zh);
    if (missing ?? twice) throw new Error(`${name}: ${missing ?? twice} is not once in both languages`);
    Object.assign(both.en, table.en);
    Object.assign(both.zh, table.zh);
  }
  return both;
}

// Keys of several words get short names (zAa, zAb), as variables do. Whole stay those that the sources put
// together from parts: they do not stand there, or others begin with them (coverage, coverageStep).
async function shortKeys(keys) {
  const sources = (await readdir("src", { recursive: true })).filter((name) => /\.tsx?$/.test(name)
    && !OTHERS.test(name) && !/strings.(base|grid|head|input)\.ts$/.test(name));
  const code = (await Promise.all(sources.map((name) => readFile(`src/${name}`, "utf8")))).join();
  return new Map(keys.filter((key) => /^[a-z]+[A-Z]\w*$/.test(key) && code.includes(`"${key}"`)
    && !keys.some((one) => one !== key && one.startsWith(key)))
    .map((key, i) => [key, `z${letter("A", Math.floor(i / 26))}${letter("a", i % 26)}`]));
}

const sentencesInside = (english, shortOf) => ({
  name: "sentences",
  setup(builder) {
    builder.onLoad({ filter: /src\/.*\.tsx?$/ }, async ({ path }) => {
      const [, name] = /strings\/(base|grid|head|input)\.ts$/.exec(path) ?? [];
      if (name === "base") return { contents: `export const base = ${JSON.stringify(english)};`, loader: "js" };
      if (name) return { contents: `export const ${name} = {};`, loader: "js" };
      const code = await readFile(path, "utf8");
      const known = (text, key) => {
        const name = shortOf(key);
        return name ? `"${name}"` : text;
      };
      return { contents: code.replace(/"([\w-]+)"/g, known), loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
});
