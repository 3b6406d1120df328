// The panel of `zhuyi serve MODEL`: rules tried out on one input.
import { render } from "preact";
import { App } from "./App";
import { follow } from "./following";
import { sentences } from "./sentences";
import { ask } from "./server";
import { firstState, Store, StoreContext } from "./store";
import css from "./style/panel.css";
import { firstLanguage, firstTheme, shadow, wear } from "./theme";
import type { DeskInfo } from "./types";
import { sayer } from "./words";

const SCHEMA = "zhuyi.desk/1";

async function start(el: HTMLElement): Promise<void> {
  const root = shadow(el, css);
  const desk = await ask<DeskInfo>("desk");
  if (desk.schema !== SCHEMA) throw new Error(`${desk.schema}, not ${SCHEMA}`);
  const store = new Store(firstState(desk, firstLanguage(), firstTheme()), root);
  const dress = (): void => wear(el, store.state.theme, store.state.lang);
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  store.listen((before) => {
    const { theme, lang, answer } = store.state;
    if (theme !== before.theme || lang !== before.lang) dress();
    if (answer) el.dataset.ready = "yes";
  });
  render(<StoreContext.Provider value={store}><App /></StoreContext.Provider>, root);
  follow(store);
}

const own = document.getElementById("zhuyi");
if (own) {
  start(own).catch((error: Error) => {
    own.setAttribute("role", "alert");
    // Once there is a shadow root, nothing else in the element is shown.
    (own.shadowRoot ?? own).textContent = sayer(sentences, firstLanguage())("failed", { what: error.message });
  });
}
