"""Checking the final answer of a proof by code; a judge compares it only where code cannot decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..text.answers import ANSWER

CLOSING: Final = 1500
"""The number of characters at a solution's end to compare if it announces no answer."""

_ANNOUNCED = re.compile(rf"\\boxed|\b(?:{ANSWER})", re.IGNORECASE)
_ANYTHING = re.compile(r"\d|[=\\$]")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
# Two-letter sequences are mostly products of variables.
_WORD = re.compile(r"[^\W\d_]{3,}|\b(?:or|if|of|is|no|in|to|не|на|до|от|из|по)\b", re.IGNORECASE)
_FUNCTION = re.compile("sin|cos|tan|tg|ctg|cot|log|ln|lg|exp|max|min|gcd|lcm|нод|нок|mod")
_YES_OR_NO = frozenset(("да", "нет", "yes", "no"))


class Gate(StrEnum):
    """The outcome of the check; ``wrong`` and ``missing`` cap the points."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_DUE = "not_due"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The outcome, and what was compared: the known answer and the solution's statement of its own answer."""

    gate: Gate
    known: str | None = None
    stated: str | None = None
    reason: str = ""


def check_final_answer(known: str | None, solution: str) -> FinalAnswer:
    """Compare the final answer of a solution with the known one, as mathematics; may take seconds in a worker.

    ``not_due`` if the problem has no final answer, ``missing`` if a number or a formula is required and the text
    has none. ``right`` is always final. ``wrong`` is final if the known answer is a formula, a number, or yes or
    no, and the solution announces its answer; otherwise two wordings may be equivalent, and the result is
    ``undecided``.
    """
    if known is None:
        return FinalAnswer(Gate.NOT_DUE)
    if _is_mathematics(known) and not _ANNOUNCED.search(solution) and not _ANYTHING.search(solution):
        return FinalAnswer(Gate.MISSING, known, None, "no number, formula or announced answer in the text")
    from ..math.grading import Verdict, grade

    found = grade(known, solution)
    if found.verdict is Verdict.CORRECT:
        return FinalAnswer(Gate.RIGHT, known, found.extracted)
    announced = _ANNOUNCED.search(solution) is not None and bool(found.extracted)
    stated = found.extracted if announced else solution[-CLOSING:]
    decided = found.verdict in (Verdict.WRONG, Verdict.LIMIT)
    if decided and announced and (_is_mathematics(known) or known.strip().casefold() in _YES_OR_NO):
        return FinalAnswer(Gate.WRONG, known, stated, found.reason)
    return FinalAnswer(Gate.UNDECIDED, known, stated, found.reason or f"comparison by code: {found.verdict}")


def _is_mathematics(answer: str) -> bool:
    words = (word.casefold() for word in _WORD.findall(_COMMAND.sub(" ", answer)))
    return all(_FUNCTION.fullmatch(word) for word in words)
