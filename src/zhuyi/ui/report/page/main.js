// Start: unpack the overview, draw everything once, then only what changes.
function applyTheme() {
  if (state.theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = state.theme;
}

function drawNotes() {
  const notes = [t(manifest.verdict ? "noteVerified" : "noteVerify"), t("noteKernel", kernelNames())];
  if (manifest.detailed) {
    notes.push(t("noteOperator", { score: number(manifest.errors[0], 2), weight: number(manifest.errors[1], 2) }));
  }
  const floors = [...new Set(entries.map((entry) => number(entry.floor, 2)))].join(", ");
  const versions = Object.entries(manifest.versions).map((pair) => pair.join(" ")).join(", ");
  notes.push(t("notePool", { floor: floors }), t("noteCross"), t("noteOffline"), t("noteVersions", { versions }));
  $("notes").replaceChildren(...notes.map((note) => make("li", note)));
}

function startTools() {
  $("language").addEventListener("click", () => {
    const lang = state.lang === "en" ? "zh" : "en";
    storage.put("lang", lang);
    set({ lang });
  });
  $("theme").addEventListener("click", () => {
    const theme = { auto: "light", light: "dark", dark: "auto" }[state.theme];
    storage.put("theme", theme);
    set({ theme });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (state.theme === "auto") retheme();
  });
  listen("theme", () => { applyTheme(); drawHeader(); drawGridCaption(); });
  listen("lang", () => { drawHeader(); drawGridCaption(); drawSequences(); drawNotes(); if (state.entry >= 0) drawHead(); });
  listen("theme", retheme);
  listen("stretch mode", () => { $("stretch").checked = state.stretch; if (state.entry >= 0) drawHead(); });
  listen("entry", () => { matrix.image = null; if (state.entry >= 0) openHead().catch(stop); });
  listen("sequence", chooseFirst);
}

function retheme() {
  matrix.image = null;
  drawGrid();
  if (state.entry >= 0) drawHead();
}

function drawGridCaption() {
  $("grid-caption").textContent = t(isDark() ? "gridCaptionDark" : "gridCaptionLight");
}

function drawSequences() {
  const used = [...new Set(entries.map((entry) => entry.keys))].sort((a, b) => a - b);
  $("sequence-box").hidden = used.length < 2;
  $("sequence").replaceChildren(...used.map((index) => {
    const option = make("option", t(manifest.sequences[index].name));
    option.value = index;
    option.selected = index === state.sequence;
    return option;
  }));
  return used;
}

// The head that differs most and can be opened in full; its strongest inner link shows it at once.
function chooseFirst() {
  const shown = shownEntries();
  if (!shown.length) return;
  const able = shown.filter((entry) => entry.detail);
  // A head that rests on one fixed token differs a lot and shows little.
  const telling = able.filter((entry) => !["+first", "+special", "+max"].includes(entry.reason) && entry.reason[0] !== "-");
  const pool = [telling, able, shown].find((list) => list.length);
  const best = pool.reduce((a, b) => (b.standing > a.standing ? b : a));
  const link = best.top.find((x) => !isSpecial(best.queries, x.query) && !isSpecial(best.keys, x.key)) ?? best.top[0];
  Object.assign(state, { query: link?.query ?? 0, key: link?.key ?? 0, entry: -1 });
  matrix.box = { x: 0, y: 0, size: 1 };
  set({ entry: best.index });
}

function stop(error) {
  $("stop").hidden = false;
  $("stop").textContent = t("stopBroken", { what: error.message });
}

async function start() {
  applyTheme();
  if (typeof DecompressionStream === "undefined") {
    $("stop").hidden = false;
    $("stop").textContent = t("stopOld");
    return;
  }
  spread(await unpack("overview", manifest.overview));
  startTools();
  startWords();
  startGrid();
  startMatrix();
  startStrip();
  startLinks();
  drawHeader();
  drawGridCaption();
  drawWords();
  drawNotes();
  const used = drawSequences();
  $("sequence").addEventListener("change", (event) => set({ sequence: Number(event.target.value) }));
  state.sequence = used[0] ?? 0;
  state.stretch = Math.max(0, ...entries.map((entry) => Math.max(...entry.shape))) > 64;
  $("stretch").checked = state.stretch;
  drawGrid();
  drawLinks();
  if (entries.length) chooseFirst();
  else $("head-title").textContent = t("gridEmpty");
  document.documentElement.dataset.ready = "yes";
}

start().catch(stop);
