// The parts of a score: those that have a form of their own, and any others as names and values.
function partsOf(answer, run) {
  const parts = answer.parts;
  if (!parts || typeof parts !== "object") return null;
  const shown = new Set();
  const blocks = [];
  if (instructionsOf(answer).length) for (const key of ["instructions", "prompt_strict", "prompt_loose"]) shown.add(key);
  if (Array.isArray(parts.turns) && parts.turns.every((turn) => turn && "rating" in turn)) {
    shown.add("turns");
    if (!answer.turns) blocks.push(...parts.turns.map(ratingOf));
  }
  if ("extracted" in parts && "gold" in parts) {
    for (const key of ["extracted", "gold", "correct"]) shown.add(key);
    blocks.push(make("dl", { class: "compared" },
      make("dt", {}, words.extracted),
      make("dd", {}, parts.extracted === null ? make("span", { class: "bad" }, words.nothing_extracted) : glyph(answer.value === 1, asText(parts.extracted))),
      make("dt", {}, words.gold), make("dd", {}, ...visible(asText(parts.gold)))));
  }
  if (Array.isArray(parts.tests) && parts.tests.length && parts.tests.every((test) => test && "outcome" in test || test && "name" in test)) {
    for (const key of ["tests", "passed", "total"]) shown.add(key);
    blocks.push(testsOf(parts, run));
  }
  if (criteriaOf(answer)) shown.add("criteria");
  for (const [key, mark] of [["graders", "points"], ["describers", "mean"]]) {
    if (!Array.isArray(parts[key])) continue;
    shown.add(key);
    blocks.push(saidBy(parts[key].map((one) => ({ ...one, mark: one?.[mark] ?? undefined }))));
  }
  const rest = Object.entries(parts).filter(([key]) => !shown.has(key));
  if (rest.length) blocks.push(blocks.length ? foldable(words.parts, [pairs(rest)]) : [make("h4", {}, words.parts), pairs(rest)]);
  return blocks;
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function testsOf(parts, run) {
  const rows = parts.tests.map((test, at) => {
    const outcome = String(test.outcome || "");
    return make("tr", {}, make("th", { scope: "row" }, ...visible(String(test.name ?? (test.index ?? at) + 1))),
      make("td", {}, glyph(outcome === "passed", words.outcomes[outcome] || outcome)),
      make("td", { class: "reason" }, ...visible(String(test.reason || "").slice(0, 2000))));
  });
  const table = make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `${words.tests}: ${config.runs[run]}` },
    make("table", { class: "tests" }, make("tbody", {}, rows)));
  const summary = fill(words.tests_passed, { passed: number(parts.passed ?? 0), total: number(parts.total ?? rows.length) });
  return foldable(summary, [table], rows.length <= 12);
}

// The drafts that a solver made its answer of, with the verdict on each.
function draftsOf(answer) {
  return foldable(fill(words.drafts, { count: answer.candidates.length }), [make("ol", { class: "drafts" },
    answer.candidates.map((draft, at) => make("li", {},
      make("p", { class: "facts-line" }, valueOf(draft),
        at === answer.chosen ? make("strong", {}, words.chosen) : null,
        draft.status && draft.status !== "ok" ? make("span", { class: "flag" }, ...visible(words.statuses[draft.status] || draft.status)) : null,
        draft.answer ? make("span", {}, words.extracted, ": ", ...visible(draft.answer)) : null,
        draft.completion_tokens ? make("span", {}, fill(words.tokens, { count: number(draft.completion_tokens) })) : null),
      draft.reasoning ? foldable(words.reasoning, [prose(draft.reasoning)]) : null,
      foldable(words.draft_text, [prose(draft.text)]))))]);
}
