// One answer, and everything that was found out about it.

const swatches = [...document.querySelectorAll(".runs .swatch")];
const swatch = (run) => swatches[run].cloneNode(true);
const instructionsOf = (answer) =>
  answer && answer.parts && Array.isArray(answer.parts.instructions) ? answer.parts.instructions : [];

function glyph(good, text) {
  return make("span", { class: "verdict " + (good ? "good" : "bad") },
    make("span", { class: "glyph", "aria-hidden": "true" }, good ? "✓" : "✗"), ...visible(text));
}

function textOf(text, html, formatted) {
  return formatted && html ? rendered(html) : prose(text);
}

function answerSection(answer, run, formatted) {
  return make("section", { class: "answer m" + (run % 8) },
    make("h4", {}, make("span", { class: "run" }, swatch(run), name(config.runs[run])), valueOf(answer)),
    answer ? factsLine(answer) : make("p", { class: "note" }, words.not_asked),
    answer && answer.messages ? foldable(words.other_prompt, promptsOf(answer.messages, formatted), true) : null,
    answer && answer.reasoning ? foldable(words.reasoning, [prose(answer.reasoning)]) : null,
    answer ? answerText(answer, formatted) : null,
    answer && answer.explanation ? make("p", { class: "explanation", lang: "ru", dir: "auto" }, ...visible(answer.explanation)) : null,
    answer ? partsOf(answer, run) : null,
    answer && answer.candidates ? draftsOf(answer) : null,
    answer && answer.loglikelihoods ? [make("h4", {}, words.loglikelihoods), pairs(Object.entries(answer.loglikelihoods))] : null);
}

function valueOf(answer) {
  if (!answer) return null;
  const value = answer.value === undefined ? null : answer.value;
  if (value === null) return make("span", { class: "value flag" }, words.not_scored);
  const verdicts = instructionsOf(answer);
  const short = value === 1 ? "✓" : verdicts.length ? `${verdicts.filter((one) => one.strict).length}/${verdicts.length}` : number(value, 2);
  const share = value === 1 || verdicts.length ? [" · ", percent(value)] : [];
  return make("span", { class: "value " + colour(value, verdicts.length) }, short, ...share);
}

// A rating between the ends is neither right nor wrong.
function colour(value, isCounted) {
  if (value === 1) return "good";
  return value === 0 || isCounted ? "bad" : "";
}

function factsLine(answer) {
  const flags = [];
  if (answer.status !== "ok") flags.push(words.statuses[answer.status] || answer.status || "");
  if (answer.finish_reason === "length" && answer.status !== "truncated") flags.push(words.cut_off);
  if (answer.text === "" && answer.status !== "empty" && !answer.loglikelihoods) flags.push(words.empty);
  const languages = Object.entries(answer.language || {}).filter(([, one]) => one && one.letters);
  for (const [part, one] of languages) {
    if (one.foreign_share > 0) flags.push(fill(words.foreign, { part: words.spoken[part] || part, share: percent(one.foreign_share, 1) }));
  }
  return make("p", { class: "facts-line" },
    flags.map((text) => make("span", { class: "flag" }, ...visible(text))),
    languages.filter(([, one]) => one.language).map(([part, one]) =>
      make("span", { class: one.language === "ru" ? null : "flag" }, ...visible(`${words.spoken[part] || part}: ${one.language}`))),
    !answer.completion_tokens ? null : make("span", {}, fill(words.tokens, { count: number(answer.completion_tokens) })),
    !answer.latency ? null : make("span", {}, fill(words.seconds, { count: number(answer.latency, 1) })));
}

function answerText(answer, formatted) {
  if (answer.turns) {
    const rated = answer.parts && Array.isArray(answer.parts.turns) ? answer.parts.turns : [];
    return answer.turns.map((text, turn) => [
      make("h4", {}, fill(words.turn, { number: turn + 1 })), textOf(text, (answer.htmls || [])[turn], formatted),
      rated[turn] && "rating" in rated[turn] ? ratingOf(rated[turn]) : null,
    ]).flat();
  }
  if (answer.text === undefined) return make("p", { class: "note" }, words.no_answer);
  return answer.text === "" ? null : textOf(answer.text, answer.html, formatted);
}

// The rating of one turn, and what the judge or each judge of a jury said.
function ratingOf(turn) {
  const said = turn.judge && typeof turn.judge === "object" ? turn.judge : {};
  const members = Array.isArray(said.members) ? said.members : [said];
  const status = turn.status === "ok" ? null : make("span", { class: "flag" }, ...visible(words.statuses[turn.status] || String(turn.status)));
  const rating = turn.rating === null ? words.not_scored : fill(words.rating, { rating: number(turn.rating) });
  return make("div", { class: "rating" },
    make("p", {}, make("strong", {}, rating), status,
      said.escalated ? make("span", { class: "flag" }, fill(words.spread, { spread: number(said.spread, 1) })) : null),
    saidBy(members.map((one) => ({ ...one, mark: members.length < 2 ? undefined : one?.value }))));
}

// What judges wrote, each under its name, with the mark that it gave.
function saidBy(judges) {
  return judges.filter((one) => one && (one.words || one.error || one.unasked)).map((one) => foldable(
    [fill(words.judge_said, { judge: "" }), name(String(one.judge || "")), one.mark === undefined ? null : `: ${one.mark}`],
    [prose(String(one.words || one.error || one.unasked))], true));
}

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

function promptsOf(messages, formatted) {
  const alone = messages.length === 1;
  return messages.map((message) => make("div", { class: "prompt" },
    make("span", { class: "role" }, alone ? words.prompt : words.roles[message.role] || message.role),
    textOf(message.content, message.html, formatted)));
}

// Every instruction's verdict by every model, by position: a prompt may hold one instruction twice.
function verdictTable(answers, runs) {
  const columns = answers.map(instructionsOf);
  const rows = Math.max(0, ...columns.map((column) => column.length));
  if (!rows) return null;
  return make("div", {}, make("h4", { id: "verdicts" }, words.verdicts),
    make("div", { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "verdicts" },
      make("table", { class: "verdicts" },
        columns.length > 1 ? make("thead", {}, make("tr", {}, make("td"), runs.map((run) =>
          make("th", { scope: "col" }, make("span", { class: "run" }, swatch(run), name(config.runs[run])))))) : null,
        make("tbody", {}, Array.from({ length: rows }, (_, at) => {
          const id = columns.find((column) => column[at])[at].id;
          return make("tr", {}, make("th", { scope: "row" }, label(id)), columns.map((column) => verdictCell(column[at], id)));
        })))));
}

const isTable = (value) => value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
const criteriaOf = (answer) => (answer && isTable(answer.parts) && isTable(answer.parts.criteria) ? answer.parts.criteria : null);

// How far every answer meets each criterion of a rubric, in per cent; a dash where it does not apply.
function criteriaTable(answers, runs) {
  const columns = answers.map(criteriaOf);
  const names = [...new Set(columns.flatMap((column) => Object.keys(column || {})))];
  if (!names.length) return null;
  const cell = (value) => make("td", { class: "number" }, typeof value === "number" ? percent(value / 100) : value == null ? "–" : visible(asText(value)));
  return make("div", {}, make("h4", { id: "criteria" }, words.criteria),
    make("div", { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "criteria" },
      make("table", { class: "criteria" },
        columns.length > 1 ? make("thead", {}, make("tr", {}, make("td"), runs.map((run) =>
          make("th", { scope: "col", class: "number" }, make("span", { class: "run" }, swatch(run), name(config.runs[run])))))) : null,
        make("tbody", {}, names.map((criterion) => make("tr", {},
          make("th", { scope: "row" }, ...visible(criterion.replaceAll("_", " "))), columns.map((column) => cell(column?.[criterion]))))))));
}

function verdictCell(one, id) {
  if (!one) return make("td", { class: "quiet" }, "–");
  const sign = (followed, word) => make("span", { class: "verdict " + (followed ? "good" : "bad"), title: followed ? words.yes : words.no },
    make("span", { class: "glyph", "aria-hidden": "true" }, followed ? "✓" : "✗"), word, unseen(": " + (followed ? words.yes : words.no)));
  return make("td", {}, one.id === id ? null : make("div", {}, label(one.id)),
    sign(one.strict, words.strict), sign(one.loose, words.loose),
    one.reason ? make("span", { class: "reason", lang: "ru", dir: "auto" }, ...visible(one.reason)) : null);
}

function label(id) {
  const at = id.indexOf(":") + 1;
  return make("bdi", {}, make("span", { class: "quiet" }, ...visible(id.slice(0, at))), make("wbr"), ...visible(id.slice(at)));
}

// Two answers in one text: what only the first has is struck out, what only the second has is underlined.
function differenceOf(answers, [first, second]) {
  const whole = (answer) => (answer ? (answer.turns ? answer.turns.join("\n\n") : answer.text) : undefined);
  const [one, other] = [whole(answers[0]), whole(answers[1])];
  if (!one || !other) return null;
  const found = differences(one, other);
  const side = (tag, run) => make(tag, {}, name(config.runs[run]));
  return make("section", { class: "difference" }, make("h4", {}, words.difference, " ", side("del", first), " ", side("ins", second)),
    found === null ? make("p", { class: "note" }, words.too_long)
      : make("div", { class: "text", lang: "ru", dir: "auto" }, found.map(({ kind, text }) =>
        kind === "same" ? visible(text) : make(kind, {}, ...visible(text)))));
}
