// Moving about: by keys, by links to a sample, by links to the samples behind a number.

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
