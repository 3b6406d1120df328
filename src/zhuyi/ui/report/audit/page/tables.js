// Methods, decision quality and groups: every number beside a picture of its uncertainty.

function drawMethods() {
  $("methods-caption").textContent = `${said(report.chosen_why)} ${t("methodsCaption")}`;
  $("methods-note").textContent = t("methodsNote");
  const scale = () => axis("−1", `0 = ${t("axisRandom")}`, "1");
  const plainScale = () => axis("−1", "0", "1");
  const body = make("tbody");
  for (const one of report.methods) body.append(...methodRows(one));
  $("methods").replaceChildren(headRow([[t("method")], [t("verdict")],
    [t("n.skill"), make("small", t("better_high")), scale()],
    [t("n.comprehensiveness"), make("small", t("better_high")), plainScale()],
    [t("n.sufficiency"), make("small", t("better_low")), plainScale()], [t("n.p")]]), body);
}

function methodRows(one) {
  const row = make("tr", undefined, one.chosen ? "chosen" : "");
  const name = make("td");
  name.append(make("b", visible(shortName(one.name))));
  const tags = [[one.chosen, "chosenTag"], [one.attention, "attentionTag"], [codeName(one.name) === "Random", "randomTag"]];
  const held = tags.filter(([holds]) => holds).map(([, tag]) => make("span", t(tag), "tag"));
  const line = make("div");
  line.append(...held);
  if (held.length) name.append(line);
  const about = named("m", codeName(one.name));
  if (about !== codeName(one.name)) name.append(make("small", about));
  const verdict = make("td");
  verdict.append(chip(one.label));
  row.append(name, verdict, ...PICTURED.map((key) => numberCell(key, one.numbers[key], -1, 1, 0)),
    numberCell("p", one.numbers.p, null));
  const cell = make("td", undefined, "open");
  cell.colSpan = 6;
  for (const reason of one.reasons.slice(0, 1)) cell.append(make("small", said(reason)));
  cell.append(folded(t("testsOf", { n: one.inputs }), () => methodDetails(one)));
  const findings = make("tr", undefined, `findings${one.chosen ? " chosen" : ""}`);
  findings.append(cell);
  return [row, findings];
}

function methodDetails(one) {
  const parts = [make("p", one.name, "note")];
  if (one.choosing !== null) parts.push(make("p", t("choosingNote", { n: number(one.choosing) }), "note"));
  for (const found of one.findings) {
    const box = make("div", undefined, "finding");
    const title = make("div");
    title.append(make("b", found.test), make("p", t(found.outcome), "outcome"));
    const pairs = Object.entries(found.numbers).map(([name, value]) => [named("n", name), figure(name, value)]);
    const numbers = folded(t("settingsOf"), () => [facts([...pairs, [t("n.calls"), figure("calls", found.calls)]]),
      make("p", found.settings, "note")]);
    box.append(title, make("p", said(found.said)), numbers);
    parts.push(box);
  }
  const others = Object.entries(one.numbers).filter(([name]) => !PICTURED.includes(name) && name !== "p");
  if (others.length) parts.push(facts(others.map(([name, value]) => [named("n", name), intervalText(name, value)])));
  return parts;
}

const isShare = (one) => one.lower !== null && [one.value, one.lower, one.upper].every((value) => value >= -1 && value <= 1.5);
const rangeOf = (name) => (SHARES.includes(name) || name === "mean AUROC" ? [0, 1] : [-1, 1]);

function drawQuality() {
  const pairs = Object.entries(report.quality);
  $("quality-section").hidden = !pairs.length;
  const body = make("tbody");
  for (const [name, one] of pairs) {
    const row = make("tr");
    const title = make("td");
    title.append(make("b", named("n", name)));
    row.append(title, isShare(one) && name !== "RMSE" ? numberCell(name, one, ...rangeOf(name)) : numberCell(name, one, null));
    body.append(row);
  }
  $("quality").replaceChildren(body);
}

function drawGroups() {
  $("groups-section").hidden = !report.subgroups.length;
  $("groups-caption").textContent = t("groupsCaption");
  const columns = [...new Set(report.subgroups.map((one) => one.column))];
  $("groups").replaceChildren(...columns.flatMap((column) => {
    const scroll = make("div", undefined, "scroll");
    scroll.append(groupTable(report.subgroups.filter((one) => one.column === column)));
    return [make("h3", column), scroll, differenceDetails(column)];
  }));
  const list = make("ul", undefined, "limits");
  list.append(...report.subgroups_said.map((one) => make("li", said(one))));
  if (report.subgroups_said.length) $("groups").prepend(list);
}

function differenceDetails(column) {
  return folded(t("differences"), () => report.differences.filter((one) => one.column === column).map((one) => {
    const box = make("div", undefined, "finding");
    const title = make("div");
    title.append(make("b", named("n", one.metric)), make("p", t(one.beyond_noise ? "beyondNoise" : "withinNoise"), "outcome"));
    box.append(title, make("p", t("difference", { largest: one.largest, smallest: one.smallest,
      value: intervalText(one.metric, one.value), p: number(one.p) })));
    return box;
  }));
}

// The number of all inputs, for the dashed line; skill's is the chosen method's.
function overall(name) {
  const chosen = report.methods.find((one) => one.chosen);
  return (Object.hasOwn(report.quality, name) ? report.quality[name] : chosen?.numbers[name])?.value;
}

function groupTable(rows) {
  const names = [...new Set(rows.flatMap((one) => Object.keys(one.numbers)))];
  const body = make("tbody");
  for (const one of rows) {
    const row = make("tr");
    const name = make("td");
    name.append(make("b", visible(one.group)));
    const count = make("td", figure("count", one.count));
    count.dataset.name = t("count");
    row.append(name, count);
    if (one.suppressed) {
      const cell = make("td", t("suppressed"), "note");
      cell.colSpan = Math.max(names.length, 1);
      row.append(cell);
    } else {
      row.append(...names.map((key) => {
        const value = one.numbers[key];
        return value && isShare(value) ? numberCell(key, value, ...rangeOf(key), overall(key)) : numberCell(key, value, null);
      }));
    }
    body.append(row);
  }
  const table = make("table", undefined, "stack narrow");
  table.append(headRow([[t("group")], [t("count")], ...names.map((key) => [named("n", key),
    axis(...(rangeOf(key)[0] ? ["−1", "0", "1"] : ["0", "1"]))])]), body);
  return table;
}
