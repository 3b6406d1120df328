// The few things every part shares: elements, state, storage, words and numbers as text.
const $ = (id) => document.getElementById(id);

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

// A sandboxed frame throws on the mere mention of localStorage; the page then just forgets.
const storage = {
  get(name) {
    try { return window.localStorage.getItem("zhuyi." + name); } catch { return null; }
  },
  put(name, value) {
    try { window.localStorage.setItem("zhuyi." + name, value); } catch { /* not remembered */ }
  },
};

const state = {
  lang: storage.get("lang") || ((navigator.language || "en").startsWith("zh") ? "zh" : "en"),
  theme: storage.get("theme") || "auto",
  sequence: 0, entry: -1, query: 0, key: 0, feature: 0, mode: "weights", direction: "row", order: "layer",
  stretch: false, numbers: false, onlyHead: false, inner: true, filter: "", sort: "weight", down: true,
};
if (!STRINGS[state.lang]) state.lang = "en";

const listeners = [];
const listen = (names, action) => listeners.push([names.split(" "), action]);

function set(changes) {
  const changed = Object.keys(changes).filter((name) => state[name] !== changes[name]);
  if (!changed.length) return;
  Object.assign(state, changes);
  for (const [names, action] of listeners) {
    if (names.some((name) => changed.includes(name))) action(changed);
  }
}

function t(name, values = {}) {
  // hasOwn: a label called "constructor" is a label.
  const text = [state.lang, "en"].map((lang) => STRINGS[lang]).find((table) => Object.hasOwn(table, name))?.[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (mark, key) => (key in values ? String(values[key]) : mark));
}

function number(value, digits = 3) {
  if (value === -Infinity) return "−∞";
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-4 || size >= 1e6 ? value.toExponential(1)
    : size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

const weightText = (weight) => (weight >= 0.0005 ? weight.toFixed(3) : number(weight, 2));

const percent = (share) => t("percent", { n: number(share * 100, share < 0.1 ? 2 : 3) });

// Line ends and other invisible marks become visible, or a token would look like nothing.
function visible(label) {
  if (label === "") return "∅";
  return label.replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/^ +| +$/g, (s) => "␣".repeat(s.length))
    .replace(/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, "·");
}

const shorten = (label, length) => (label.length > length ? label.slice(0, length - 1) + "…" : label);

function fitCanvas(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

function later(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; action(); });
  };
}

function isDark() {
  if (state.theme !== "auto") return state.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// Reading a computed style makes the browser settle all pending changes first: once per theme.
const cssValues = new Map();
function cssColor(name) {
  const key = name + isDark();
  if (!cssValues.has(key)) {
    cssValues.set(key, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return cssValues.get(key);
}
