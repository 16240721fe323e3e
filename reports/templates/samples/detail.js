// The sample that is open.

// The runs shown side by side: all of a few, or the two that are compared.
const compared = () => (config.runs.length <= SHOWN_AT_ONCE ? config.runs.map((_, run) => run) : [...new Set(sides())]);

function drawDetail() {
  for (const link of list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
  if (!current) {
    detail.replaceChildren();
    return;
  }
  const at = shown.indexOf(current);
  // A far jump lists anew around the sample, or thousands of rows would be made on the way.
  if (at < listedFrom || at >= listed + PAGE) drawList(Math.max(0, at - PAGE / 4));
  while (at >= listed) listMore();
  const link = list.querySelectorAll("a")[at - listedFrom];
  link.setAttribute("aria-current", "true");
  const above = link.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop;
  if (above < list.scrollTop || above + link.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = above - list.clientHeight / 3;
  }
  record = recordOf(current);
  if (record) return drawRecord();
  const wanted = current;
  detail.replaceChildren(heading(at), make("p", { class: "note", role: "status" }, words.loading));
  shardOf(wanted.shard).then(() => {
    if (current !== wanted) return;
    record = recordOf(wanted);
    drawRecord();
  }, (error) => trouble(error.message));
}

function drawRecord() {
  const runs = compared();
  const answers = runs.map((run) => record.answers[run]);
  const nice = isFormatted();
  const rest = Object.entries(record.metadata || {});
  detail.replaceChildren(...[
    heading(shown.indexOf(current)), views(), promptsOf(record.messages, nice),
    record.target === undefined ? null : foldable(words.target, [typeof record.target === "string" ? prose(record.target) : pairs([["", record.target]])]),
    comparing && config.runs.length > 1 ? differenceOf(sides().map((run) => record.answers[run]), sides()) : null,
    make("div", { class: "answers" }, answers.map((answer, at) => answerSection(answer, runs[at], nice))),
    verdictTable(answers, runs), criteriaTable(answers, runs), rest.length ? foldable(words.metadata, [pairs(rest)]) : null,
  ].flat().filter(Boolean));
}

// Instructions about form are checked in the text as it was written, so it is shown so; other texts are rendered.
const isFormatted = () => formatted ?? !current.ids.length;
const hasHtml = (one) => Boolean(one && (one.html || one.htmls || (one.messages || []).some(hasHtml)));

function views() {
  const toggle = (text, pressed, key, click) =>
    make("button", { type: "button", "aria-pressed": String(pressed), "aria-keyshortcuts": key, title: key, click }, text);
  const buttons = [];
  if (hasHtml(record) || record.answers.some(hasHtml)) buttons.push(toggle(words.formatted, isFormatted(), "f", toggleFormatted));
  if (config.runs.length > 1) buttons.push(toggle(words.show_difference, comparing, "d", toggleDifference));
  return buttons.length ? make("p", { class: "views" }, buttons) : null;
}

function toggleFormatted() {
  formatted = !isFormatted();
  drawRecord();
}

function toggleDifference() {
  comparing = !comparing;
  drawRecord();
}

function heading(at) {
  const step = (by, text, key) => make("button", {
    type: "button", title: key, "aria-keyshortcuts": key, disabled: !shown[at + by], click: () => go(at + by),
  }, text);
  const epoch = current.epoch ? " · " + fill(words.epoch, { epoch: current.epoch }) : "";
  return make("header", {},
    make("h3", {}, make("a", { href: address(current), title: words.link }, name(current.id), epoch)),
    make("div", { class: "steps" }, step(-1, words.previous, "k"),
      fill(words.count, { shown: number(at + 1), total: number(shown.length) }), step(1, words.next, "j")));
}
