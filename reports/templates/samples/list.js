// The list of samples that are shown, some hundred rows at a time.

const address = (sample) =>
  "#" + [sample.task, sample.id, ...(sample.epoch ? [String(sample.epoch)] : [])].map(encodeURIComponent).join("/");

function result(sample, answer) {
  const value = outcome(sample, answer);
  if (value === undefined || value === null) return make("span", { class: "quiet" }, "–");
  if (value === 1) return make("span", { class: "good glyph" }, "✓");
  const verdicts = answer[2];
  return make("span", { class: colour(value, verdicts) }, verdicts ? `${[...verdicts].filter((one) => one === "1").length}/${verdicts.length}` : number(value, 2));
}

function row(sample) {
  const runs = compared();
  const marks = runs.map((run) => make("span", {}, config.runs.length > 1 ? swatch(run) : null,
    unseen(config.runs[run] + ": "), result(sample, sample.answers[run])));
  const epoch = sample.epoch ? " · " + fill(words.epoch, { epoch: sample.epoch }) : "";
  return make("li", {}, make("a", { href: address(sample), "aria-current": sample === current && "true" },
    make("span", { class: "id" }, name(sample.id), epoch), make("span", { class: "marks" }, marks),
    make("span", { class: "teaser", lang: "ru", dir: "auto" }, ...visible(sample.teaser))));
}

function drawList(from = 0) {
  listed = listedFrom = from;
  list.replaceChildren(shown.length ? make("ol") : make("p", { class: "note" }, words.nothing));
  if (from) {
    const before = make("button", { type: "button", click: () => drawList(Math.max(0, from - PAGE)) },
      fill(words.before, { count: number(Math.min(PAGE, from)) }));
    list.prepend(before);
  }
  list.scrollTop = 0;
  listMore();
}

function listMore() {
  const rows = list.querySelector("ol");
  if (!rows) return;
  const next = shown.slice(listed, listed + PAGE);
  rows.append(...next.map(row));
  listed += next.length;
  list.querySelector("ol + button")?.remove();
  const left = Math.min(PAGE, shown.length - listed);
  if (left) list.append(make("button", { type: "button", click: listMore }, fill(words.more, { count: number(left) })));
}
