// What the matrix view shows: the chosen head's operator, the visible box and its dots.
const matrix = { head: null, loading: -1, box: { x: 0, y: 0, size: 1 }, job: null, image: null, low: 0, high: 1 };
const operators = new Map(); // entry index -> HeadOperator, the latest few
const KEPT = 6;

const currentEntry = () => entries[state.entry];
const shapeOf = () => {
  const [rows, cols] = currentEntry().shape;
  return state.mode === "results" && matrix.head ? [rows, matrix.head.width] : [rows, cols];
};

async function openHead() {
  const entry = currentEntry();
  const wanted = state.entry;
  matrix.head = null;
  state.query = Math.min(state.query, entry.shape[0] - 1);
  state.key = Math.min(state.key, entry.shape[1] - 1);
  if (entry.detail) {
    matrix.loading = wanted;
    if (!operators.has(wanted)) {
      const arrays = await unpack(entry.detail.chunk, entry.detail.layout);
      operators.set(wanted, new HeadOperator(entry.detail, entry.shape, arrays));
      if (operators.size > KEPT) operators.delete(operators.keys().next().value);
    }
    if (state.entry !== wanted) return; // another head was chosen while this one unpacked
    matrix.head = operators.get(wanted);
  }
  matrix.loading = -1;
  const mode = available(state.mode) ? state.mode : "weights";
  if (mode !== state.mode) set({ mode });
  drawHead();
}

const available = (mode) => mode === "weights" || Boolean(matrix.head && (mode !== "results" || matrix.head.width));

function drawHead() {
  const entry = currentEntry();
  $("head-title").textContent = t("layerHead", entry);
  for (const button of $("modes").children) {
    button.textContent = t(button.dataset.mode);
    button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
    button.disabled = !available(button.dataset.mode);
  }
  const facts = manifest.statistics.filter((name) => name in entry.stats).map((name) =>
    [t("stat." + name), SHARES.has(name) ? percent(entry.stats[name]) : number(entry.stats[name], 3)]);
  $("facts-title").textContent = t("inNumbers", { name: t("layerHead", entry) });
  drawFacts($("head-facts"), [...facts, [t("headKernel"), entry.kernel]]);
  $("stretch-box").hidden = state.mode !== "weights";
  if (matrix.head) readCell(chosenCell());
  else $("matrix-readout").textContent = "";
  restart();
  drawStrip();
  scrollToToken(state.direction === "row" ? state.query : state.key);
}

// A new box or mode: keep the old dots on screen, compute new ones in small slices.
function restart() {
  const [rows, cols] = shapeOf();
  const { x, y, size } = matrix.box;
  const box = [Math.floor(y * rows), Math.ceil((y + size) * rows), Math.floor(x * cols), Math.ceil((x + size) * cols)]
    .map((v, i) => Math.min(Math.max(v, 0), i < 2 ? rows : cols));
  matrix.job = matrix.head ? new BlockJob(matrix.head, state.mode, box, dotsWanted()) : null;
  if (!matrix.job) matrix.image = thumbnailImage();
  else if (!matrix.image || matrix.image.entry !== state.entry || matrix.image.mode !== state.mode) {
    matrix.image = state.mode === "weights" ? thumbnailImage() : null;
  }
  caption();
  work();
}

const dotsWanted = () => Math.min(Math.round(plotSize()), 560);

function thumbnailImage() {
  const entry = currentEntry();
  const [rows, cols] = entry.thumbnail;
  const canvas = paint(entry.picture, rows, cols, false);
  [matrix.low, matrix.high] = [entry.floor, 1];
  return { canvas, entry: state.entry, mode: "weights", box: [0, entry.shape[0], 0, entry.shape[1]], log: true };
}

const work = later(() => {
  const job = matrix.job;
  if (!job) { drawMatrix(); return; }
  const before = job.pass;
  job.run(9);
  if (job.done) matrix.job = null;
  else work();
  if (job.pass !== before) { matrix.image = jobImage(job); caption(); }
  drawMatrix();
});

function jobImage(job) {
  const [codes, twoSided] = code(job);
  return { canvas: paint(codes, job.rows, job.cols, twoSided), entry: state.entry, mode: job.mode, box: job.box, job };
}

function code(job) {
  const { values, mode } = job;
  const codes = new Int16Array(values.length);
  if (mode === "weights") {
    // The largest weight of the whole head: colors keep their meaning while one zooms.
    const entry = currentEntry();
    const top = Math.max(entry.stats.max, entry.floor);
    const floor = Math.log(entry.floor);
    [matrix.low, matrix.high] = state.stretch ? [entry.floor, 1] : [0, top];
    for (let i = 0; i < values.length; i++) {
      const v = values[i];
      codes[i] = v === -Infinity ? -1 : state.stretch
        ? 255 * Math.min(1, Math.max(0, 1 - v / floor)) : 255 * Math.min(1, Math.exp(v) / top);
    }
    return [codes, false];
  }
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) if (Number.isFinite(v)) { low = Math.min(low, v); high = Math.max(high, v); }
  if (mode === "results") { high = Math.max(Math.abs(low), Math.abs(high)); low = -high; }
  if (!(high > low)) high = low + 1;
  [matrix.low, matrix.high] = [low, high];
  for (let i = 0; i < values.length; i++) {
    codes[i] = Number.isFinite(values[i]) ? 255 * (values[i] - low) / (high - low) : -1;
  }
  return [codes, mode === "results"];
}

function caption() {
  const entry = currentEntry();
  if (!matrix.head && matrix.loading < 0) {
    const size = entry.thumbnail.join(" × ");
    $("matrix-caption").textContent = t("noDetail", { size, layer: entry.layer, head: entry.head });
  } else {
    const key = { weights: isDark() ? "weightsDark" : "weightsLight", scores: "scoresCaption", results: "resultsCaption" };
    let text = t(key[state.mode], { width: matrix.head?.width ?? 0 });
    const job = matrix.image?.job;
    if (job && (job.cellRows > 1 || job.cellCols > 1)) {
      const pooling = { rows: Math.ceil(job.cellRows), cols: Math.ceil(job.cellCols) };
      if (job.mode !== "results") text += t("pooled", pooling);
      else if (job.cellRows > 1) text += t("sampled", pooling);
    }
    if (matrix.head?.masked && state.mode !== "results") text += t("masked");
    if (matrix.job) text += t("working");
    if ($("matrix-caption").textContent !== text) $("matrix-caption").textContent = text;
  }
  const [rows, cols] = shapeOf();
  $("matrix").setAttribute("aria-label", t("matrixLabel", { what: t(state.mode), rows, cols }));
  drawLegend();
}

function drawLegend() {
  drawRamp(state.mode === "results");
  const small = state.mode === "weights" && (state.stretch || !matrix.head);
  $("low").textContent = small ? "≤ " + number(matrix.low) : number(matrix.low);
  $("high").textContent = number(matrix.high);
}

function zoomTo(size, cx = 0.5, cy = 0.5) {
  // cx, cy: the place in the view (0..1) that stays where it is.
  const least = Math.min(1, 6 / Math.max(...currentEntry().shape));
  const next = Math.min(1, Math.max(least, size));
  const old = matrix.box;
  const clamp = (v) => Math.min(Math.max(v, 0), 1 - next);
  matrix.box = { size: next, x: clamp(old.x + (old.size - next) * cx), y: clamp(old.y + (old.size - next) * cy) };
  const range = Math.log(least);
  $("zoom").value = range ? Math.round(100 * Math.log(next) / range) : 0;
  restart();
}

function moveBox(dx, dy) {
  const { x, y, size } = matrix.box;
  const clamp = (v) => Math.min(Math.max(v, 0), 1 - size);
  matrix.box = { size, x: clamp(x + dx * size), y: clamp(y + dy * size) };
  restart();
}

// Keep the chosen cell in sight when it was moved from elsewhere.
function reveal() {
  const [rows, cols] = shapeOf();
  const { x, y, size } = matrix.box;
  const [cy, cx] = [(state.query + 0.5) / rows, (chosenCell()[1] + 0.5) / cols];
  const clamp = (v) => Math.min(Math.max(v, 0), 1 - size);
  const inside = cy >= y && cy <= y + size && cx >= x && cx <= x + size;
  if (size >= 1 || inside) { drawMatrix(); return; }
  matrix.box = { size, x: clamp(cx - size / 2), y: clamp(cy - size / 2) };
  restart();
}
