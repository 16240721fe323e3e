"""``evalkit judge pairwise RUN RUN…``: the stored answers of several runs, compared two by two.

::

    setup.json        which runs, which judge: what a resumed comparison must find unchanged
    battles.jsonl     one line a finished battle: both orders, what the judge said, the style of both answers
    pairwise.json     standings, coverage, criteria (`results.py`); pairwise.md the same to read
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from ....errors import InputError, ModelError, UsageError
from ....files import Journal, encode, read_json, read_numbered, write_json, write_text
from ....judges.pairwise import OVERALL_RULE, Contest, Outcome, compare, fields_of, form_name
from ....tasks.types import APPARATUS_FAILURES, Judge, Status
from ...judging.families import family_of
from ...records.manifest import Manifest, differences, plain, read_manifest
from ...records.rows import Key, SampleRow, read_rows
from ...records.store import answer_key
from .battle_rows import DecidedBattle, DecidedGame
from .results import as_markdown, summarize_battles
from .style import style_of

SCHEMA_VERSION: Final = 1
UNANSWERED: Final = "unanswered"
"""The status of a battle in which a model gave no answer for a fault that is not its own."""

_SETTINGS: Final = {
    "epochs": "the number of answers per question",
    "max_tokens": "the token limit",
    "solver": "the solver",
}


@dataclass(frozen=True, slots=True)
class Battle:
    """Two runs' answers to one question (its ``turn`` counts from 1); without a contest where one is missing."""

    task: str
    id: str
    epoch: int
    turn: int
    first: str
    second: str
    contest: Contest | None

    @property
    def key(self) -> str:
        """What the battle is known by in the journal: it changes with anything that the judge is shown."""
        return answer_key(self.task, self.id, self.epoch, self.turn, self.first, self.second, self.contest)


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What will be compared; ``unfair`` says in which settings the runs differ, so that no winner is named."""

    runs: tuple[Mapping[str, Any], ...]
    battles: tuple[Battle, ...]
    unfair: tuple[str, ...]
    baseline: str | None
    table: bool

    @property
    def gradings(self) -> list[tuple[str, dict[str, str]]]:
        """What the judge is asked: the form of each battle and what stands in its blanks, in both orders."""
        return [
            (form_name(battle.contest, table=self.table), fields_of(battle.contest, swapped=swapped))
            for battle in self.battles
            if battle.contest is not None
            for swapped in (False, True)
        ]


@dataclass(frozen=True, slots=True)
class _Run:
    label: str
    path: Path
    manifest: Manifest
    rows: Mapping[Key, SampleRow]


def plan_pairs(runs: Sequence[Path], *, baseline: Path | None = None, table: bool = False) -> PairPlan:
    """Read the runs and lay out the battles: all pairs of runs, or each against the ``baseline``.

    Each answer of a conversation is a battle of its own. ``table`` asks for the criteria table.

    Raises:
        InputError: a directory is not a run, or two runs have no question in common.
        UsageError: fewer than two runs, one of them twice, a baseline that is not among them, or a table of
            conversations.
    """
    if len({path.resolve() for path in runs}) != len(runs) or len(runs) < 2:
        raise UsageError("give two different runs or more to compare")
    opened = _open_runs(runs)
    pairs = list(combinations(opened, 2))
    chosen = None
    if baseline is not None:
        chosen = next((run for run in opened if run.path.resolve() == baseline.resolve()), None)
        if chosen is None:
            raise UsageError(f"the baseline {baseline} is not among the runs: {', '.join(map(str, runs))}")
        pairs = [(run, chosen) for run in opened if run is not chosen]
    battles = tuple(battle for pair in pairs for battle in _battles(*pair))
    if table:
        for battle in battles:
            if battle.contest is not None:
                form_name(battle.contest, table=True)
    return PairPlan(
        tuple(_described(run) for run in opened),
        battles,
        tuple(_unfair(opened)),
        chosen.label if chosen else None,
        table,
    )


async def judge_pairs(plan: PairPlan, judge: Judge, output: Path, *, concurrency: int = 64) -> dict[str, Any]:
    """Have a judge decide the battles, and return (and write) the results; see `summarize_battles`.

    Every finished battle is on disk at once: the same call resumes where it stopped, and tries again what the
    judge's server did not answer.

    Args:
        plan: what is compared.
        judge: who decides.
        output: the folder to write.
        concurrency: how many battles are under way at a time.

    Raises:
        UsageError: the folder holds another comparison (every difference is shown).
        ModelError: the judge's model is unavailable; finished battles are saved.
        RunError: the folder cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    setup = _setup(plan, judge)
    _open_setup(output, setup)
    with contextlib.closing(Journal(output / "battles.jsonl")) as journal:
        decided = _decided(output)
        waiting = [battle for battle in plan.battles if battle.key not in decided]
        await _decide(waiting, judge, journal, concurrency, table=plan.table)
    decided = _decided(output, also_unscored=True)
    rows = [decided[battle.key] for battle in plan.battles]
    cautions = list(_cautions(plan, judge))
    results = {
        **setup,
        "cautions": cautions,
        **summarize_battles(rows, plan.unfair, table=plan.table),
    }
    write_json(output / "pairwise.json", results)
    write_text(output / "pairwise.md", as_markdown(results))
    return results


def raise_if_fatal(judge: str, details: Mapping[str, Any]) -> None:
    """Raise if the error of a judge, or of a jury member, is fatal for all requests.

    Raises:
        ModelError: these are the details of such a failure.
    """
    for one in (details, *details.get("members", ())):
        if one.get("fatal"):
            raise ModelError(
                f"the judge {judge} is unavailable: {one['error']}. Run the same command again to resume",
                fatal=True,
            )


def _open_runs(paths: Sequence[Path]) -> list[_Run]:
    manifests = [read_manifest(path) for path in paths]
    names = Counter(manifest.model.name for manifest in manifests)
    runs = []
    for path, manifest in zip(paths, manifests, strict=True):
        model = manifest.model.name
        label = model if names[model] == 1 else f"{model} ({path.name})"
        rows = {row.key: row for row in read_rows(path) if not row.continuations}
        runs.append(_Run(label, path, manifest, rows))
    if len({run.label for run in runs}) < len(runs):
        raise UsageError(
            "two runs have the same model and the same folder name: rename a folder to tell them apart"
        )
    return runs


def _battles(first: _Run, second: _Run) -> Iterator[Battle]:
    common = sorted(first.rows.keys() & second.rows.keys())
    if not common:
        raise InputError(f"{first.path} and {second.path} have no answers to the same question")
    for key in common:
        rows = first.rows[key], second.rows[key]
        answers = [_answers(row) for row in rows]
        turns = max(1, *(len(texts) for texts in answers))
        questions = _questions(rows[0], turns)
        for turn in range(1, turns + 1):
            contest = None
            if all(len(texts) >= turn for texts in answers):
                one, two = (texts[:turn] for texts in answers)
                contest = Contest(questions[:turn], one, two, _references(rows[0].target, turn, turns))
            yield Battle(*key, turn, first.label, second.label, contest)


def _answers(row: SampleRow) -> tuple[str, ...]:
    if row.completion is None:
        return ()
    return row.completion.turns or (row.completion.text,)


def _questions(row: SampleRow, turns: int) -> tuple[str, ...]:
    asked = [message for message in row.messages if message.role != "system"]
    if turns > 1:
        return tuple(message.content for message in asked[-turns:])
    if len(asked) == 1:
        return (asked[0].content,)
    return ("\n\n".join(f"{message.role}: {message.content}" for message in asked),)


def _references(target: Any, turn: int, turns: int) -> tuple[str, ...] | None:
    if turns == 1 and isinstance(target, str):
        return (target,)
    if isinstance(target, list) and len(target) == turns and isinstance(target[turn - 1], str):
        return tuple(str(reference or "") for reference in target[:turn])
    return None


def _unfair(runs: Sequence[_Run]) -> Iterator[str]:
    """Say in what the runs differ, but for the model, that gives one of them an advantage."""
    for name, title in _SETTINGS.items():
        yield from _differing(title, {run.label: getattr(run.manifest.spec, name) for run in runs})
    yield from _differing("the system prompt", {run.label: _system_prompts(run) for run in runs})
    versions = {run.label: {task.name: task.version for task in run.manifest.tasks} for run in runs}
    yield from _differing("the task's version", versions)
    data = {run.label: {task.name: task.data.sha256 for task in run.manifest.tasks} for run in runs}
    yield from _differing("the data", data, shown=False)
    if len({frozenset(run.rows) for run in runs}) > 1:
        yield "the questions differ: " + ", ".join(f"{run.label} has {len(run.rows)} answers" for run in runs)
    for run in runs:
        if not run.manifest.finished:
            yield f"{run.label} is not finished"


def _differing(title: str, values: Mapping[str, Any], *, shown: bool = True) -> Iterator[str]:
    if len({encode(value) for value in values.values()}) > 1:
        said = ": " + ", ".join(f"{label} {_said(value)}" for label, value in values.items()) if shown else ""
        yield f"{title} differs{said}"


def _said(value: Any) -> str:
    return "the default" if value is None else value if isinstance(value, str) else encode(value).decode()


def _system_prompts(run: _Run) -> list[str]:
    prompts = {message.content for row in run.rows.values() for message in row.messages if message.role == "system"}
    return sorted(prompts)


def _described(run: _Run) -> dict[str, Any]:
    manifest = run.manifest
    spec = {name: getattr(manifest.spec, name) for name in (*_SETTINGS, "temperature", "seed")}
    return {"label": run.label, "name": manifest.name, "model": manifest.model.as_json(), "spec": spec}


def _cautions(plan: PairPlan, judge: Judge) -> Iterator[str]:
    """Say where a judge decides about its own family."""
    for member in judge.members or (judge,):
        family = family_of(member.name)
        for run in plan.runs:
            if family is not None and family_of(str(run["model"]["name"])) == family:
                yield (
                    f"the judge {member.name} and the model {run['label']} are both {family}:"
                    " judges tend to prefer their own family, and its passport measures by how much"
                )


def _setup(plan: PairPlan, judge: Judge) -> dict[str, Any]:
    setup: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "runs": plan.runs,
        "baseline": plan.baseline,
        "table": plan.table,
        "rule": OVERALL_RULE if plan.table else None,
        "judge": {"name": judge.name, "identity": judge.identity},
    }
    return dict(plain(setup))


def _open_setup(output: Path, setup: Mapping[str, Any]) -> None:
    path = output / "setup.json"
    if not path.exists():
        write_json(path, setup)
        return
    if found := differences(read_json(path), setup):
        raise UsageError(
            f"{output} contains another comparison; give another folder (or delete that one). They differ in\n"
            + "\n".join(found)
        )


def _decided(output: Path, *, also_unscored: bool = False) -> dict[str, DecidedBattle]:
    """Return the journal by key, the last line of each; those that can be retried only with ``also_unscored``."""
    path = output / "battles.jsonl"
    battles = (DecidedBattle.decode(data, where=f"{path}:{number}") for number, data in read_numbered(path))
    found = {battle.key: battle for battle in battles}
    if also_unscored:
        return found
    retryable = {*APPARATUS_FAILURES, UNANSWERED}
    return {key: battle for key, battle in found.items() if battle.status not in retryable}


async def _decide(
    battles: Sequence[Battle], judge: Judge, journal: Journal, concurrency: int, *, table: bool
) -> None:
    waiting = iter(battles)

    async def work() -> None:
        for battle in waiting:
            if battle.contest is None:
                journal.append(_decision(battle, None))
                continue
            outcome = await compare(judge, battle.contest, table=table)
            journal.append(_decision(battle, outcome))
            for game in outcome.games:
                raise_if_fatal(judge.name, game.details)

    workers = [asyncio.ensure_future(work()) for _ in range(min(concurrency, len(battles)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*workers, return_exceptions=True)


def _decision(battle: Battle, outcome: Outcome | None) -> DecidedBattle:
    contest = battle.contest
    style = None if contest is None else (style_of(contest.first[-1]), style_of(contest.second[-1]))
    known = (battle.key, battle.task, battle.id, battle.epoch, battle.turn, battle.first, battle.second, style)
    if outcome is None:
        return DecidedBattle(*known, winner=None, status=UNANSWERED, consistent=None)
    games = tuple(
        DecidedGame(game.winner, game.status.value, dict(game.criteria), dict(game.details))
        for game in outcome.games
    )
    status, criteria = Status(outcome.status).value, dict(outcome.criteria)
    return DecidedBattle(*known, outcome.winner, status, outcome.consistent, criteria, games)
