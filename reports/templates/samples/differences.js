// What two texts have in common, by words: the longest common subsequence, or null where that would take too long.
// A single word in common between two changes is no news: it is counted to both.
function differences(one, other) {
  const split = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || [];
  const a = split(one), b = split(other);
  let start = 0, end = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const rows = a.length - start - end, columns = b.length - start - end;
  if (rows * columns > 9e6) return null;
  const width = columns + 1;
  const lengths = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[start + i] === b[start + j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const found = [];
  const add = (kind, text) => {
    if (!text) return;
    if (found.length && found.at(-1).kind === kind) found.at(-1).text += text;
    else found.push({ kind, text });
  };
  add("same", a.slice(0, start).join(""));
  let i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[start + i] === b[start + j]) {
      add("same", a[start + i]);
      i += 1;
      j += 1;
    } else if (j >= columns || (i < rows && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
      add("del", a[start + i]);
      i += 1;
    } else {
      add("ins", b[start + j]);
      j += 1;
    }
  }
  add("same", a.slice(a.length - end).join(""));
  return joined(found);
}

function joined(parts) {
  const found = [];
  let removed = "", added = "";
  const flush = () => {
    if (removed) found.push({ kind: "del", text: removed });
    if (added) found.push({ kind: "ins", text: added });
    removed = added = "";
  };
  for (const [at, { kind, text }] of parts.entries()) {
    const isAnchor = kind === "same" && (at === 0 || at === parts.length - 1 || (text.match(/[\p{L}\p{N}_]+/gu) || []).length > 1);
    if (isAnchor) {
      flush();
      found.push({ kind, text });
    } else {
      if (kind !== "ins") removed += text;
      if (kind !== "del") added += text;
    }
  }
  flush();
  return found;
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
