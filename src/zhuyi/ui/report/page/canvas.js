// Drawing the matrix view on one canvas, and the hands on it: pointer, wheel, keyboard.
const plot = { width: 0, left: 0, top: 0, size: 0, hover: null };
const plotSize = () => plot.size || 480;

function layoutPlot() {
  const width = $("matrix").parentElement.clientWidth;
  const rows = shapeOf()[0] * matrix.box.size, cols = shapeOf()[1] * matrix.box.size;
  const wide = Math.min(width, 620);
  const labelled = Math.max(rows, cols) <= wide / 13;
  const margin = labelled ? Math.min(92, Math.round(wide * 0.19)) : 26;
  plot.labelRows = rows <= wide / 13;
  plot.labelCols = cols <= wide / 13;
  plot.left = plot.labelRows ? margin : 26;
  plot.top = plot.labelCols ? (state.mode === "results" ? 26 : margin) : 26;
  plot.width = wide;
  plot.size = wide - Math.max(plot.left, plot.top);
}

function drawMatrix() {
  if (state.entry < 0) return;
  layoutPlot();
  const canvas = $("matrix");
  // A finger pans the view only when there is something to pan; otherwise it scrolls the page.
  const touch = matrix.box.size < 1 ? "none" : "pan-y pinch-zoom";
  if (canvas.style.touchAction !== touch) canvas.style.touchAction = touch;
  const [width, height] = [plot.left + plot.size + "px", plot.top + plot.size + "px"];
  if (canvas.style.width !== width) canvas.style.width = width;
  if (canvas.style.height !== height) canvas.style.height = height;
  const pen = fitCanvas(canvas, plot.left + plot.size, plot.top + plot.size);
  const { left, top, size } = plot;
  pen.clearRect(0, 0, left + size, top + size);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, size, size);
  pen.clip();
  drawHatch(pen);
  if (matrix.image) {
    const [r0, r1, c0, c1] = matrix.image.box;
    const [x0, y0] = toPlot(r0, c0), [x1, y1] = toPlot(r1, c1);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(matrix.image.canvas, x0, y0, x1 - x0, y1 - y0);
  }
  if (matrix.head) { drawNumbers(pen); drawCross(pen); }
  pen.restore();
  pen.strokeStyle = cssColor("--line");
  pen.strokeRect(left + 0.5, top + 0.5, size - 1, size - 1);
  drawAxes(pen);
}

function toPlot(row, col) {
  const [rows, cols] = shapeOf();
  const { x, y, size } = matrix.box;
  return [plot.left + (col / cols - x) / size * plot.size, plot.top + (row / rows - y) / size * plot.size];
}

function fromPlot(px, py) {
  const [rows, cols] = shapeOf();
  const { x, y, size } = matrix.box;
  const col = Math.floor(((px - plot.left) / plot.size * size + x) * cols);
  const row = Math.floor(((py - plot.top) / plot.size * size + y) * rows);
  if (px < plot.left || py < plot.top || row < 0 || col < 0 || row >= rows || col >= cols) return null;
  return [row, col];
}

// Behind the dots: what stays visible there is masked.
function drawHatch(pen) {
  pen.fillStyle = cssColor("--raised");
  pen.fillRect(plot.left, plot.top, plot.size, plot.size);
  if (!matrix.head?.masked) return;
  pen.strokeStyle = cssColor("--line");
  pen.lineWidth = 1;
  pen.beginPath();
  for (let d = 0; d < 2 * plot.size; d += 9) {
    pen.moveTo(plot.left + d, plot.top);
    pen.lineTo(plot.left + d - plot.size, plot.top + plot.size);
  }
  pen.stroke();
}

function visibleRange() {
  const [rows, cols] = shapeOf();
  const { x, y, size } = matrix.box;
  return [Math.floor(y * rows), Math.min(rows, Math.ceil((y + size) * rows)),
    Math.floor(x * cols), Math.min(cols, Math.ceil((x + size) * cols))];
}

// Large cells carry their weight as text, so that color is never the only sign.
function drawNumbers(pen) {
  const [r0, r1, c0, c1] = visibleRange();
  const cell = plot.size / Math.max(r1 - r0, c1 - c0);
  if (cell < 27 || state.mode === "results") return;
  pen.font = `${Math.min(12, cell / 3)}px ${cssColor("--sans")}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const span = matrix.high - matrix.low || 1;
  const faint = Math.log(currentEntry().floor);
  for (let i = r0; i < r1; i++) {
    for (let j = c0; j < c1; j++) {
      const score = matrix.head.score(i, j);
      if (score === -Infinity) continue;
      const weight = Math.exp(score - matrix.head.lse[i]);
      const shade = state.mode === "scores" ? (score - matrix.low) / span
        : state.stretch ? 1 - Math.log(Math.max(weight, 1e-9)) / faint : weight / span;
      if (state.mode === "weights" && weight < 0.005) continue;
      const [x0, y0] = toPlot(i, j), [x1, y1] = toPlot(i + 1, j + 1);
      pen.fillStyle = (shade > 0.5) !== isDark() ? "#fff" : "#14131a";
      const text = state.mode === "scores" ? score.toFixed(1).replace("-", "−") : weight.toFixed(2).replace(/^0/, "");
      pen.fillText(text, (x0 + x1) / 2, (y0 + y1) / 2 + 0.5);
    }
  }
}

function drawCross(pen) {
  const mark = ([row, col], color, width) => {
    const [x0, y0] = toPlot(row, col), [x1, y1] = toPlot(row + 1, col + 1);
    pen.fillStyle = pen.strokeStyle = color;
    pen.lineWidth = width;
    // A frame around a thin line would hide it: one line then, with a gap around the cell.
    const thin = y1 - y0 < 6;
    const gap = 7;
    if (!thin) pen.strokeRect(plot.left - 4, y0, plot.size + 8, y1 - y0);
    else if (state.mode === "results") pen.fillRect(plot.left, (y0 + y1) / 2 - width / 2, plot.size, width);
    else {
      const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
      pen.fillRect(plot.left, y - width / 2, Math.max(0, x - gap - plot.left), width);
      pen.fillRect(x + gap, y - width / 2, plot.size, width);
      pen.fillRect(x - width / 2, plot.top, width, Math.max(0, y - gap - plot.top));
      pen.fillRect(x - width / 2, y + gap, width, plot.size);
      pen.strokeRect(x - gap, y - gap, 2 * gap, 2 * gap);
      return;
    }
    pen.strokeRect(x0, plot.top - 4, x1 - x0, plot.size + 8);
  };
  mark(chosenCell(), cssColor("--accent"), 1.5);
  if (plot.hover) mark(plot.hover, cssColor("--ink-3"), 0.75);
}

function drawAxes(pen) {
  pen.fillStyle = cssColor("--ink-2");
  const font = cssColor("--sans");
  const [r0, r1, c0, c1] = visibleRange();
  const entry = currentEntry();
  pen.textBaseline = "middle";
  pen.font = `11px ${font}`;
  if (plot.labelRows) {
    pen.textAlign = "right";
    const room = Math.floor(plot.left / 6.4);
    for (let i = r0; i < r1; i++) {
      const y = (toPlot(i, 0)[1] + toPlot(i + 1, 0)[1]) / 2;
      if (y < plot.top || y > plot.top + plot.size) continue;
      axisText(pen, shorten(labelOf(entry.queries, i), room), plot.left - 7, y, i === state.query);
    }
  } else sideText(pen, t("asks"), 13, plot.top + 4, true);
  if (plot.labelCols && state.mode !== "results") {
    pen.textAlign = "left";
    const room = Math.floor(plot.top / 6.4);
    for (let j = c0; j < c1; j++) {
      const x = (toPlot(0, j)[0] + toPlot(0, j + 1)[0]) / 2;
      if (x < plot.left || x > plot.left + plot.size) continue;
      pen.save();
      pen.translate(x, plot.top - 7);
      pen.rotate(-Math.PI / 2);
      axisText(pen, shorten(labelOf(entry.keys, j), room), 0, 0, j === state.key);
      pen.restore();
    }
  } else sideText(pen, t(state.mode === "results" ? "features" : "answers"), plot.left + 2, 13, false);
}

function axisText(pen, text, x, y, strong) {
  pen.fillStyle = cssColor(strong ? "--accent" : "--ink-2");
  pen.font = `${strong ? "600 " : ""}11px ${cssColor("--sans")}`;
  pen.fillText(text, x, y);
}

function sideText(pen, text, x, y, turned) {
  pen.save();
  pen.fillStyle = cssColor("--ink-3");
  pen.translate(x, y);
  if (turned) pen.rotate(-Math.PI / 2);
  pen.textAlign = turned ? "right" : "left";
  pen.fillText(text, 0, 0);
  pen.restore();
}

function readCell(cell) {
  const entry = currentEntry();
  const [row, col] = cell;
  const query = labelOf(entry.queries, row);
  let text = "";
  if (matrix.head && state.mode === "results") {
    const line = new Float32Array(matrix.head.width);
    matrix.head.resultRow(row, line);
    text = t("cellResult", { query, feature: col, value: number(line[col]) });
  } else if (matrix.head) {
    const score = matrix.head.score(row, col);
    const key = labelOf(entry.keys, col);
    text = score === -Infinity ? t("cellMasked", { query, key })
      : t("cell", { query, key, weight: weightText(matrix.head.weight(row, col)), score: number(score) });
  }
  $("matrix-readout").textContent = text;
}

// The chosen cell; in the results the columns are features, which no other view knows.
const chosenCell = () => [state.query, state.mode === "results" ? state.feature : state.key];
const choose = ([row, col]) => set({ query: row, [state.mode === "results" ? "feature" : "key"]: col });

function startMatrix() {
  const canvas = $("matrix");
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { from: place(event), last: place(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (drag && matrix.box.size < 1) {
      if (Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > 4) drag.moved = true;
      if (drag.moved) { moveBox((drag.last[0] - at[0]) / plot.size, (drag.last[1] - at[1]) / plot.size); drag.last = at; }
      return;
    }
    plot.hover = matrix.head ? fromPlot(...at) : null;
    if (plot.hover) readCell(plot.hover);
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const cell = fromPlot(...place(event));
    if (drag && !drag.moved && cell && matrix.head) choose(cell);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => {
    plot.hover = null;
    if (matrix.head) readCell(chosenCell());
    redraw();
  });
  // The wheel zooms only with Ctrl or Command, or when the view has the focus: pages must scroll.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
    event.preventDefault();
    const [px, py] = place(event);
    zoomTo(matrix.box.size * Math.exp(event.deltaY * 0.002), (px - plot.left) / plot.size, (py - plot.top) / plot.size);
  }, { passive: false });
  canvas.addEventListener("keydown", matrixKey);
  $("zoom").addEventListener("input", (event) => {
    const least = Math.min(1, 6 / Math.max(...currentEntry().shape));
    const [rows, cols] = shapeOf();
    const { x, y, size } = matrix.box;
    const inBox = (v, start) => Math.min(1, Math.max(0, (v - start) / size));
    zoomTo(Math.exp(Math.log(least) * event.target.value / 100),
      inBox((state.key + 0.5) / cols, x), inBox((state.query + 0.5) / rows, y));
  });
  $("whole").addEventListener("click", () => zoomTo(1));
  $("stretch").addEventListener("change", (event) => set({ stretch: event.target.checked }));
  for (const mode of ["weights", "scores", "results"]) {
    const button = make("button", t(mode));
    button.type = "button";
    button.dataset.mode = mode;
    button.addEventListener("click", () => set({ mode }));
    $("modes").append(button);
  }
  listen("query key feature", () => { if (matrix.head) readCell(chosenCell()); reveal(); });
  new ResizeObserver(later(() => { layoutPlot(); restart(); })).observe(canvas.parentElement);
}

const redraw = later(drawMatrix);

function matrixKey(event) {
  const [rows, cols] = shapeOf();
  const leap = event.shiftKey ? 10 : 1;
  const go = { ArrowUp: [-leap, 0], ArrowDown: [leap, 0], ArrowLeft: [0, -leap], ArrowRight: [0, leap] }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (go && matrix.head) {
    const [row, col] = chosenCell();
    choose([Math.min(Math.max(row + go[0], 0), rows - 1), Math.min(Math.max(col + go[1], 0), cols - 1)]);
  } else if (event.key === "+" || event.key === "=") zoomTo(matrix.box.size / 1.5);
  else if (event.key === "-") zoomTo(matrix.box.size * 1.5);
  else if (event.key === "0") zoomTo(1);
  else if (event.key === "Enter" && currentEntry().queries === currentEntry().keys) set({ query: state.key });
  else return;
  event.preventDefault();
}
