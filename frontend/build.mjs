// Builds the one ES module and, from what went into it, the list of licences.
// node build.mjs [--check]: with --check nothing is written; a difference is an error.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

const TARGET = "../src/zhuyi/ui/view/bundle/";
const LARGEST = 60_000; // bytes, compressed

// The styles' own properties get short names, too, but for those that single elements set.
const letter = (first, i) => String.fromCharCode(first.charCodeAt(0) + i);
const sheets = await Promise.all(["base", "grid", "head", "input"]
  .map((name) => readFile(`src/style/${name}.css`, "utf8")));
const properties = new Map([...new Set(sheets.join().match(/(?<=\s)--[a-z][\w-]*(?=:)/g))]
  .filter((name) => name !== "--bar").map((name, i) => [name, `--${letter(i < 26 ? "a" : "A", i % 26)}`]));

// Styles become text inside the module: a shadow root takes them without a style element.
const styles = {
  name: "styles",
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const own = (await readFile(path, "utf8")).replace(/--[a-z][\w-]*/g, (name) => properties.get(name) ?? name);
      const { code } = await transform(own, { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

// Sentences: English comes with the module, Chinese beside it as data that a host hands over when a
// reader asks for it (src/zhuyi/ui/view/words.py). Both stand side by side in src/strings.
const both = { en: {}, zh: {} };
for (const name of ["base", "grid", "head", "input"]) {
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

// Keys of several words get short names (zAa, zAb), as variables do. Whole stay those that the sources put
// together from parts: they do not stand there, or others begin with them (coverage, coverageStep).
// "~" tells which module sentences belong to.
const sources = (await readdir("src", { recursive: true })).filter((name) => /\.tsx?$/.test(name)
  && !/strings.(base|grid|head|input)\.ts$/.test(name));
const code = (await Promise.all(sources.map((name) => readFile(`src/${name}`, "utf8")))).join();
const keys = Object.keys(both.zh);
const short = new Map(keys.filter((key) => /^[a-z]+[A-Z]\w*$/.test(key) && code.includes(`"${key}"`)
  && !keys.some((one) => one !== key && one.startsWith(key)))
  .map((key, i) => [key, `z${letter("A", Math.floor(i / 26))}${letter("a", i % 26)}`]));
both.en["~"] = both.zh["~"] = createHash("sha256").update([...short.keys()].join()).digest("hex").slice(0, 6);
const shorten = (table) => Object.fromEntries(Object.entries(table).map(([key, text]) => [short.get(key) ?? key, text]));
const sentences = {
  name: "sentences",
  setup(builder) {
    builder.onLoad({ filter: /src\/.*\.tsx?$/ }, async ({ path }) => {
      const [, name] = /strings\/(base|grid|head|input)\.ts$/.exec(path) ?? [];
      if (name === "base") return { contents: `export const base = ${JSON.stringify(shorten(both.en))};`, loader: "js" };
      if (name) return { contents: `export const ${name} = {};`, loader: "js" };
      const code = await readFile(path, "utf8");
      const known = (text, key) => {
        const name = short.get(key) ?? properties.get(key);
        return name ? `"${name}"` : text;
      };
      return { contents: code.replace(/"([\w-]+)"/g, known), loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

const result = await build({
  entryPoints: ["src/index.tsx"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  // Not as tsconfig.json has it for the type check: this gives a smaller module.
  tsconfigRaw: {
    compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment", useDefineForClassFields: false },
  },
  inject: ["src/jsx.ts"],
  plugins: [styles, sentences],
  metafile: true,
  write: false,
});

// "</script" would end the element that carries the module in a page.
const small = await minify(result.outputFiles[0].text, {
  module: true,
  ecma: 2022,
  compress: { passes: 3, pure_getters: true, unsafe: true },
});
const script = small.code.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
const packages = new Set(Object.keys(result.metafile.inputs)
  .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
let licences = "What zhuyi.js is made of, besides zhuyi itself (Apache-2.0).\n";
for (const name of [...packages].sort()) {
  const { version, license } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  licences += `\n${name} ${version} (${license})\n\n${await readFile(`node_modules/${name}/LICENSE`, "utf8")}`;
}

const size = gzipSync(script, { level: 9 }).length;
console.log(`zhuyi.js: ${script.length.toLocaleString("en")} bytes, ${size.toLocaleString("en")} compressed (at most ${LARGEST.toLocaleString("en")})`);
if (size > LARGEST) {
  console.error("the module is too large");
  process.exitCode = 1;
}

const words = `${JSON.stringify(Object.fromEntries(Object.entries(shorten(both.zh)).sort()), null, 0)}\n`;
const wanted = { "zhuyi.js": script, "zhuyi.zh.json": words, "LICENSES.txt": licences };
for (const [name, text] of Object.entries(wanted)) {
  if (!process.argv.includes("--check")) {
    await writeFile(TARGET + name, text);
    continue;
  }
  const kept = await readFile(TARGET + name, "utf8").catch(() => "");
  if (kept !== text) {
    console.error(`${name} is not what frontend/ builds: run \`npm run build\` in frontend/ and commit it`);
    process.exitCode = 1;
  }
}
