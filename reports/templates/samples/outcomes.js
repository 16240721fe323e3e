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
