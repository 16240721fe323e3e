"use strict";
// Shows the samples. Text from models and data reaches the page through text nodes alone, and attributes of fixed
// names take only our own words, class names and links that begin with "#".
(() => {
  const PAGE = 200; // rows of the list at a time
  const LONG = 20000; // characters of a text shown at first
  const config = JSON.parse(document.getElementById("config").textContent);
  const words = config.strings;
  const explorer = document.getElementById("explorer");
  const list = document.getElementById("list");
  const detail = document.getElementById("detail");
  const form = document.getElementById("filters");
  const controls = form.elements;
  const swatches = [...document.querySelectorAll("header .runs .swatch")];
  const number = (value, digits) =>
    new Intl.NumberFormat(config.language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const ranges = config.invisible.filter(([first]) => first !== 0x200b).concat([[0x200b, 0x200c], [0x200e, 0x200f]]);
  const code = (point) => "\\u{" + point.toString(16) + "}";
  const invisible = new RegExp(
    "[" + ranges.map(([first, last]) => code(first) + "-" + code(last)).join("") + "]" +
      "|(?<![\\p{Extended_Pictographic}\\u{fe0f}\\p{Emoji_Modifier}])\\u{200d}", "gu");

  let samples = [];
  let shown = [];
  let listed = 0;
  let current = null;
  let query = "";

  // Making elements

  function make(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === false || value === null || value === undefined) continue;
      if (name === "click") node.addEventListener("click", value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  }

  const swatch = (run) => swatches[run].cloneNode(true);
  const unseen = (text) => make("span", { class: "unseen" }, text);
  const name = (text) => make("bdi", {}, ...visible(text));

  // Text as nodes: invisible characters become signs, what was searched for is marked.
  function visible(text) {
    const nodes = [];
    let from = 0;
    for (const match of text.matchAll(invisible)) {
      nodes.push(...marked(text.slice(from, match.index)));
      const point = match[0].codePointAt(0);
      nodes.push(make("span", { class: "sign" }, "U+" + point.toString(16).toUpperCase().padStart(4, "0")));
      from = match.index + match[0].length;
    }
    nodes.push(...marked(text.slice(from)));
    return nodes;
  }

  function marked(text) {
    const nodes = [];
    const plain = query ? fold(text) : "";
    let from = 0;
    // Folding may change the length of a rare text; then positions would not fit, and nothing is marked.
    if (query && plain.length === text.length) {
      for (let at = plain.indexOf(query); at >= 0; at = plain.indexOf(query, from)) {
        nodes.push(text.slice(from, at), make("mark", {}, text.slice(at, at + query.length)));
        from = at + query.length;
      }
    }
    nodes.push(text.slice(from));
    return nodes;
  }

  function prose(text) {
    if (text.length <= LONG) return make("div", { class: "text", lang: "ru", dir: "auto" }, ...visible(text));
    const [first, ...rest] = pieces(text).map((piece) => make("div", {}, ...visible(piece)));
    const all = make("button", { type: "button", click: () => all.replaceWith(...rest) }, fill(words.full, { count: number(text.length) }));
    return make("div", { class: "text", lang: "ru", dir: "auto" }, first, all);
  }

  // A browser takes a minute over a line of a megabyte, and no time over the same in blocks.
  function pieces(text) {
    const found = [];
    for (let from = 0; from < text.length; from += found.at(-1).length) {
      const piece = cut(text.slice(from), LONG);
      const newline = from + piece.length < text.length ? piece.lastIndexOf("\n") + 1 : 0;
      found.push(newline > LONG / 2 ? piece.slice(0, newline) : piece);
    }
    return found;
  }

  const cut = (text, length) => (text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text);
  const fold = (text) => text.toLowerCase().replaceAll("ё", "е");

  // What an answer came to

  const instructionsOf = (answer) =>
    answer && answer.parts && Array.isArray(answer.parts.instructions) ? answer.parts.instructions : [];
  const fits = (id, wanted) => id === wanted || (wanted.endsWith(":*") && id.startsWith(wanted.slice(0, -1)));

  // A number in [0, 1], null where nothing was measured, undefined where nothing was asked.
  function outcome(answer, instruction) {
    if (!answer) return undefined;
    const value = answer.value === undefined ? null : answer.value;
    if (!instruction) return value;
    const verdicts = instructionsOf(answer).filter((one) => fits(one.id, instruction));
    if (!verdicts.length) return undefined;
    return value === null ? null : Number(verdicts.every((one) => one.strict));
  }

  const failed = (value) => typeof value === "number" && value < 1;

  const OUTCOMES = {
    all: () => true,
    differ: (values) => new Set(values.filter((value) => value !== undefined)).size > 1,
    failed_any: (values) => values.some(failed),
    failed_all: (values) => values.some(failed) && values.every((value) => value === undefined || failed(value)),
    passed_all: (values) => values.some((value) => value === 1) && values.every((value) => value === undefined || value === 1),
  };

  function haystack(sample) {
    sample.haystack ??= fold([
      sample.id,
      ...sample.messages.map((message) => message.content),
      ...sample.answers.flatMap((answer) => (answer ? [answer.text || "", ...(answer.turns || [])] : [])),
    ].join("\n"));
    return sample.haystack;
  }

  // Filters

  function option(value, text) {
    return make("option", { value }, text);
  }

  function fillFilters() {
    controls.task.replaceChildren(...config.tasks.map((task) => option(task.name, task.title)));
    const plain = config.runs.length > 1 ? Object.keys(OUTCOMES) : ["all", "failed_all", "passed_all"];
    const byRun = config.runs.length > 1 ? config.runs.map((label, run) => option("run:" + run, fill(words.failed_by, { model: label }))) : [];
    const single = { failed_all: words.failed, passed_all: words.passed };
    controls.outcome.replaceChildren(
      ...plain.map((key) => option(key, (config.runs.length === 1 && single[key]) || words[key])), ...byRun);
    fillTaskFilters();
  }

  function fillTaskFilters() {
    const groups = new Map();
    const statuses = new Map();
    for (const sample of samples) {
      if (sample.task !== controls.task.value) continue;
      const ids = new Set(sample.answers.flatMap((answer) => instructionsOf(answer).map((one) => one.id)));
      for (const id of ids) {
        const group = id.includes(":") ? id.slice(0, id.indexOf(":")) : "";
        if (!groups.has(group)) groups.set(group, new Map());
        groups.get(group).set(id, (groups.get(group).get(id) || 0) + 1);
      }
      for (const status of new Set(sample.answers.flatMap((answer) => (answer ? [answer.status] : [])))) {
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
    fillTaskFilters();
    applyFilters();
  }

  function applyFilters() {
    const task = controls.task.value;
    const instruction = controls.instruction.value;
    const status = controls.status.value;
    const chosen = controls.outcome.value;
    const accepts = chosen.startsWith("run:") ? (values) => failed(values[Number(chosen.slice(4))]) : OUTCOMES[chosen];
    query = fold(controls.search.value.trim());
    shown = samples.filter((sample) => {
      if (sample.task !== task) return false;
      const values = sample.answers.map((answer) => outcome(answer, instruction));
      if (instruction && values.every((value) => value === undefined)) return false;
      if (status && !sample.answers.some((answer) => answer && answer.status === status)) return false;
      return accepts(values) && (!query || haystack(sample).includes(query));
    });
    const total = samples.filter((sample) => sample.task === task).length;
    document.getElementById("found").textContent = fill(words.count, { shown: number(shown.length), total: number(total) });
    document.getElementById("clear").hidden = chosen === "all" && !instruction && !status && !query;
    drawList();
    if (!shown.includes(current)) current = shown[0] || null;
    drawDetail();
  }

  // The list

  const address = (sample) =>
    "#" + [sample.task, sample.id, ...(sample.epoch ? [String(sample.epoch)] : [])].map(encodeURIComponent).join("/");

  function result(answer) {
    const value = outcome(answer);
    if (value === undefined || value === null) return make("span", { class: "quiet" }, "–");
    const verdicts = instructionsOf(answer);
    if (value === 1) return make("span", { class: "good glyph" }, "✓");
    const text = verdicts.length ? `${verdicts.filter((one) => one.strict).length}/${verdicts.length}` : number(value, 2);
    return make("span", { class: "bad" }, text);
  }

  function row(sample) {
    const marks = sample.answers.map((answer, run) =>
      make("span", {}, config.runs.length > 1 ? swatch(run) : null, unseen(config.runs[run] + ": "), result(answer)));
    const prompt = sample.messages.length ? sample.messages[sample.messages.length - 1].content : "";
    const epoch = sample.epoch ? " · " + fill(words.epoch, { epoch: sample.epoch }) : "";
    return make("li", {}, make("a", { href: address(sample), "aria-current": sample === current && "true" },
      make("span", { class: "id" }, name(sample.id), epoch), make("span", { class: "marks" }, marks),
      make("span", { class: "teaser", lang: "ru", dir: "auto" }, ...visible(cut(prompt, 120).replace(/\s+/g, " ")))));
  }

  function drawList() {
    listed = 0;
    list.replaceChildren(shown.length ? make("ol") : make("p", { class: "note" }, words.nothing));
    list.scrollTop = 0;
    listMore();
  }

  function listMore() {
    const rows = list.querySelector("ol");
    if (!rows) return;
    const next = shown.slice(listed, listed + PAGE);
    rows.append(...next.map(row));
    listed += next.length;
    list.querySelector("button")?.remove();
    const left = Math.min(PAGE, shown.length - listed);
    if (left) list.append(make("button", { type: "button", click: listMore }, fill(words.more, { count: number(left) })));
  }

  // The sample

  function drawDetail() {
    for (const link of list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    if (!current) {
      detail.replaceChildren();
      return;
    }
    const at = shown.indexOf(current);
    while (at >= listed) listMore();
    const link = list.querySelectorAll("a")[at];
    link.setAttribute("aria-current", "true");
    const above = link.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop;
    if (above < list.scrollTop || above + link.offsetHeight > list.scrollTop + list.clientHeight) {
      list.scrollTop = above - list.clientHeight / 3;
    }
    detail.replaceChildren(
      ...[heading(at), ...prompts(current.messages), answers(), verdicts(), aboutSample()].filter(Boolean));
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

  function prompts(messages) {
    const alone = messages.length === 1;
    return messages.map((message) => make("div", { class: "prompt" },
      make("span", { class: "role" }, alone ? words.prompt : words.roles[message.role] || message.role), prose(message.content)));
  }

  function answers() {
    return make("div", { class: "answers" }, current.answers.map((answer, run) => {
      const verdictsOf = instructionsOf(answer);
      const rest = answer && answer.parts ? Object.entries(answer.parts).filter(([key]) => !verdictsOf.length || !/^(instructions|prompt_strict|prompt_loose)$/.test(key)) : [];
      return make("section", { class: "answer m" + (run % 8) },
        make("h4", {}, make("span", { class: "run" }, swatch(run), name(config.runs[run])), value(answer)),
        answer ? factsLine(answer) : make("p", { class: "note" }, words.not_asked),
        answer && answer.messages ? foldable(words.other_prompt, prompts(answer.messages), true) : null,
        answer && answer.reasoning ? foldable(words.reasoning, [prose(answer.reasoning)]) : null,
        answer ? answerText(answer) : null,
        answer && answer.explanation ? make("p", { class: "explanation", lang: "ru", dir: "auto" }, ...visible(answer.explanation)) : null,
        rest.length ? [make("h4", {}, words.parts), pairs(rest)] : null,
        answer && answer.loglikelihoods ? [make("h4", {}, words.loglikelihoods), pairs(Object.entries(answer.loglikelihoods))] : null);
    }));
  }

  function value(answer) {
    const value = outcome(answer);
    if (value === undefined) return null;
    if (value === null) return make("span", { class: "value flag" }, words.not_scored);
    return make("span", { class: "value " + (value === 1 ? "good" : "bad") }, result(answer), " · ",
      new Intl.NumberFormat(config.language, { style: "percent", maximumFractionDigits: 0 }).format(value));
  }

  function factsLine(answer) {
    const flags = [];
    if (answer.status !== "ok") flags.push(words.statuses[answer.status] || answer.status);
    if (answer.finish_reason === "length" && answer.status !== "truncated") flags.push(words.cut_off);
    if (answer.text === "" && answer.status !== "empty" && !answer.loglikelihoods) flags.push(words.empty);
    return make("p", { class: "facts-line" },
      flags.map((text) => make("span", { class: "flag" }, ...visible(text))),
      !answer.completion_tokens ? null : make("span", {}, fill(words.tokens, { count: number(answer.completion_tokens) })),
      !answer.latency ? null : make("span", {}, fill(words.seconds, { count: number(answer.latency, 1) })));
  }

  function answerText(answer) {
    if (answer.turns) {
      return answer.turns.map((text, turn) => [make("h4", {}, fill(words.turn, { number: turn + 1 })), prose(text)]).flat();
    }
    if (answer.text === undefined) return make("p", { class: "note" }, words.no_answer);
    return answer.text === "" ? null : prose(answer.text);
  }

  function foldable(summary, children, open) {
    return make("details", { open: Boolean(open) }, make("summary", {}, summary), children);
  }

  // Every instruction's verdict by every model, by position: a prompt may hold one instruction twice.
  function verdicts() {
    const columns = current.answers.map(instructionsOf);
    const rows = Math.max(...columns.map((column) => column.length));
    if (!rows) return null;
    const several = columns.length > 1;
    return make("div", {}, make("h4", { id: "verdicts" }, words.verdicts),
      make("div", { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "verdicts" },
        make("table", { class: "verdicts" },
          several ? make("thead", {}, make("tr", {}, make("td"), config.runs.map((label, run) =>
            make("th", { scope: "col" }, make("span", { class: "run" }, swatch(run), name(label)))))) : null,
          make("tbody", {}, Array.from({ length: rows }, (_, at) => {
            const id = columns.find((column) => column[at])[at].id;
            return make("tr", {}, make("th", { scope: "row" }, label(id)), columns.map((column) => verdict(column[at], id)));
          })))));
  }

  function verdict(one, id) {
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

  function aboutSample() {
    const entries = Object.entries(current.metadata || {});
    return entries.length ? foldable(words.metadata, [pairs(entries)]) : null;
  }

  // Any JSON as names and values, four levels deep.
  function pairs(entries, depth = 0) {
    return make("dl", {}, entries.map(([key, item]) => {
      const nested = item !== null && typeof item === "object";
      const plain = !nested || depth > 3 || !Object.keys(item).length;
      const text = typeof item === "string" ? item : JSON.stringify(item);
      const inner = plain ? prose(text) : pairs(Array.isArray(item) ? item.map((one, at) => [String(at + 1), one]) : Object.entries(item), depth + 1);
      return [make("dt", {}, ...visible(key)), make("dd", {}, inner)];
    }).flat());
  }

  // Moving about

  function go(at) {
    if (shown[at]) location.replace(address(shown[at]));
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
    if (!shown.includes(wanted)) {
      current = wanted;
      clearFilters(task);
    } else {
      current = wanted;
      drawDetail();
    }
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
    else if (event.key === "/") controls.search.focus();
    else return;
    event.preventDefault();
  }

  function onFilterLink(event) {
    const link = event.target.closest("a.filter");
    if (!link) return;
    const wanted = link.dataset.instruction || link.dataset.group + ":";
    clearFilters(link.dataset.task);
    // A group of one instruction has no entry of its own.
    controls.instruction.value = [...controls.instruction.options].find((one) => one.value.startsWith(wanted))?.value || "";
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
      const packed = Uint8Array.from(atob(payload.textContent), (character) => character.charCodeAt(0));
      payload.remove();
      samples = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
    } catch (error) {
      return trouble(fill(words.damaged, { error }));
    }
    explorer.hidden = false;
    fillFilters();
    applyFilters();
    form.addEventListener("input", (event) => {
      if (event.target === controls.task) fillTaskFilters();
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
})();
