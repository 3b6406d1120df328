// The layer x head grid of small pictures, its orders, and the heads that stand out.
const ORDERS = {
  layer: ["orderLayer", (a, b) => a.layer - b.layer || a.head - b.head],
  standing: ["orderStanding", (a, b) => b.standing - a.standing],
  reach: ["orderReach", (a, b) => a.stats.reach - b.stats.reach],
  distance: ["orderDistance", (a, b) => b.stats.distance - a.stats.distance],
  first: ["orderFirst", (a, b) => b.stats.first - a.stats.first],
  peak: ["orderPeak", (a, b) => b.stats.peak - a.stats.peak],
};
const STANDING = 3; // robust deviations from the median head
let standingOut = new Set(); // about a tenth of the heads: a mark on every second one marks none
const SHARES = new Set(["peak", "max", "first", "special", "self", "previous", "next"]);

const shownEntries = () => entries.filter((entry) => entry.keys === state.sequence);

function reasonText(entry) {
  const name = entry.reason.slice(1);
  const value = entry.stats[name];
  if (value === undefined) return "";
  return t((entry.reason[0] === "+" ? "high." : "low.") + name,
    SHARES.has(name) ? { p: percent(value) } : { n: number(value, 2) });
}

function drawGrid() {
  const shown = shownEntries().sort(ORDERS[state.order][1]);
  const grid = $("grid");
  if (!shown.length) { grid.replaceChildren(make("p", t("gridEmpty"), "empty")); return; }
  const byLayer = state.order === "layer";
  const ranked = rankStanding(shown);
  standingOut = new Set([...ranked.slice(0, shown.length / 10), ...onePerHabit(ranked)]);
  const used = [...new Set(shown.map((entry) => entry.head))].sort((a, b) => a - b);
  const columns = byLayer ? used.length : Math.min(12, shown.length);
  grid.style.setProperty("--columns", columns);
  grid.classList.toggle("flat", !byLayer);
  grid.classList.toggle("many", columns > 12);
  const pieces = [];
  if (byLayer) {
    pieces.push(make("span", "", "tick"), ...used.map((head) => make("span", String(head), "tick top")));
  }
  let layer = null;
  let place = 0;
  for (const entry of shown) {
    if (byLayer && entry.layer !== layer) {
      pieces.push(...Array.from({ length: layer === null ? 0 : columns - place }, () => make("span")));
      layer = entry.layer;
      place = 0;
      pieces.push(make("span", String(layer), "tick"));
    }
    // A head that was not asked for leaves its place empty.
    while (byLayer && used[place] !== entry.head && place < columns) { pieces.push(make("span")); place++; }
    pieces.push(headButton(entry, byLayer));
    place++;
  }
  grid.replaceChildren(...pieces);
  markEntry();
  drawCoverage(shown);
  drawStanding(shown);
}

function headButton(entry, byLayer) {
  const button = make("button", undefined, "head");
  button.type = "button";
  button.dataset.i = entry.index;
  button.tabIndex = -1;
  const [rows, cols] = entry.thumbnail;
  button.append(paint(entry.picture, rows, cols, false));
  const name = t("layerHead", entry);
  const tag = make("span", byLayer ? String(entry.head) : t("lh", entry), "tag");
  if (entry.detail) button.classList.add("detailed");
  button.append(tag);
  const stands = standingOut.has(entry);
  if (stands) button.classList.add("stands");
  const why = stands ? reasonText(entry) : "";
  button.title = why ? `${name}: ${why}` : name;
  button.setAttribute("aria-label", button.title);
  return button;
}

function markEntry() {
  for (const button of $("grid").querySelectorAll(".head")) {
    const chosen = +button.dataset.i === state.entry;
    button.setAttribute("aria-pressed", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
  for (const button of $("standing").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(+button.dataset.i === state.entry));
  }
}

function drawCoverage(shown) {
  const some = shown.filter((entry) => entry.detail).length;
  const name = some === shown.length ? "coverageAll" : some ? "coverage" : "coverageNone";
  $("coverage").textContent = t(name, { some, all: shown.length });
}

const rankStanding = (shown) => shown.filter((entry) => entry.standing >= STANDING).sort(ORDERS.standing[1]);

// Five heads with the same habit tell less than five habits.
function onePerHabit(ranked) {
  const seen = new Set();
  return ranked.filter((entry) => !seen.has(entry.reason) && seen.add(entry.reason)).slice(0, 6);
}

function drawStanding(shown) {
  const items = onePerHabit(rankStanding(shown)).map((entry) => {
    const item = make("li");
    const button = make("button", undefined, "line");
    button.type = "button";
    button.dataset.i = entry.index;
    button.append(make("b", t("layerHead", entry)), make("span", reasonText(entry)));
    button.addEventListener("click", () => set({ entry: entry.index }));
    item.append(button);
    return item;
  });
  $("standing").replaceChildren(...(items.length ? items : [make("li", t("standEmpty"), "empty")]));
  markEntry();
}

function startGrid() {
  const order = $("order");
  const fill = () => order.replaceChildren(...Object.entries(ORDERS).map(([name, [label]]) => {
    const option = make("option", t(label));
    option.value = name;
    option.selected = name === state.order;
    return option;
  }));
  fill();
  order.addEventListener("change", () => set({ order: order.value }));
  $("grid").addEventListener("click", (event) => {
    const button = event.target.closest(".head");
    if (button) set({ entry: +button.dataset.i });
  });
  $("grid").addEventListener("keydown", moveInGrid);
  listen("lang", fill);
  listen("lang theme order sequence", drawGrid);
  listen("entry", markEntry);
}

function moveInGrid(event) {
  const buttons = [...$("grid").querySelectorAll(".head")];
  const at = buttons.indexOf(document.activeElement);
  if (at < 0) return;
  const columns = Number($("grid").style.getPropertyValue("--columns"));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at,
    End: buttons.length - 1 - at }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)];
  buttons[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
