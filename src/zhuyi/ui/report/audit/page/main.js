// Start: draw every part once, then only what changes.
function applyTheme() {
  if (state.theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = state.theme;
  $("theme").textContent = t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[state.theme]);
}

function drawFixed() {
  document.documentElement.lang = state.lang === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
  }
  $("language").textContent = t("other");
  $("language").setAttribute("aria-label", t("otherLabel"));
}

function drawEnd() {
  $("limits").replaceChildren(...report.limits.map((one) => make("li", said(one))));
  const { data, budget } = report;
  const list = make("ul", undefined, "plain");
  for (const [role, names] of Object.entries(data.columns)) list.append(make("li", t("columns", { role, list: names.join(", ") })));
  for (const one of data.skipped) list.append(make("li", t("skippedRow", { n: one.row, why: said(one.reason) })));
  if (!data.skipped.length) list.append(make("li", t("skippedNone")));
  if (report.skipped > data.skipped.length) list.append(make("li", t("skippedMore", { n: report.skipped - data.skipped.length })));
  $("data-body").replaceChildren(make("p", t("dataValue", data)), list);
  const pairs = (values) => Object.entries(values).map(([name, value]) => [named("n", name), figure(name, value)]);
  fillFacts($("settings"), pairs(report.settings));
  fillFacts($("model"), pairs(report.model));
  fillFacts($("run"), pairs(report.run));
  $("budget-said").textContent = said(budget.said);
  fillFacts($("budget"), [[t("n.calls"), figure("calls", budget.calls)], ...["max_calls", "max_seconds"].map((name) =>
    [t("n." + name), budget[name] === null ? t("noLimit") : figure(name, budget[name])]),
  [t("n.exhausted"), t(budget.exhausted ? "yes" : "no")]]);
  $("notes").replaceChildren(make("li", t("noteRecord", { schema: report.schema })), make("li", t("noteOffline")));
}

function drawAll() {
  drawFixed();
  applyTheme();
  drawHero();
  drawFilters();
  drawList();
  drawMethods();
  drawQuality();
  drawGroups();
  drawHeads();
  drawEnd();
}

function start() {
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
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawHeads());
  listen("lang", drawAll);
  listen("theme", () => { applyTheme(); drawHeads(); });
  startInputs();
  startHeads();
  drawAll();
  document.documentElement.dataset.ready = "yes";
}

try {
  start();
} catch (error) {
  $("stop").hidden = false;
  $("stop").textContent = t("stopBroken", { what: error.message });
}
