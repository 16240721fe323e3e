// Which samples are shown: filters, and the search through prompts and answers.

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
