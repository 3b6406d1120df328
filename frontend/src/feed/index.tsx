// The page of `zhuyi serve --feed`: a list of films under a person's own rules.
import { render } from "preact";
import { ask } from "../steering/server";
import { firstLanguage, firstTheme, shadow, wear } from "../steering/theme";
import { sayer } from "../steering/words";
import { App } from "./App";
import { follow } from "./following";
import { sentences } from "./sentences";
import { firstState, Store, StoreContext } from "./store";
import css from "./style/feed.css";
import type { DeskInfo } from "./types";

const SCHEMA = "zhuyi.feed-desk/1";

async function start(el: HTMLElement): Promise<void> {
  const root = shadow(el, css);
  const desk = await ask<DeskInfo>("desk");
  if (desk.schema !== SCHEMA) throw new Error(`${desk.schema}, not ${SCHEMA}`);
  const store = new Store(firstState(desk, firstLanguage(), firstTheme()));
  const dress = (): void => wear(el, store.state.theme, store.state.lang);
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  store.listen((before) => {
    const { theme, lang, answer } = store.state;
    if (theme !== before.theme || lang !== before.lang) dress();
    if (answer) el.dataset.ready = "yes";
  });
  render(<StoreContext.Provider value={store}><App /></StoreContext.Provider>, root);
  if (desk.missing === null) follow(store);
  else el.dataset.ready = "yes";
}

const own = document.getElementById("zhuyi");
if (own) {
  start(own).catch((error: Error) => {
    own.setAttribute("role", "alert");
    // Once there is a shadow root, nothing else in the element is shown.
    (own.shadowRoot ?? own).textContent = sayer(sentences, firstLanguage())("failed", { what: error.message });
  });
}
