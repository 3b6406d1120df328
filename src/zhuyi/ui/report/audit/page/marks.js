// The report as data, and the small marks that every part draws: verdicts, numbers, whiskers.
const report = JSON.parse($("report").textContent);
Object.assign(state, { verdict: "all", right: "any", group: "", order: "row", find: "", shown: 20, stat: "" });

const said = (two) => two[state.lang] || two.en;
const named = (prefix, name) => { const key = `${prefix}.${name}`; const text = t(key); return text === key ? name : text; };
// "Rollout(residual=0.5)" in plain words; its code name stands in the details.
const shortName = (method) => (Object.hasOwn(report.names, method) ? said(report.names[method]) : method);
const codeName = (method) => method.split("(")[0];
const VERDICTS = ["trusted", "doubtful", "refuted"];

function chip(label) {
  const element = make("span", "", `chip ${label}`);
  element.append(icon(label), t(label));
  return element;
}

// What is drawn between -1 and 1.
const PICTURED = ["skill", "comprehensiveness", "sufficiency"];
// A share as percent, another number plainly.
const SHARES = ["accuracy", "balanced_accuracy", "most common", "confidence", "trusted", "attention on the input"];
const figure = (name, value) => (value === null || value === undefined ? t("unknown")
  : typeof value === "boolean" ? t(value ? "yes" : "no")
    : typeof value !== "number" ? String(value)
      : SHARES.includes(name) && Math.abs(value) <= 1 ? percent(value)
        : Number.isInteger(value) && !PICTURED.includes(name) ? value.toLocaleString("en").replaceAll(",", "\u202f")
          : PICTURED.includes(name) ? number(Number(value.toFixed(2))) : number(value));

function intervalText(name, one) {
  if (one.lower === null || one.upper === null) return figure(name, one.value);
  return t("interval", { value: figure(name, one.value), lower: figure(name, one.lower), upper: figure(name, one.upper) });
}

const WIDTH = 168;
// A dot and its uncertainty between `from` and `to`; a dashed line where `mark` is.
function whisker(name, one, from, to, mark) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} 24`, class: "whisker", role: "img" });
  picture.setAttribute("aria-label", `${named("n", name)}: ${intervalText(name, one)}`);
  const place = (value) => 5 + (WIDTH - 10) * (Math.min(Math.max(value, from), to) - from) / (to - from);
  const line = (x1, x2, y1, y2, kind) => picture.append(svg("line", { x1, x2, y1, y2, class: kind }));
  line(5, WIDTH - 5, 12, 12, "base");
  line(5, 5, 8, 16, "base");
  line(WIDTH - 5, WIDTH - 5, 8, 16, "base");
  if (mark !== null && mark !== undefined) line(place(mark), place(mark), 2, 22, "zero");
  if (one.lower !== null && one.upper !== null) line(place(one.lower), place(one.upper), 12, 12, "range");
  picture.append(svg("circle", { cx: place(one.value), cy: 12, r: 4.5, class: "dot" }));
  return picture;
}

function numberCell(name, one, from, to, mark) {
  const cell = make("td");
  cell.dataset.name = named("n", name);
  if (!one) { cell.textContent = "–"; return cell; }
  if (from !== null) cell.append(whisker(name, one, from, to, mark));
  const text = make("div", figure(name, one.value), "figure");
  if (one.lower !== null && one.upper !== null) {
    text.append(make("span", ` ${figure(name, one.lower)} … ${figure(name, one.upper)}`));
  }
  cell.append(text);
  return cell;
}

function axis(...labels) {
  const element = make("span", undefined, "axis");
  element.append(...labels.map((label) => make("span", label)));
  return element;
}

function headRow(cells) {
  const row = make("tr");
  for (const [name, ...more] of cells) {
    const cell = make("th", name);
    cell.scope = "col";
    cell.append(...more);
    row.append(cell);
  }
  const head = make("thead");
  head.append(row);
  return head;
}

function facts(pairs, kind = "numbers") {
  const list = make("dl", undefined, kind);
  fillFacts(list, pairs);
  return list;
}

function fillFacts(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value !== "").map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    return pair;
  }));
}

// Details whose body is made when they are opened first.
function folded(title, body) {
  const element = make("details");
  element.append(make("summary", title));
  element.addEventListener("toggle", () => {
    if (element.open && element.children.length === 1) element.append(...body());
  });
  return element;
}
