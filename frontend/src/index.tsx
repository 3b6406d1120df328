// The door of the module. anywidget calls the default export; TensorBoard calls render(); a page
// that carries its data, and the local server's page, start by themselves.
import { render as draw } from "preact";
import { App } from "./App";
import { hostIsDark, storage } from "./dom";
import { httpModel } from "./hosts/http";
import { pageModel } from "./hosts/page";
import { follow } from "./loading";
import { type Model, Source } from "./source";
import { type State, Store, StoreContext } from "./store";
import { knows, speak, translate } from "./strings";
import base from "./style/base.css";
import grid from "./style/grid.css";
import head from "./style/head.css";
import input from "./style/input.css";
import type { Index } from "./types";

const SCHEMA = "zhuyi.view/1";

function show(model: Model, el: HTMLElement, whole: boolean): () => void {
  const root = el.attachShadow({ mode: "open" });
  if (!root.adoptedStyleSheets) throw new Error(translate(language(), "stopOld"));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([base, grid, head, input].join("\n"));
  root.adoptedStyleSheets = [sheet];
  const index = (model.get("index") ?? { schema: SCHEMA, title: "", tracks: [] }) as Index;
  const source = new Source(model);
  const store = new Store(firstState(index), source, root);
  const theme = (): void => {
    const { theme } = store.state;
    const dark = hostIsDark();
    if (theme !== "auto") el.dataset.theme = theme;
    else if (dark !== null) el.dataset.theme = dark ? "dark" : "light";
    else delete el.dataset.theme;
    if (whole) {
      document.documentElement.style.background = getComputedStyle(el).getPropertyValue("--paper");
      document.documentElement.lang = store.state.lang === "zh" ? "zh-Hans" : "en";
    }
  };
  theme();
  store.listen((changed) => { if (changed.has("theme") || changed.has("lang")) theme(); });
  if (whole) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
    printLight(store);
  }
  if (index.schema !== SCHEMA) store.set({ error: translate(store.state.lang, "stopSchema", { what: index.schema }) });
  else if (typeof DecompressionStream === "undefined") store.set({ error: translate(store.state.lang, "stopOld") });
  const begin = (): void => {
    draw(<StoreContext.Provider value={store}><App whole={whole} /></StoreContext.Provider>, root);
    if (!store.state.error) void follow(store).then(() => { el.dataset.ready = "yes"; });
  };
  const { lang } = store.state;
  if (knows(lang)) begin();
  else void speak(store, lang).finally(begin);
  return () => { draw(null, root); source.close(); };
}

// Paper is light, whatever the screen is.
function printLight(store: Store): void {
  let before = store.state.theme;
  addEventListener("beforeprint", () => { before = store.state.theme; store.set({ theme: "light" }); });
  addEventListener("afterprint", () => store.set({ theme: before }));
}

function language(): State["lang"] {
  const known = storage.get("lang");
  if (known === "en" || known === "zh") return known;
  return (navigator.language || "en").startsWith("zh") ? "zh" : "en";
}

function firstState(index: Index): State {
  const first = index.tracks[0];
  return {
    lang: language(),
    theme: (["light", "dark"] as const).find((name) => name === storage.get("theme")) ?? "auto",
    place: { track: first?.id ?? "", step: first?.steps[first.steps.length - 1] ?? 0 },
    other: null, index, track: null, moment: null, otherTrack: null, otherMoment: null, series: null, error: "",
    sequence: 0, entry: -1, query: 0, key: 0, feature: 0, mode: "weights", direction: "row", order: "layer",
    stretch: false, numbers: false, onlyHead: false, inner: true, filter: "", sort: "weight", down: true,
  };
}

// TensorBoard's frame.
export async function render(): Promise<void> {
  const el = document.createElement("div");
  el.id = "zhuyi";
  document.body.style.margin = "0";
  document.body.append(el);
  await start(el, httpModel());
}

async function start(el: HTMLElement, model: Model | Promise<Model>): Promise<void> {
  try {
    show(await model, el, true);
  } catch (error) {
    el.setAttribute("role", "alert");
    // Once there is a shadow root, nothing else in the element is shown.
    (el.shadowRoot ?? el).textContent = `zhuyi: ${(error as Error).message}`;
  }
}

const own = document.getElementById("zhuyi");
if (own && document.getElementById("zhuyi-index")) void start(own, pageModel());
else if (own?.dataset.host === "server") void start(own, httpModel());

export default { render: ({ model, el }: { model: Model; el: HTMLElement }) => show(model, el.appendChild(document.createElement("div")), false) };
