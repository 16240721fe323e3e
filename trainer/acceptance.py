"""The acceptance test of a round: a paired comparison with guardrails, on held-out prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError, nearest
from ..evals.compare import Difference, compare_runs
from ..evals.records.rows import Key, SampleRow, read_rows
from ..tasks.types import Completion
from .recipe.fields import Guards, Loop
from .rewards import monitors

LEVEL = 0.05
"""The chance that a loop, of however many rounds, accepts a model that is no better."""


@dataclass(frozen=True, slots=True)
class GuardResult:
    """A measure that may not get worse than its margin: ``change`` is after less before (None for a task's)."""

    name: str
    before: float | None
    after: float | None
    change: float
    margin: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a round is accepted; ``reasons`` say why it is not."""

    accepted: bool
    gain: Difference
    guards: tuple[GuardResult, ...]
    reasons: tuple[str, ...]


def check_measures(settings: Loop) -> None:
    """Refuse, before anything is paid for, a loop whose tasks will not have what decides it.

    Raises:
        UsageError: ``accept`` or a guarded task is none of theirs (names the field); an unknown task.
        InputError: a task's data cannot be used.
    """
    from ..evals.records.plan import plan_tasks
    from ..evals.records.spec import RunSpec

    tasks = [item.task for item in plan_tasks(RunSpec.of(model="-", tasks=settings.tasks, data=settings.data))]
    known = [f"{task.name}/{metric.name}" for task in tasks for metric in task.metrics]
    names = [("loop.accept", settings.accept), *(("loop.guards.tasks", name) for name in settings.guards.tasks)]
    for field, name in names:
        if name not in {*known, *(task.name for task in tasks)}:
            raise UsageError(f"field '{field}': the tasks of the loop have no '{name}'.{nearest(name, known)}")


def decide_round(
    before: Path, after: Path, settings: Loop, *, looks: int = 1, alarms: Sequence[str] = ()
) -> Decision:
    """Compare the run of a trained model with the run before it, paired by sample.

    Accepted is what gained: the whole 95 % interval of the paired difference lies above ``settings.margin``, the
    p-value stands at the `level_of` this look at the same prompts, no guarded measure got worse than its margin,
    and no alarm stood at the end of training.

    Args:
        before: a run directory.
        after: a run directory of the same tasks.
        settings: what is asked.
        looks: how many candidates these prompts have judged, this one included.
        alarms: those of the last training step.

    Raises:
        UsageError: the runs do not have the metric or a guarded task.
    """
    differences = compare_runs(after, before).differences
    gain = _named(differences, settings.accept, "loop.accept")
    reasons = []
    if gain.low is None or not gain.low > settings.margin:
        value = "no difference measured" if gain.value is None else f"{gain.value:+.3f}"
        interval = "no interval" if gain.low is None else f"interval {gain.low:+.3f} … {gain.high:+.3f}"
        reasons.append(f"{settings.accept}: {value}, {interval}: not above {settings.margin:g}")
    elif gain.p_value > level_of(looks):
        reasons.append(
            f"{settings.accept}: p = {gain.p_value:.3g} at look {looks} of the same prompts is too large"
        )
    guards = (*_of_answers(before, after, settings.guards), *_of_tasks(differences, settings.guards))
    reasons += [f"guard {one.name}: {_sides(one)}, allowed is {one.margin:g}" for one in guards if not one.holds]
    reasons += [f"alarm at the end of training: {alarm}" for alarm in alarms]
    return Decision(not reasons, gain, guards, tuple(reasons))


def level_of(look: int) -> float:
    """Return the level for the look of that number, from 1: `LEVEL` / (k (k + 1)), which sum to `LEVEL` over all k.

    So nobody has to know beforehand how many rounds there will be (a Bonferroni correction with weights).
    """
    return LEVEL / (look * (look + 1))


def _sides(one: GuardResult) -> str:
    if one.before is None or one.after is None:
        return f"changed by {one.change:+.3f}"
    return f"{one.before:.3f} before, {one.after:.3f} after"


def _named(differences: Sequence[Difference], name: str, field: str) -> Difference:
    task, _, metric = name.partition("/")
    for one in differences:
        if one.task == task and not one.dimension and metric in ("", one.metric):
            return one
    known = [f"{one.task}/{one.metric}" for one in differences if not one.dimension]
    raise UsageError(f"field '{field}': the runs have no '{name}' in common.{nearest(name, known)}")


def _of_answers(before: Path, after: Path, guards: Guards) -> list[GuardResult]:
    rows = [_rows(before), _rows(after)]
    common = sorted(rows[0].keys() & rows[1].keys())
    if not common:
        return []
    sides = []
    for side in rows:
        answers = [side[key][1] for key in common]
        texts = [answer.text for answer in answers]
        lengths = [answer.usage.completion_tokens or len(answer.text) for answer in answers]
        sides.append(monitors.measure([[text] for text in texts], lengths))
    results = []
    for name, margin in (("cyrillic", guards.cyrillic), ("distinct", guards.distinct), ("length", guards.length)):
        one, two = sides[0].get(name), sides[1].get(name)
        if margin is None or one is None or two is None:
            continue
        change = two - one
        # Half and twice the length are equally far: of a fall as a share no margin would be left to break.
        fall = -change if name != "length" else max(one, two, 1.0) / max(min(one, two), 1.0) - 1
        results.append(GuardResult(name, one, two, change, margin, fall <= margin))
    return results


def _of_tasks(differences: Sequence[Difference], guards: Guards) -> list[GuardResult]:
    results = []
    for name, margin in guards.tasks.items():
        one = _named(differences, name, "loop.guards.tasks")
        change = one.value if one.value is not None else float("-inf")
        results.append(GuardResult(name, None, None, change, margin, change >= -margin))
    return results


def _rows(directory: Path) -> dict[Key, tuple[SampleRow, Completion]]:
    """Return the rows that have an answer, each with it."""
    return {row.key: (row, row.completion) for row in read_rows(directory) if row.completion is not None}


def examples(before: Path, after: Path, task: str, count: int = 10) -> list[dict[str, Any]]:
    """Return prompts with both answers: those that changed most in score first, then others by id."""
    rows = [_rows(before), _rows(after)]
    keys = sorted(key for key in rows[0].keys() & rows[1].keys() if key[0] == task)

    def changed(key: Key) -> float:
        one, other = (side[key][0].score.value for side in rows)
        return 0.0 if one is None or other is None else -abs(other - one)

    chosen = sorted(keys, key=lambda key: (changed(key), key))[:count]
    return [
        {
            "id": key[1],
            "prompt": one.messages[-1].content if one.messages else "",
            "before": answer.text,
            "after": new_answer.text,
            "score_before": one.score.value,
            "score_after": other.score.value,
        }
        for key in chosen
        for (one, answer), (other, new_answer) in [(rows[0][key], rows[1][key])]
    ]
