// The answer: what was audited, whether to believe it, why, and how that divides over the inputs.
function drawHero() {
  $("title").textContent = report.title;
  $("task").textContent = report.task;
  const box = $("verdict");
  box.className = `verdict ${report.verdict}`;
  const text = make("div");
  text.append(make("p", t("verdict." + report.verdict), "word-verdict"), make("p", said(report.answer), "answer"));
  if (report.reasons.length) {
    const list = make("ul");
    list.append(...report.reasons.slice(0, 4).map((one) => make("li", said(one))));
    text.append(make("p", t("why"), "why"), list);
  }
  box.replaceChildren(icon(report.verdict), text);
  drawTally();
  fillFacts($("facts"), heroFacts());
  $("meaning-body").replaceChildren(...["meaning1", "meaning2", "meaning3"].map((name) => make("p", t(name))));
}

function heroFacts() {
  const labels = report.labels.slice(0, 6).join(" · ");
  const more = report.labels.length - 6;
  const told = ["accuracy", "R²", "mean AUROC"].find((name) => Object.hasOwn(report.quality, name)) ?? "accuracy";
  const quality = report.quality[told];
  return [
    [told === "accuracy" ? t("fact_right") : named("n", told), quality ? intervalText(told, quality) : t("unknown")],
    [t("fact_explained"), shortName(report.chosen)],
    [t("fact_labels"), more > 0 ? t("labelsMore", { list: labels, n: more }) : labels],
    [t("fact_data"), t("dataValue", report.data)],
    [t("fact_removal"), report.removal],
    [t("fact_attention"), report.attention ? shortName(report.attention) : t("none")],
  ];
}

// Three bars told apart by length, pattern, icon and number; each leads to its inputs.
function drawTally() {
  const all = report.counts.trusted + report.counts.doubtful + report.counts.refuted;
  $("tally").hidden = $("tally-title").hidden = !all;
  $("tally").replaceChildren(...VERDICTS.filter((label) => report.counts[label]).map((label) => {
    const button = make("button", undefined, label);
    button.type = "button";
    const n = report.counts[label];
    button.style.setProperty("--part", n);
    button.style.setProperty("--share", n / all);
    button.setAttribute("aria-label", t("tally", { word: t(label), n, all }));
    button.append(make("span", undefined, "bar"), icon(label), " ", make("b", n), " ",
      make("span", t("tallyWhat", { word: t(label), p: percent(n / all) }), "what"));
    button.addEventListener("click", () => {
      set({ verdict: label, shown: 20 });
      $("inputs").scrollIntoView();
      $("inputs").focus({ preventScroll: true });
    });
    return button;
  }));
}
