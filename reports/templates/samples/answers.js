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

function promptsOf(messages, formatted) {
  const alone = messages.length === 1;
  return messages.map((message) => make("div", { class: "prompt" },
    make("span", { class: "role" }, alone ? words.prompt : words.roles[message.role] || message.role),
    textOf(message.content, message.html, formatted)));
}
