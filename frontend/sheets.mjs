// Style sheets as the sources have them, with the sheets that they import in their places.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export async function sheet(path) {
  const text = await readFile(path, "utf8");
  const parts = await Promise.all(text.split(/(@import "[^"]+";\n)/).map((part) => {
    const [, name] = /^@import "([^"]+)"/.exec(part) ?? [];
    return name ? sheet(join(dirname(path), name)) : part;
  }));
  return parts.join("");
}
