// The header and the input colored by importance.
function drawHeader() {
  document.documentElement.lang = state.lang === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
  }
  $("language").textContent = t("other");
  $("language").setAttribute("aria-label", t("otherLabel"));
  $("theme").textContent = t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[state.theme]);
  $("task").textContent = t(manifest.task);
  $("model").textContent = manifest.model;
  const withChance = (label, chance) => (chance === null ? label
    : t("withChance", { label, chance: percent(chance) }));
  $("decision").textContent = t(manifest.probability === null ? "computed" : "decided",
    { label: manifest.probability === null ? t(manifest.decision)
      : withChance(manifest.decision, manifest.probability) });
  const others = manifest.alternatives.slice(1, 4).map(([label, chance]) => withChance(label, chance));
  if (others.length) {
    $("decision").append(make("span", t("otherwise", { list: others.join(" · ") }), "quietly"));
  }
  drawVerdict();
  drawFacts($("facts"), headerFacts());
}

const kernelNames = () => ({ kernels: manifest.kernels.join(", ") || "–", backends: manifest.backends.join(", ") || "–" });

function headerFacts() {
  const tokens = manifest.sequences.map((s) => s.labels.length).join(" + ");
  const facts = [
    [t("method"), manifest.method], [t("why"), t(manifest.reason)],
    [t("kernel"), t("kernelValue", kernelNames())],
    [t("host"), `${manifest.dtype} · ${manifest.device}`],
    [t("size"), t("sizeValue", { tokens, shown: entries.length, all: manifest.heads_in_model })],
  ];
  if (manifest.unseen.length) facts.push([t("unseen"), manifest.unseen.join(", ")]);
  return facts.filter(([, value]) => value);
}

function drawFacts(list, facts) {
  list.replaceChildren(...facts.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    return pair;
  }));
}

const wordTotals = (() => {
  const size = manifest.values.map(Math.abs);
  const plain = size.filter((_, i) => !manifest.units[i][1]);
  return {
    top: Math.max(...(plain.length ? plain : size), 1e-30), // added tokens must not wash out the words
    sum: size.reduce((a, b) => a + b, 0) || 1,
    ranked: [...size.keys()].filter((i) => !manifest.units[i][1]).sort((a, b) => size[b] - size[a]),
  };
})();
let currentWord = -1;

function drawWords() {
  const { units, values, signed } = manifest;
  $("words-caption").textContent = units.length
    ? t(manifest.image ? "wordsCaptionImage" : "wordsCaption", { method: manifest.method.split("(")[0] }) + (signed ? t("wordsSigned") : "")
    : t("wordsEmpty");
  const box = $("words");
  box.classList.toggle("with-numbers", state.numbers);
  // The gaps between the units (spaces, line ends) come from the text itself.
  box.replaceChildren(...units.flatMap(([label, special, before], index) => [
    document.createTextNode(before), wordElement(index, visible(label), values[index], special)]));
  drawImage();
  readWord(currentWord);
}

function wordElement(index, text, value, special) {
  const piece = make("span", text, special ? "word special" : "word");
  const share = Math.min(1, Math.abs(value) / wordTotals.top);
  piece.dataset.i = index;
  piece.tabIndex = index === Math.max(currentWord, 0) ? 0 : -1;
  piece.style.setProperty("--share", (value < 0 ? share : share ** 0.8).toFixed(3));
  if (value < 0) piece.classList.add("against");
  if (state.numbers) piece.append(make("small", number(value, 2)));
  return piece;
}

function readWord(index) {
  const { units, values } = manifest;
  if (!units.length) return;
  if (index < 0) {
    const best = wordTotals.ranked.slice(0, 4).map((i) => `“${visible(units[i][0])}” ${number(values[i])}`);
    $("words-readout").textContent = t("wordsHint", { list: best.join(" · ") });
    return;
  }
  const share = number(Math.abs(values[index]) / wordTotals.sum * 100, 2);
  $("words-readout").textContent = t(units[index][1] ? "wordsSpecial" : "wordsRead", {
    label: visible(units[index][0]), value: number(values[index]), share,
    rank: wordTotals.ranked.indexOf(index) + 1, count: wordTotals.ranked.length });
}

// An image is shown with its patches shaded by importance on top of a faded copy.
function drawImage() {
  const picture = manifest.image;
  $("image").hidden = !picture;
  if (!picture) return;
  $("words").classList.add("folded");
  const image = new Image();
  image.onload = () => {
    const canvas = make("canvas");
    const scale = Math.min(384 / image.width, 384 / image.height);
    const [w, h] = [Math.round(image.width * scale), Math.round(image.height * scale)];
    const pen = fitCanvas(canvas, w, h);
    pen.drawImage(image, 0, 0, w, h);
    if (picture.grid) shadePatches(pen, w, h, picture.grid);
    const plain = make("img");
    plain.src = picture.url;
    plain.alt = manifest.source;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", $("words-readout").textContent);
    $("image").replaceChildren(plain, canvas);
  };
  image.src = picture.url;
}

function shadePatches(pen, w, h, [rows, cols]) {
  const { units, values } = manifest;
  const patches = [...units.keys()].filter((i) => !units[i][1]);
  patches.slice(0, rows * cols).forEach((unit, place) => {
    const [r, c] = [Math.floor(place / cols), place % cols];
    const share = Math.min(1, Math.abs(values[unit]) / wordTotals.top);
    pen.fillStyle = `rgba(12, 12, 24, ${(0.82 * (1 - share)).toFixed(3)})`;
    pen.fillRect(c * w / cols, r * h / rows, w / cols + 0.5, h / rows + 0.5);
  });
}

function startWords() {
  const box = $("words");
  const pick = (event) => event.target.closest?.(".word");
  box.addEventListener("pointerover", (event) => { const word = pick(event); if (word) readWord(+word.dataset.i); });
  box.addEventListener("pointerleave", () => readWord(currentWord));
  box.addEventListener("focusin", (event) => {
    const word = pick(event);
    if (!word) return;
    box.querySelector('.word[tabindex="0"]')?.setAttribute("tabindex", "-1");
    word.tabIndex = 0;
    currentWord = +word.dataset.i;
    readWord(currentWord);
  });
  box.addEventListener("click", (event) => pick(event)?.focus());
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -1e9, End: 1e9 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = Math.min(Math.max(Math.max(currentWord, 0) + step, 0), manifest.units.length - 1);
    box.querySelector(`.word[data-i="${next}"]`)?.focus();
  });
  $("numbers").addEventListener("change", (event) => set({ numbers: event.target.checked }));
  listen("lang numbers", drawWords);
}
