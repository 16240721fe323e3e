// The list of samples, its filters, and the one that is open.

const PAGE = 200; // rows of the list at a time
const MOST_SHARDS = 8; // kept unpacked
const SHOWN_AT_ONCE = 3; // models whose answers stand side by side, unless two are chosen
const explorer = document.getElementById("explorer");
const list = document.getElementById("list");
const detail = document.getElementById("detail");
const form = document.getElementById("filters");
const controls = form.elements;

let samples = [];
let outcomes = []; // what the counts of wins and losses stand for: {task, title, better, worse, samples}
let shown = [];
let listedFrom = 0; // the list holds shown.slice(listedFrom, listed)
let listed = 0;
let current = null;
let record = null; // the whole of the current sample
let formatted = null; // whether texts are rendered; null leaves it to the kind of sample
let comparing = false;
let found = null; // samples in whose answers a search through all shards found its words
let packed = []; // shards that the page holds itself
const unpacked = new Map(); // shard -> samples, the latest used last
const waiting = new Map(); // shard -> who waits for its script

// Shards

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%/()*+-;,=.?@^_`{|}~";
const digitOf = new Uint8Array(128);
for (let at = 0; at < 85; at++) digitOf[DIGITS.charCodeAt(at)] = at;

// Five digits are four bytes; the last group may be shorter, as if filled up with the highest digit.
function decoded(text) {
  const groups = Math.ceil(text.length / 5);
  const bytes = new DataView(new ArrayBuffer(groups * 4));
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let at = group * 5; at < group * 5 + 5; at++) value = value * 85 + (at < text.length ? digitOf[text.charCodeAt(at)] : 84);
    bytes.setUint32(group * 4, value);
  }
  return bytes.buffer.slice(0, Math.floor((text.length * 4) / 5));
}

async function unpack(text) {
  const stream = new Blob([decoded(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  return JSON.parse(new TextDecoder("windows-1251").decode(bytes));
}

window.evalkitShard = (shard, text) => {
  const one = waiting.get(shard);
  waiting.delete(shard);
  if (one) one.resolve(text);
};

function fetched(shard) {
  return new Promise((resolve, reject) => {
    waiting.set(shard, { resolve });
    const script = make("script", { src: `${encodeURIComponent(config.folder)}/${String(shard).padStart(4, "0")}.js` });
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(fill(words.no_shard, { folder: config.folder })));
    });
    document.head.append(script);
  });
}

async function shardOf(shard) {
  if (!unpacked.has(shard)) {
    const made = await unpack(config.folder ? await fetched(shard) : packed[shard]);
    unpacked.set(shard, made);
  }
  const records = unpacked.get(shard);
  unpacked.delete(shard);
  unpacked.set(shard, records);
  if (config.folder) for (const old of [...unpacked.keys()].slice(0, -MOST_SHARDS)) unpacked.delete(old);
  return records;
}

const recordOf = (sample) => unpacked.get(sample.shard)?.[sample.at];

// What an answer came to: a number in [0, 1], null where nothing was measured, undefined where nothing was asked.

const fits = (id, wanted) => id === wanted || (wanted.endsWith(":*") && id.startsWith(wanted.slice(0, -1)));
const idsOf = (sample, answer) => (answer ? answer[3] || sample.ids : []);

function outcome(sample, answer, instruction) {
  if (!answer) return undefined;
  const [value, , verdicts] = answer;
  if (!instruction) return value;
  const followed = [...verdicts].filter((_, at) => fits(idsOf(sample, answer)[at], instruction));
  if (!followed.length) return undefined;
  return value === null ? null : Number(followed.every((one) => one === "1"));
}

const failed = (value) => typeof value === "number" && value < 1;
const sides = () => [Number(controls.first.value || 0), Number(controls.second.value || 1)];
const beats = (one, other) => typeof one === "number" && typeof other === "number" && one > other;

const passes = (one, other) => one === 1 && failed(other);

const OUTCOMES = {
  all: () => true,
  differ: (values) => new Set(values.filter((value) => value !== undefined)).size > 1,
  won: (values) => beats(values[sides()[0]], values[sides()[1]]),
  lost: (values) => beats(values[sides()[1]], values[sides()[0]]),
  passed_first: (values) => passes(values[sides()[0]], values[sides()[1]]),
  passed_second: (values) => passes(values[sides()[1]], values[sides()[0]]),
  failed_any: (values) => values.some(failed),
  failed_all: (values) => values.some(failed) && values.every((value) => value === undefined || failed(value)),
  passed_all: (values) => values.some((value) => value === 1) && values.every((value) => value === undefined || value === 1),
};

function haystack(sample) {
  const whole = recordOf(sample);
  if (config.folder || !whole) return fold(sample.id + "\n" + sample.teaser);
  sample.haystack ??= wordsOf(whole);
  return sample.haystack;
}

function wordsOf(whole) {
  return fold([
    whole.id,
    ...whole.messages.map((message) => message.content),
    ...whole.answers.flatMap((answer) => (answer ? [answer.text || "", ...(answer.turns || [])] : [])),
  ].join("\n"));
}

// Filters

const option = (value, text) => make("option", { value }, text);

function fillFilters() {
  const several = config.runs.length > 1;
  controls.task.replaceChildren(...config.tasks.map((task) => option(task.name, task.title)));
  for (const [control, chosen] of [[controls.first, 0], [controls.second, 1]]) {
    control.replaceChildren(...config.runs.map((label, run) => option(String(run), label)));
    control.value = String(Math.min(chosen, config.runs.length - 1));
    control.parentElement.hidden = config.runs.length < 3;
  }
  fillOutcomes();
  document.getElementById("deep").hidden = !config.folder;
  document.getElementById("deep").addEventListener("click", searchEverything);
  document.querySelector(".keys").hidden = false;
  if (!several) document.querySelector(".keys .flips")?.remove();
  fillTaskFilters();
}

function fillOutcomes() {
  const several = config.runs.length > 1;
  const plain = several ? Object.keys(OUTCOMES) : ["all", "failed_all", "passed_all"];
  const byRun = several ? config.runs.map((label, run) => option("run:" + run, fill(words.failed_by, { model: label }))) : [];
  const single = { failed_all: words.failed, passed_all: words.passed };
  const [first, second] = sides().map((run) => config.runs[run]);
  const chosen = controls.outcome.value;
  controls.outcome.replaceChildren(
    ...plain.map((key) => option(key, (!several && single[key]) || fill(words[key], { first, second }))), ...byRun);
  chooseOutcome(chosen || "all");
}

// The samples behind a count are a choice of their own, listed once a link has led to them.
function chooseOutcome(chosen) {
  if (chosen.startsWith("set:") && ![...controls.outcome.options].some((one) => one.value === chosen)) {
    const { title, better, worse } = outcomes[Number(chosen.slice(4))];
    controls.outcome.append(option(chosen, fill(words.better_in, { title, first: config.runs[better], second: config.runs[worse] })));
  }
  controls.outcome.value = chosen;
}

function accepted(chosen) {
  if (chosen.startsWith("set:")) {
    let at = -1;
    const places = new Set(outcomes[Number(chosen.slice(4))].samples.map((step) => (at += step)));
    return (values, place) => places.has(place);
  }
  return chosen.startsWith("run:") ? (values) => failed(values[Number(chosen.slice(4))]) : OUTCOMES[chosen];
}

function fillTaskFilters() {
  const groups = new Map();
  const statuses = new Map();
  for (const sample of samples) {
    if (sample.task !== controls.task.value) continue;
    for (const id of new Set(sample.answers.flatMap((answer) => idsOf(sample, answer)))) {
      const group = id.includes(":") ? id.slice(0, id.indexOf(":")) : "";
      if (!groups.has(group)) groups.set(group, new Map());
      groups.get(group).set(id, (groups.get(group).get(id) || 0) + 1);
    }
    for (const status of new Set(sample.answers.flatMap((answer) => (answer ? [answer[1]] : [])))) {
      statuses.set(status, (statuses.get(status) || 0) + 1);
    }
  }
  const sorted = (map) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));
  controls.instruction.replaceChildren(option("", words.any_instruction), ...sorted(groups).map(([group, ids]) => {
    const options = sorted(ids).map(([id, count]) => option(id, `${id} (${number(count)})`));
    if (!group) return options;
    if (ids.size > 1) options.unshift(option(group + ":*", fill(words.whole_group, { group })));
    return make("optgroup", { label: group }, options);
  }).flat());
  controls.instruction.parentElement.hidden = !groups.size;
  controls.status.replaceChildren(option("", words.any_status),
    ...sorted(statuses).map(([status, count]) => option(status, `${words.statuses[status] || status} (${number(count)})`)));
}

function clearFilters(task) {
  controls.task.value = task;
  controls.outcome.value = "all";
  controls.search.value = "";
  found = null;
  fillTaskFilters();
  applyFilters();
}

function applyFilters() {
  const task = controls.task.value;
  const instruction = controls.instruction.value;
  const status = controls.status.value;
  const chosen = controls.outcome.value;
  const accepts = accepted(chosen);
  const searched = fold(controls.search.value.trim());
  if (searched !== query) found = null;
  query = searched;
  shown = samples.filter((sample, place) => {
    if (sample.task !== task) return false;
    const values = sample.answers.map((answer) => outcome(sample, answer, instruction));
    if (instruction && values.every((value) => value === undefined)) return false;
    if (status && !sample.answers.some((answer) => answer && answer[1] === status)) return false;
    return accepts(values, place) && (!query || (found ? found.has(sample) : haystack(sample).includes(query)));
  });
  document.getElementById("found").textContent = countOf(shown, samples.filter((sample) => sample.task === task));
  document.getElementById("clear").hidden = chosen === "all" && !instruction && !status && !query;
  drawList();
  if (!shown.includes(current)) current = shown[0] || null;
  drawDetail();
}

// Samples are counted, as in the tables; where some were attempted more than once, so are the attempts.
function countOf(some, all) {
  const distinct = (rows) => new Set(rows.map((sample) => sample.id)).size;
  const text = fill(words.count, { shown: number(distinct(some)), total: number(distinct(all)) });
  return distinct(all) === all.length ? text : `${text} (${fill(words.attempts, { count: number(some.length) })})`;
}

// Where the answers lie in shards, the list is searched by prompt; this reads all shards, one after another.
async function searchEverything() {
  const wanted = fold(controls.search.value.trim());
  if (!wanted) return controls.search.focus();
  const hits = new Set();
  const shards = Math.max(...samples.map((sample) => sample.shard)) + 1;
  for (let shard = 0; shard < shards; shard += 1) {
    document.getElementById("found").textContent = fill(words.searching, { share: percent(shard / shards) });
    const records = await shardOf(shard);
    for (const sample of samples) if (sample.shard === shard && wordsOf(records[sample.at]).includes(wanted)) hits.add(sample);
    if (fold(controls.search.value.trim()) !== wanted) return applyFilters();
  }
  applyFilters();
  found = hits;
  applyFilters();
}

// The list

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

// The sample

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

// Moving about

function go(at) {
  if (shown[at]) location.replace(address(shown[at]));
}

// To the next sample, by +1 or -1, on which the two models that are compared came to different values.
function goToFlip(by) {
  const [first, second] = sides();
  const instruction = controls.instruction.value;
  for (let at = shown.indexOf(current) + by; shown[at]; at += by) {
    const [one, other] = [first, second].map((run) => outcome(shown[at], shown[at].answers[run], instruction));
    if (beats(one, other) || beats(other, one)) return go(at);
  }
}

function openAddress() {
  const parts = location.hash.slice(1).split("/");
  if (parts.length < 2) return false;
  let decoded;
  try {
    decoded = parts.map(decodeURIComponent);
  } catch {
    return false;
  }
  const [task, id, epoch] = decoded;
  const wanted = samples.find((sample) => sample.task === task && sample.id === id && sample.epoch === Number(epoch || 0));
  if (!wanted) return false;
  current = wanted;
  if (!shown.includes(wanted)) clearFilters(task);
  else drawDetail();
  const top = detail.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) detail.scrollIntoView({ behavior: "instant" });
  return true;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const at = shown.indexOf(current);
  if (event.key === "j") go(at + 1);
  else if (event.key === "k") go(at - 1);
  else if (event.key === "n" && config.runs.length > 1) goToFlip(1);
  else if (event.key === "p" && config.runs.length > 1) goToFlip(-1);
  else if (event.key === "f" && record) toggleFormatted();
  else if (event.key === "d" && record && config.runs.length > 1) toggleDifference();
  else if (event.key === "/") controls.search.focus();
  else return;
  event.preventDefault();
}

function onFilterLink(event) {
  const link = event.target.closest("a.filter");
  if (!link) return;
  clearFilters(link.dataset.task);
  if (link.dataset.outcome) {
    controls.first.value = link.dataset.first;
    controls.second.value = link.dataset.second;
    fillOutcomes();
    chooseOutcome(link.dataset.outcome);
  } else {
    const wanted = link.dataset.instruction || link.dataset.group + ":";
    // A group of one instruction has no entry of its own.
    controls.instruction.value = [...controls.instruction.options].find((one) => one.value.startsWith(wanted))?.value || "";
  }
  applyFilters();
}

// Printing shows what is folded, and folds it again.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});

function trouble(text) {
  const place = document.getElementById("trouble");
  place.textContent = text;
  place.hidden = false;
}

async function start() {
  if (typeof DecompressionStream === "undefined") return trouble(words.no_unpack);
  try {
    const payload = document.getElementById("payload");
    const [index, ...shards] = payload.textContent.split("\n");
    payload.remove();
    ({ samples, outcomes } = await unpack(index));
    packed = shards;
    await Promise.all(packed.map((_, shard) => shardOf(shard)));
    packed = [];
  } catch (error) {
    return trouble(fill(words.damaged, { error }));
  }
  explorer.hidden = false;
  fillFilters();
  applyFilters();
  form.addEventListener("input", (event) => {
    if (event.target === controls.task) fillTaskFilters();
    if (event.target === controls.first || event.target === controls.second) fillOutcomes();
    applyFilters();
  });
  document.getElementById("clear").addEventListener("click", () => clearFilters(controls.task.value));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", openAddress);
  addEventListener("keydown", onKey);
  document.addEventListener("click", onFilterLink);
  openAddress();
  document.documentElement.dataset.ready = "";
}

start();
