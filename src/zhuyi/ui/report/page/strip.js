// The token strip: the text laid out in lines, only the visible lines in the document, and a track
// above it that shows where in the whole text the weight is.
const LINE = 40;
const PAD = 7;
const strip = { lines: [], starts: [], values: null, top: 1, sequence: 0, width: 0, from: -1, to: -1 };

function stripValues() {
  const entry = currentEntry();
  if (!matrix.head) return [Float32Array.from(entry.received, (v) => v / 255), entry.keys];
  return state.direction === "column" ? [matrix.head.weightColumn(state.key), entry.queries]
    : [matrix.head.weightRow(state.query), entry.keys];
}

function drawStrip() {
  if (state.entry < 0) return;
  const entry = currentEntry();
  [strip.values, strip.sequence] = stripValues();
  strip.top = strip.values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const row = state.direction === "row";
  const token = row ? labelOf(entry.queries, state.query) : labelOf(entry.keys, state.key);
  const name = !matrix.head ? "Received" : row ? "Row" : "Column";
  $("strip-title").textContent = t("strip" + name, { token });
  const [n, share] = strongest(strip.values, 5);
  $("strip-caption").textContent = t(`strip${name}Caption`, { n, p: percent(share) });
  for (const button of $("directions").children) {
    button.textContent = t(button.dataset.direction);
    button.setAttribute("aria-pressed", String(button.dataset.direction === state.direction));
    button.disabled = !matrix.head;
  }
  $("strip").setAttribute("aria-label", t("stripLabel"));
  $("track").setAttribute("aria-label", t("trackLabel"));
  layoutStrip();
  strip.from = -1;
  drawLines();
  readToken(row ? state.key : state.query);
}

function strongest(values, count) {
  const best = Array.from(values).sort((a, b) => b - a).slice(0, count);
  return [best.length, best.reduce((a, b) => a + b, 0)];
}

// Lines from measured widths, once per sequence and width.
function layoutStrip() {
  const width = $("strip").clientWidth - 8;
  if (strip.laid === strip.sequence && strip.width === width) return;
  [strip.laid, strip.width] = [strip.sequence, width];
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `15px ${cssColor("--sans")}`;
  const measured = new Map();
  const labels = manifest.sequences[strip.sequence].labels;
  strip.lines = [[]];
  let x = 0;
  labels.forEach((_, i) => {
    const label = shorten(labelOf(strip.sequence, i), 40);
    if (!measured.has(label)) measured.set(label, Math.ceil(pen.measureText(label).width));
    const w = Math.min(measured.get(label) + 2 * PAD, width);
    if (x + w > width && x > 0) { strip.lines.push([]); x = 0; }
    strip.lines.at(-1).push([i, x, w, label]);
    x += w + 3;
  });
  strip.starts = strip.lines.map((line) => line[0]?.[0] ?? 0);
  $("lines").style.height = strip.lines.length * LINE + "px";
  $("strip").style.height = Math.min(strip.lines.length * LINE + 8, 6.5 * LINE) + "px";
}

const lineOf = (position) => {
  let line = 0;
  while (line + 1 < strip.starts.length && strip.starts[line + 1] <= position) line++;
  return line;
};

function drawLines() {
  const box = $("strip");
  const from = Math.max(0, Math.floor(box.scrollTop / LINE) - 2);
  const to = Math.min(strip.lines.length, Math.ceil((box.scrollTop + box.clientHeight) / LINE) + 2);
  drawTrack();
  if (from === strip.from && to === strip.to) return;
  [strip.from, strip.to] = [from, to];
  const pieces = [];
  for (let line = from; line < to; line++) {
    for (const [i, x, w, label] of strip.lines[line]) pieces.push(tokenElement(i, x, line * LINE, w, label));
  }
  $("lines").replaceChildren(...pieces);
}

function tokenElement(i, x, y, w, label) {
  const piece = make("span", label, "token");
  piece.dataset.i = i;
  piece.style.transform = `translate(${x}px, ${y}px)`;
  piece.style.width = w + "px";
  const share = strip.values[i] / strip.top;
  piece.style.setProperty("--share", Math.min(1, share ** 0.7).toFixed(3));
  piece.style.setProperty("--bar", Math.min(1, share).toFixed(3));
  const self = currentEntry().queries === currentEntry().keys;
  const asks = state.direction === "row" ? state.query : state.key;
  if (matrix.head && self && i === asks) piece.classList.add("asks");
  if (i === (state.direction === "row" ? state.key : state.query)) piece.classList.add("cursor");
  if (isSpecial(strip.sequence, i)) piece.classList.add("special");
  return piece;
}

// One bar per pixel column: the largest weight of the tokens that fall into it.
function drawTrack() {
  const canvas = $("track");
  const width = canvas.clientWidth, height = 54;
  const pen = fitCanvas(canvas, width, height);
  pen.clearRect(0, 0, width, height);
  const count = strip.values.length;
  const bars = Math.min(count, Math.floor(width / 2));
  const step = width / bars;
  pen.fillStyle = cssColor("--weight");
  for (let b = 0; b < bars; b++) {
    let best = 0;
    for (let i = Math.floor(b * count / bars); i < Math.floor((b + 1) * count / bars); i++) best = Math.max(best, strip.values[i]);
    const tall = Math.max(best > 0 ? 1 : 0, (height - 14) * best / strip.top);
    pen.fillRect(b * step, height - 8 - tall, Math.max(1, step - (step > 4 ? 1.5 : 0)), tall);
  }
  pen.fillStyle = cssColor("--line");
  pen.fillRect(0, height - 8, width, 1);
  const box = $("strip");
  const top = Math.floor(box.scrollTop / LINE), end = Math.ceil((box.scrollTop + box.clientHeight) / LINE);
  const first = strip.starts[Math.min(top, strip.starts.length - 1)] ?? 0;
  const last = strip.starts[end] ?? count;
  if (last - first < count) {
    pen.strokeStyle = cssColor("--accent");
    pen.lineWidth = 1.5;
    pen.strokeRect(first / count * width + 1, 2, Math.max(4, (last - first) / count * width - 2), height - 6);
  }
  if (matrix.head && currentEntry().queries === currentEntry().keys) {
    const asks = (state.direction === "row" ? state.query : state.key) + 0.5;
    pen.fillStyle = cssColor("--accent");
    pen.beginPath();
    pen.moveTo(asks / count * width, height - 7);
    pen.lineTo(asks / count * width - 4, height);
    pen.lineTo(asks / count * width + 4, height);
    pen.fill();
  }
  canvas.setAttribute("aria-valuemin", "0");
  canvas.setAttribute("aria-valuemax", String(count - 1));
  canvas.setAttribute("aria-valuenow", String(first));
  canvas.setAttribute("aria-valuetext", `${first}–${last - 1}`);
}

function readToken(i) {
  const value = strip.values[i];
  if (value === undefined) return;
  $("strip-readout").textContent = t("stripRead", { i, label: labelOf(strip.sequence, i),
    value: matrix.head ? weightText(value) : percent(value) });
}

function scrollToToken(i) {
  const box = $("strip");
  const y = lineOf(i) * LINE;
  if (y < box.scrollTop || y + LINE > box.scrollTop + box.clientHeight) box.scrollTop = Math.max(0, y - 2 * LINE);
}

// The token that is pointed at becomes the one that asks (or the one that is looked at).
function pickToken(i) {
  if (!matrix.head) { readToken(i); return; }
  if (currentEntry().queries !== currentEntry().keys) set(state.direction === "row" ? { key: i } : { query: i });
  else set(state.direction === "row" ? { query: i } : { key: i });
}

function startStrip() {
  const box = $("strip");
  const at = (event) => event.target.closest?.(".token");
  box.addEventListener("scroll", later(drawLines));
  box.addEventListener("click", (event) => { const token = at(event); if (token) pickToken(+token.dataset.i); });
  box.addEventListener("pointerover", (event) => { const token = at(event); if (token) readToken(+token.dataset.i); });
  box.addEventListener("keydown", stripKey);
  for (const direction of ["row", "column"]) {
    const button = make("button", t(direction));
    button.type = "button";
    button.dataset.direction = direction;
    button.addEventListener("click", () => set({ direction }));
    $("directions").append(button);
  }
  startTrack();
  listen("query key direction", () => {
    drawStrip();
    scrollToToken(state.direction === "row" ? state.query : state.key);
  });
  new ResizeObserver(later(() => { if (state.entry >= 0 && strip.values) { layoutStrip(); strip.from = -1; drawLines(); } })).observe(box);
}

function stripKey(event) {
  const name = state.direction === "row" ? "key" : "query";
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 }[event.key];
  if (step) {
    const next = Math.min(Math.max(state[name] + step, 0), strip.values.length - 1);
    set({ [name]: next });
    scrollToToken(next);
  } else if (event.key === "Enter") pickToken(state[name]);
  else return;
  event.preventDefault();
}

function startTrack() {
  const canvas = $("track");
  const go = (event) => {
    const share = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
    const line = lineOf(Math.floor(Math.min(Math.max(share, 0), 0.9999) * strip.values.length));
    $("strip").scrollTop = line * LINE - $("strip").clientHeight / 2;
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); go(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) go(event); });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 6, PageUp: -6, Home: -1e6, End: 1e6 }[event.key];
    if (!step) return;
    event.preventDefault();
    $("strip").scrollTop += step * LINE;
  });
}
