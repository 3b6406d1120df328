// Whether to believe it: the verdict, its first reasons, and every test with its numbers.
const REASONS = 3;
const OUTCOMES = ["refutes", "cautions", "supports", "skipped", "informs"]; // the most important first
const MARKS = { supports: "✔", cautions: "?", refutes: "✘", informs: "·", skipped: "–" };

const said = (two) => two[state.lang] || two.en;
const named = (prefix, name) => { const key = `${prefix}.${name}`; const text = t(key); return text === key ? name.replaceAll("_", " ") : text; };

function drawVerdict() {
  const verdict = manifest.verdict;
  $("unverified").hidden = Boolean(verdict);
  $("belief").hidden = !verdict;
  if (!verdict) return;
  $("belief").className = `belief ${verdict.label}`;
  $("belief-word").replaceChildren(icon(verdict.label), t("verdict." + verdict.label));
  $("belief-said").textContent = sentence(said(verdict.headline));
  const findings = [...verdict.findings].sort((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome));
  // A deletion test that could not run is the reason for a doubt; any other is a footnote.
  const told = findings.filter((one) => one.outcome !== "informs" && (one.outcome !== "skipped" || one.test === "Deletion"));
  $("belief-why").replaceChildren(...told.slice(0, REASONS).map((one) => {
    const item = make("li");
    item.append(outcomeMark(one.outcome), make("span", said(one.said)));
    return item;
  }));
  const skipped = findings.filter((one) => one.outcome === "skipped" && !told.includes(one)).map((one) => named("test", one.test));
  const notes = verdict.notes.map(said);
  if (skipped.length) notes.unshift(t("saysNothing", { list: skipped.join(t("comma")) }));
  $("belief-note").textContent = [...notes, t("evidence")].join(t("space"));
  $("findings").replaceChildren(...findings.map(findingElement),
    make("p", t("removedBy", { how: verdict.removal }), "belief-note"));
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// A sign and a word: color is never the only one.
function outcomeMark(outcome) {
  return make("b", `${MARKS[outcome]} ${t(outcome)}`, `outcome ${outcome}`);
}

function findingElement(one) {
  const box = make("div", undefined, "finding");
  const title = make("h3", named("test", one.test));
  title.append(outcomeMark(one.outcome));
  box.append(title, make("p", said(one.said)));
  const list = make("dl", undefined, "facts small");
  const shown = (value) => (value === null || value === "" ? "–" : typeof value === "number" ? number(value, 4) : value);
  const numbers = Object.entries(one.numbers);
  for (const [name, value] of Object.entries(one.details)) {
    if (!Object.hasOwn(one.numbers, name)) numbers.push([name, value]);
  }
  drawFacts(list, [...numbers.map(([name, value]) => [named("n", name), shown(value)]), [t("calls"), number(one.calls)]]);
  box.append(list, make("code", one.settings));
  return box;
}
