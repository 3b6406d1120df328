// Every input: its sentence shaded by what counts, its verdict, and on demand numbers and attention.
const total = report.counts.trusted + report.counts.doubtful + report.counts.refuted;
const outcomeOf = (one) => (one.truth === null ? "untold" : one.truth === one.decision ? "right" : "wrong");
const textOf = (one) => one.pieces.map((piece) => piece.gap + piece.label).join("").toLowerCase();
// A model that explains itself needs no method chosen for it; these inputs are only not counted.
const ownMethod = Object.hasOwn(report.settings, "the model's own explanation");
const SEVERITY = { refuted: 0, doubtful: 1, trusted: 2 };

function matchingInputs() {
  const find = state.find.toLowerCase();
  const [column, group] = state.group ? JSON.parse(state.group) : [];
  const found = report.inputs.filter((one) => (state.verdict === "all" || one.label === state.verdict)
    && (state.right === "any" || outcomeOf(one) === state.right)
    && (!column || (Object.hasOwn(one.groups, column) && one.groups[column] === group))
    && (!find || textOf(one).includes(find) || one.decision.toLowerCase().includes(find)));
  const skill = (one) => one.numbers.skill ?? 2;
  if (state.order === "worst") found.sort((a, b) => SEVERITY[a.label] - SEVERITY[b.label] || skill(a) - skill(b));
  if (state.order === "sure") found.sort((a, b) => a.probability - b.probability);
  return found;
}

function drawList() {
  const found = matchingInputs();
  const shown = found.slice(0, state.shown);
  $("list").replaceChildren(...shown.map(inputElement));
  const counts = { n: found.length, all: total, shown: shown.length };
  const lines = [!found.length ? t("nothing") : t(shown.length < found.length ? "matchingSome" : "matching", counts)];
  if (report.inputs.length < total) lines.push(t("missing", { here: report.inputs.length, all: total }));
  $("matching").textContent = lines.join(" ");
  $("more").hidden = shown.length === found.length;
  $("more").textContent = t("more", { n: Math.min(20, found.length - shown.length) });
}

function inputElement(one) {
  const element = make("li", undefined, `input ${one.label}`);
  const line = make("div", undefined, "line-1");
  line.append(make("span", t("row", { n: one.row }), "row"));
  const decision = make("span", t("decidedFor") + " ");
  decision.append(make("strong", visible(one.decision)));
  line.append(decision);
  if (!oneNumber) line.append(make("span", t("sure", { p: percent(one.probability) })));
  const outcome = outcomeOf(one);
  if (outcome !== "untold") {
    line.append(make("span", t(outcome === "right" ? "isRight" : "isWrong", { truth: one.truth }), `mark ${outcome}`));
  }
  if (one.split === "choosing") line.append(make("span", t(ownMethod ? "heldBack" : "choosing"), "tag"));
  line.append(chip(one.label));
  element.append(line, sentence(one, one.values, false));
  for (const reason of one.reasons) element.append(make("p", said(reason), "reason"));
  element.append(folded(t(one.attention.length ? "open" : "openPlain"), () => inputDetails(one)));
  return element;
}

// Added tokens are left out where they only would puzzle; the picture of attention needs them.
function sentence(one, values, added) {
  const box = make("p", undefined, tabular ? "words cells" : "words");
  const plain = values.filter((_, i) => !one.pieces[i].special).map(Math.abs);
  const top = Math.max(...(plain.length ? plain : values.map(Math.abs)), 1e-30);
  one.pieces.forEach((piece, i) => {
    if (piece.special && !added) return;
    if (box.childNodes.length) box.append(piece.gap || (piece.special ? " " : ""));
    const word = make("span", visible(piece.label), piece.special ? "word special" : "word");
    const share = Math.min(1, Math.abs(values[i]) / top);
    word.style.setProperty("--share", (values[i] < 0 ? share : share ** 0.8).toFixed(3));
    if (values[i] < 0 && share >= 0.03) word.classList.add("against");
    else if (values[i] < 0) word.style.setProperty("--share", "0");
    box.append(word);
  });
  return box;
}

function inputDetails(one) {
  const parts = [];
  if (one.attention.length) {
    parts.push(make("h4", t("byAttention", { method: shortName(report.attention) })));
    const picture = sentence(one, one.attention, true);
    picture.classList.add("smaller");
    parts.push(picture);
  }
  const ranked = [...one.pieces.keys()].filter((i) => !one.pieces[i].special)
    .sort((a, b) => Math.abs(one.values[b]) - Math.abs(one.values[a])).slice(0, 10);
  parts.push(make("h4", t("wordsTop", { n: ranked.length })));
  const table = make("table");
  const columns = [[t("wordColumn")], [`${t("valueColumn")} (${shortName(report.chosen)})`]];
  if (one.attention.length) columns.push([`${t("attentionColumn")} (${shortName(report.attention)})`]);
  const body = make("tbody");
  for (const i of ranked) {
    const row = make("tr");
    row.append(make("td", visible(one.pieces[i].label)), make("td", number(one.values[i])));
    if (one.attention.length) row.append(make("td", number(one.attention[i])));
    body.append(row);
  }
  table.append(headRow(columns), body);
  parts.push(table, make("h4", t("numbersTitle")));
  const groups = Object.entries(one.groups).map(([column, group]) => `${column}: ${group}`).join(" · ");
  parts.push(facts([...Object.entries(one.numbers).map(([name, value]) => [named("n", name), figure(name, value)]),
    [t("groupsOf"), groups]]));
  return parts;
}

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => {
    const option = make("option", text);
    option.value = value;
    option.selected = value === chosen;
    return option;
  }));
}

function drawFilters() {
  $("inputs-caption").textContent = t("inputsCaption", { method: shortName(report.chosen) })
    + (report.inputs.some((one) => one.values.some((value) => value < 0)) ? t("inputsSigned") : "");
  $("by-verdict").replaceChildren(...["all", ...VERDICTS].map((label) => {
    const button = make("button", undefined, label);
    button.type = "button";
    button.dataset.verdict = label;
    button.setAttribute("aria-pressed", String(state.verdict === label));
    if (label !== "all") button.append(icon(label));
    button.append(`${t(label)} ${label === "all" ? total : report.counts[label]}`);
    button.addEventListener("click", () => {
      set({ verdict: label, shown: 20 });
      $("by-verdict").querySelector(`[data-verdict="${label}"]`).focus();
    });
    return button;
  }));
  const outcomes = new Set(report.inputs.map(outcomeOf));
  $("by-right-box").hidden = outcomes.size < 2;
  options($("by-right"), [["any", t("any")], ...["right", "wrong", "untold"].filter((name) => outcomes.has(name))
    .map((name) => [name, t(name)])], state.right);
  const groups = report.subgroups.map((one) => [JSON.stringify([one.column, one.group]), `${one.column}: ${one.group} (${one.count})`]);
  $("by-group-box").hidden = !groups.length;
  options($("by-group"), [["", t("any")], ...groups], state.group);
  options($("by-order"), ["row", "worst", "sure"].map((name) => [name, t("order" + name[0].toUpperCase() + name.slice(1))]), state.order);
}

function startInputs() {
  $("by-right").addEventListener("change", (event) => set({ right: event.target.value, shown: 20 }));
  $("by-group").addEventListener("change", (event) => set({ group: event.target.value, shown: 20 }));
  $("by-order").addEventListener("change", (event) => set({ order: event.target.value, shown: 20 }));
  $("find").addEventListener("input", (event) => set({ find: event.target.value, shown: 20 }));
  $("more").addEventListener("click", () => {
    const next = state.shown;
    set({ shown: state.shown + 20 });
    $("list").children[next]?.querySelector("summary").focus();
  });
  listen("verdict", drawFilters);
  listen("verdict right group order find shown", drawList);
}
