"""Pairwise comparison of two answers: judged in both orders, a tie if the orders disagree.

This keeps a judge's position bias from being counted as a preference for a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..errors import UsageError
from ..tasks.types import Judge, Judgement, Status, first_failure
from .guard.precheck import Reason, precheck
from .judge import as_number

Winner = Literal["first", "second", "tie"]

TABLE_CRITERIA: Final = ("корректность", "итоговый_ответ", "разбор_случаев", "строгость", "структура", "стиль")
"""The criteria of a comparison table (forms ``criteria-table``), in order of priority."""

OVERALL_RULE: Final = (
    "the first of these criteria that has a winner decides: correctness, final answer, case coverage, rigour,"
    " structure, style"
)
"""How a table becomes one verdict: presentation cannot outweigh correctness."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Two answers to the last of the ``questions``; earlier answers are earlier turns of the same conversations.

    ``references`` are the reference answers to the questions, if there are any.
    """

    questions: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    references: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.questions), len(self.first), len(self.second)}
        if self.references is not None:
            lengths.add(len(self.references))
        if lengths not in ({1}, {2}):
            raise UsageError("a contest has one or two questions, each with two answers (and a reference)")


@dataclass(frozen=True, slots=True)
class Game:
    """The verdict for one order; ``criteria`` holds the winners of a table, ``details`` those of the judgement."""

    winner: Winner | None
    status: Status
    criteria: Mapping[str, Winner] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict over both orders: ``games`` holds the one with the first answer as A, then the one with it as B.

    ``winner`` is None if either order has no verdict. ``consistent`` tells whether the orders agree; None without
    two verdicts, or if no judge was called.
    """

    winner: Winner | None
    status: Status
    consistent: bool | None
    criteria: Mapping[str, Winner] = field(default_factory=dict)
    games: tuple[Game, ...] = ()


async def compare(judge: Judge, contest: Contest, *, table: bool = False, draw: int = 0) -> Outcome:
    """Have a judge compare two answers in both orders.

    With ``table`` each criterion has its own winner (a tie if the orders disagree), and the overall winner follows
    by `OVERALL_RULE`. If an answer has no content the judge is not called: the other one wins, or it is a tie.

    Raises:
        UsageError: a table is requested for a second turn, for which there is no form.
    """
    if (outcome := _without_judge(contest)) is not None:
        return outcome
    form = form_name(contest, table=table)
    first, second = await asyncio.gather(
        judge.grade(form, fields_of(contest), draw=draw),
        judge.grade(form, fields_of(contest, swapped=True), draw=draw),
    )
    games = (_game(first, table=table, swapped=False), _game(second, table=table, swapped=True))
    failed = [game.status for game in games if game.winner is None]
    if failed:
        return Outcome(None, first_failure(failed), None, games=games)
    criteria = {name: _agreed(games[0].criteria[name], games[1].criteria[name]) for name in games[0].criteria}
    winner = overall(criteria) if table else _agreed(games[0].winner, games[1].winner)
    strict = all(game.status is Status.OK for game in games)
    status = Status.OK if strict else Status.OK_LENIENT
    return Outcome(winner, status, games[0].winner == games[1].winner, criteria, games)


def overall(criteria: Mapping[str, Winner]) -> Winner:
    """Return the winner of a table by `OVERALL_RULE`; a tie when no criterion has a winner."""
    return next((criteria[name] for name in TABLE_CRITERIA if criteria.get(name, "tie") != "tie"), "tie")


def shown_first(winners: Sequence[Winner | None]) -> Iterator[bool]:
    """Yield for each decided game, in the order of `Outcome.games`, whether the answer in first position won."""
    for first, winner in zip(("first", "second"), winners, strict=False):
        if winner in ("first", "second"):
            yield winner == first


def form_name(contest: Contest, *, table: bool = False) -> str:
    """Return the name of the form for a contest.

    Raises:
        UsageError: a table is requested for a second turn.
    """
    if table and len(contest.questions) > 1:
        raise UsageError("the criteria table compares solutions of one question, not conversations of two")
    name = "criteria-table" if table else "pair" if len(contest.questions) == 1 else "pair-turn-2"
    return name if contest.references is None else f"{name}-reference"


def fields_of(contest: Contest, *, swapped: bool = False) -> dict[str, str]:
    """Return the values of the form's placeholders; A is the first answer, or the second if ``swapped``."""
    sides = (contest.second, contest.first) if swapped else (contest.first, contest.second)
    rows: list[tuple[str, Sequence[str]]] = [
        ("question", contest.questions),
        ("answer_a", sides[0]),
        ("answer_b", sides[1]),
    ]
    if contest.references is not None:
        rows.append(("reference", contest.references))
    if len(contest.questions) == 1:
        return {name: texts[0] for name, texts in rows}
    return {f"{name}_{turn}": text for name, texts in rows for turn, text in enumerate(texts, start=1)}


def _without_judge(contest: Contest) -> Outcome | None:
    findings = precheck(contest.first[-1]), precheck(contest.second[-1])
    if any(finding is not None and finding.reason is Reason.NOT_GENERATED for finding in findings):
        return Outcome(None, Status.API_ERROR, None)
    first, second = (finding is not None for finding in findings)
    if not first and not second:
        return None
    winner: Winner = "tie" if first and second else "second" if first else "first"
    return Outcome(winner, Status.OK, None)


def _game(judgement: Judgement, *, table: bool, swapped: bool) -> Game:
    if judgement.value is None:
        return Game(None, judgement.status, details=judgement.details)
    if not table:
        winner = _named(judgement.value, swapped=swapped)
        return Game(winner, judgement.status, details=judgement.details)
    shares = _shares(judgement.details)
    if set(shares) != set(TABLE_CRITERIA):
        return Game(None, Status.MALFORMED, details=judgement.details)
    criteria = {name: _named(shares[name], swapped=swapped) for name in TABLE_CRITERIA}
    return Game(overall(criteria), judgement.status, criteria, judgement.details)


def _shares(details: Mapping[str, Any]) -> dict[str, float]:
    """Return the verdict on each criterion as a number (1 for A); for a jury, combined over its members."""
    table = details.get("read", {})
    return {name: as_number(table[name]) for name in TABLE_CRITERIA if table.get(name) is not None}


def _named(value: float, *, swapped: bool) -> Winner:
    if value == 0.5:
        return "tie"
    return "first" if (value > 0.5) != swapped else "second"


def _agreed(one: Winner | None, other: Winner | None) -> Winner:
    return one if one is not None and one == other else "tie"
