(() => {
  "use strict";
  // The page is whole without this: it only chooses between the two languages and the two themes.
  const root = document.documentElement;
  const words = {
    en: { other: "中文", otherLabel: "Switch to Chinese", auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" },
    zh: { other: "English", otherLabel: "切换到英文", auto: "主题：跟随系统", light: "主题：浅色", dark: "主题：深色" },
  };
  // A sandboxed frame throws on the mere mention of localStorage; the page then just forgets.
  const stored = (name) => { try { return window.localStorage.getItem("zhuyi." + name); } catch { return null; } };
  const store = (name, value) => { try { window.localStorage.setItem("zhuyi." + name, value); } catch { /* not remembered */ } };
  const state = { lang: root.lang.startsWith("zh") ? "zh" : "en", theme: stored("theme") || "auto" };
  if (!(state.theme in words.en)) state.theme = "auto";
  const [language, theme] = ["language", "theme"].map((id) => document.getElementById(id));

  function draw() {
    root.lang = state.lang === "zh" ? "zh-Hans" : "en";
    if (state.theme === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = state.theme;
    language.textContent = words[state.lang].other;
    language.setAttribute("aria-label", words[state.lang].otherLabel);
    theme.textContent = words[state.lang][state.theme];
    language.hidden = theme.hidden = false;
  }

  language.addEventListener("click", () => {
    state.lang = state.lang === "en" ? "zh" : "en";
    draw();
  });
  theme.addEventListener("click", () => {
    state.theme = { auto: "light", light: "dark", dark: "auto" }[state.theme];
    store("theme", state.theme);
    draw();
  });
  draw();
  root.dataset.ready = "yes";
})();
