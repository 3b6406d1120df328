// One cell per head with the chosen statistic; the color repeats the number, it never replaces it.
const headStats = [...new Set(report.heads.flatMap((one) => Object.keys(one.numbers)))];
let currentHead = 0;

function drawHeads() {
  // Of a single head there is nothing to compare.
  $("heads-section").hidden = report.heads.length < 2;
  if (report.heads.length < 2) return;
  if (!headStats.includes(state.stat)) state.stat = headStats[0];
  options($("stat"), headStats.map((name) => [name, named("stat", name)]), state.stat);
  const about = named("about", state.stat);
  $("heads-caption").textContent = `${about === state.stat ? "" : about + " "}${t("headsCaption")}`;
  const values = report.heads.map((one) => one.numbers[state.stat] ?? 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const layers = [...new Set(report.heads.map((one) => one.layer))];
  const most = Math.max(...report.heads.map((one) => one.head)) + 1;
  const body = make("tbody");
  for (const layer of layers) {
    const row = make("tr");
    const name = make("th", t("layer", { n: layer }));
    name.scope = "row";
    row.append(name);
    for (let head = 0; head < most; head++) {
      const index = report.heads.findIndex((one) => one.layer === layer && one.head === head);
      const cell = make("td");
      if (index >= 0) cell.append(headButton(index, (values[index] - low) / (high - low || 1)));
      row.append(cell);
    }
    body.append(row);
  }
  const heads = Array.from({ length: most }, (_, head) => [t("head", { n: head })]);
  $("heads").replaceChildren(headRow([[""], ...heads]), body);
  readHead(currentHead);
}

function headButton(index, share) {
  const one = report.heads[index];
  const button = make("button", number(one.numbers[state.stat] ?? NaN, 2));
  button.type = "button";
  button.dataset.index = index;
  button.tabIndex = index === currentHead ? 0 : -1;
  const color = [0, 1, 2].map((k) => ramp(false)[3 * Math.round(share * 235) + k]);
  button.style.background = `rgb(${color.join(" ")})`;
  button.style.color = color[0] * 0.3 + color[1] * 0.59 + color[2] * 0.11 > 125 ? "#16151a" : "#ffffff";
  button.setAttribute("aria-label", headText(one));
  return button;
}

const headText = (one) => t("headRead", { layer: one.layer, head: one.head, site: one.site,
  list: Object.entries(one.numbers).map(([name, value]) => `${named("stat", name)} ${number(value)}`).join(", ") });

function readHead(index) {
  currentHead = index;
  $("heads-readout").textContent = headText(report.heads[index]);
}

function startHeads() {
  if (report.heads.length < 2) return;
  const table = $("heads");
  const at = (event) => event.target.closest?.("button");
  $("stat").addEventListener("change", (event) => set({ stat: event.target.value }));
  table.addEventListener("pointerover", (event) => { const head = at(event); if (head) readHead(+head.dataset.index); });
  table.addEventListener("focusin", (event) => {
    const head = at(event);
    if (!head) return;
    table.querySelector('button[tabindex="0"]')?.setAttribute("tabindex", "-1");
    head.tabIndex = 0;
    readHead(+head.dataset.index);
  });
  table.addEventListener("keydown", (event) => {
    const head = at(event);
    const [across, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key] ?? [0, 0];
    if (!head || (!across && !down)) return;
    event.preventDefault();
    const cell = head.closest("td");
    const rows = [...table.tBodies[0].rows];
    const row = rows[Math.min(Math.max(rows.indexOf(cell.parentElement) + down, 0), rows.length - 1)];
    row.cells[cell.cellIndex + across]?.querySelector("button")?.focus();
  });
  listen("stat", drawHeads);
}
