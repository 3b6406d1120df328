// Builds every ES module and, from what went into it, its list of licences.
// node build.mjs [--check]: with --check nothing is written; a difference is an error.
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { makeModule } from "./module.mjs";
import { viewParts } from "./view.mjs";

// largest: bytes, compressed.
const MODULES = [
  { name: "zhuyi", entry: "src/index.tsx", target: "../src/zhuyi/ui/view/bundle/", largest: 60_000 },
  { name: "steering", entry: "src/steering/index.tsx", target: "../src/zhuyi/ui/steering/bundle/", largest: 40_000 },
  { name: "feed", entry: "src/feed/index.tsx", target: "../src/zhuyi/ui/feed/bundle/", largest: 40_000 },
];

const checking = process.argv.includes("--check");
const count = (bytes) => bytes.toLocaleString("en");

function fail(what) {
  console.error(what);
  process.exitCode = 1;
}

for (const { name, entry, target, largest } of MODULES.filter((one) => existsSync(one.entry))) {
  const parts = name === "zhuyi" ? await viewParts() : {};
  const { script, licences } = await makeModule(`${name}.js`, entry, parts);
  const size = gzipSync(script, { level: 9 }).length;
  console.log(`${name}.js: ${count(script.length)} bytes, ${count(size)} compressed (at most ${count(largest)})`);
  if (size > largest) fail("the module is too large");
  const wanted = { [`${name}.js`]: script, "LICENSES.txt": licences };
  if (parts.words) wanted[`${name}.zh.json`] = parts.words;
  if (!checking) await mkdir(target, { recursive: true });
  for (const [file, text] of Object.entries(wanted)) {
    if (!checking) await writeFile(target + file, text);
    else if (await readFile(target + file, "utf8").catch(() => "") !== text) {
      fail(`${file} is not what frontend/ builds: run \`npm run build\` in frontend/ and commit it`);
    }
  }
}
