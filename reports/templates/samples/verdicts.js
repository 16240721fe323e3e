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
