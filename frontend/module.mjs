// One ES module from one entry, with its styles inside, and the licences of what went into it.
import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";
import { minify } from "terser";
import { sheet } from "./sheets.mjs";

// Styles become text inside the module: a shadow root takes them without a style element.
const styles = (rename) => ({
  name: "styles",
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(rename(await sheet(path)), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
});

// rename: of a style sheet's text; plugins: of esbuild, after the styles.
export async function makeModule(name, entry, { rename = (text) => text, plugins = [] } = {}) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
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
    plugins: [styles(rename), ...plugins],
    metafile: true,
    write: false,
  });
  const small = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2022,
    compress: { passes: 3, pure_getters: true, unsafe: true },
  });
  // "</script" would end the element that carries the module in a page.
  const script = small.code.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
  return { script, licences: await licencesOf(name, Object.keys(metafile.inputs)) };
}

async function licencesOf(name, inputs) {
  const packages = new Set(inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  let text = `What ${name} is made of, besides zhuyi itself (Apache-2.0).\n`;
  for (const one of [...packages].sort()) {
    const { version, license } = JSON.parse(await readFile(`node_modules/${one}/package.json`, "utf8"));
    text += `\n${one} ${version} (${license})\n\n${await readFile(`node_modules/${one}/LICENSE`, "utf8")}`;
  }
  return text;
}
