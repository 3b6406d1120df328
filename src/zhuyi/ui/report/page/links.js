// The strongest links of every head as a table that can be sorted, searched and saved.
const COLUMNS = ["weight", "query", "key", "layer", "head"];
const ROWS = 100;

function allLinks() {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = shownEntries().filter((entry) => !state.onlyHead || entry.index === state.entry);
  const links = shown.flatMap((entry) => entry.top).filter((link) => keeps(link, words));
  const value = {
    weight: (x) => x.weight, layer: (x) => x.entry.layer, head: (x) => x.entry.head,
    query: (x) => labelOf(x.entry.queries, x.query), key: (x) => labelOf(x.entry.keys, x.key),
  }[state.sort];
  const sign = state.down ? -1 : 1;
  links.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y) || b.weight - a.weight;
  });
  return [links, shown];
}

function keeps({ entry, query, key }, words) {
  if (state.inner) {
    if (isSpecial(entry.queries, query) || isSpecial(entry.keys, key)) return false;
    if (entry.queries === entry.keys && query === key) return false;
  }
  if (!words.length) return true;
  const text = `${labelOf(entry.queries, query)} ${labelOf(entry.keys, key)} ${t("layerHead", entry)}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function drawLinks() {
  const [links, shown] = allLinks();
  const drawn = links.slice(0, ROWS);
  $("links-caption").textContent = t("linksCaption");
  drawTableHead();
  const body = $("links").tBodies[0];
  const top = drawn.reduce((a, link) => Math.max(a, link.weight), 0) || 1;
  body.replaceChildren(...drawn.map((link) => linkRow(link, top)));
  if (!drawn.length) {
    const cell = make("td", t("linksEmpty"), "empty");
    cell.colSpan = COLUMNS.length;
    const row = make("tr");
    row.append(cell);
    body.append(row);
  }
  // Every row of every head sums to 1, so all its weight is its number of queries.
  const carried = links.reduce((sum, link) => sum + link.weight, 0);
  const whole = shown.reduce((sum, entry) => sum + entry.shape[0], 0) || 1;
  const share = carried / whole;
  $("links-note").textContent = t("linksNote", { drawn: drawn.length, all: links.length, heads: shown.length,
    p: percent(share), rest: percent(1 - share) });
}

function drawTableHead() {
  const row = make("tr");
  for (const column of COLUMNS) {
    const cell = make("th");
    cell.scope = "col";
    const current = state.sort === column;
    cell.setAttribute("aria-sort", current ? (state.down ? "descending" : "ascending") : "none");
    const button = make("button", t(column) + (current ? (state.down ? " ↓" : " ↑") : ""));
    button.type = "button";
    button.addEventListener("click", () => {
      set(current ? { down: !state.down } : { sort: column, down: column === "weight" });
      $("links").querySelectorAll("th button")[COLUMNS.indexOf(column)].focus();
    });
    cell.append(button);
    row.append(cell);
  }
  $("links").tHead.replaceChildren(row);
}

function linkRow(link, top) {
  const { entry, query, key, weight } = link;
  const row = make("tr");
  const amount = make("td", weightText(weight), "amount");
  amount.style.setProperty("--bar", (weight / top).toFixed(3));
  const open = make("button", labelOf(entry.queries, query));
  open.type = "button";
  const first = make("td");
  first.append(open, make("sub", String(query)));
  const second = make("td", labelOf(entry.keys, key));
  second.append(make("sub", String(key)));
  row.append(amount, first, second, make("td", String(entry.layer)), make("td", String(entry.head)));
  row.addEventListener("click", () => {
    set({ entry: entry.index, query, key, direction: "row" });
  });
  return row;
}

// Spreadsheets run cells that begin with = + - @; a leading quote keeps text what it is.
function csvCell(value) {
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvText() {
  const [links] = allLinks();
  const rows = links.map(({ entry, query, key, weight }) => [entry.layer, entry.head, entry.site, query,
    manifest.sequences[entry.queries].labels[query], key, manifest.sequences[entry.keys].labels[key], weight.toPrecision(6)]);
  const head = ["layer", "head", "site", "query_position", "query", "key_position", "key", "weight"];
  return [head, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function startLinks() {
  $("filter").addEventListener("input", (event) => set({ filter: event.target.value }));
  $("only-head").addEventListener("change", (event) => set({ onlyHead: event.target.checked }));
  $("inner").addEventListener("change", (event) => set({ inner: event.target.checked }));
  $("save").addEventListener("click", () => {
    const link = make("a");
    // The mark at the start tells spreadsheets that the file is UTF-8.
    link.href = URL.createObjectURL(new Blob(["\ufeff" + csvText()], { type: "text/csv" }));
    link.download = "zhuyi-links.csv";
    link.click();
    URL.revokeObjectURL(link.href);
    $("links-note").textContent = t("saved", { n: allLinks()[0].length });
  });
  listen("lang filter onlyHead inner sort down sequence", drawLinks);
  listen("entry", () => { if (state.onlyHead) drawLinks(); });
}
