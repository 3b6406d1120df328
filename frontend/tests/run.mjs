// Bundles every tests/*.test.ts and runs it: node tests/run.mjs
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL(".", import.meta.url));
// From a file, not a data address: a stack then names a line instead of the whole text.
async function load(text) {
  const place = join(await mkdtemp(join(tmpdir(), "zhuyi-")), "test.mjs");
  await writeFile(place, text);
  return import(pathToFileURL(place).href);
}

for (const name of (await readdir(folder)).filter((one) => one.endsWith(".test.ts")).sort()) {
  const { outputFiles: [file] } = await build({ entryPoints: [folder + name], bundle: true, format: "esm",
    platform: "node", target: "es2022", write: false });
  const { tests } = await load(file.text);
  for (const [what, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok   ${name}: ${what}`);
    } catch (error) {
      process.exitCode = 1;
      console.error(`FAIL ${name}: ${what}\n${error.stack}`);
    }
  }
}
