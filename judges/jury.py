"""Juries: several judges that act as one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final

from ..errors import UsageError, nearest
from ..tasks.types import Judge, Judgement, Status, first_failure
from .judge import as_number

Rule = Callable[[Sequence[float]], float]


def most_frequent(values: Sequence[float]) -> float:
    """Return the most frequent value; ties go to the one nearest to the median, then to the lowest."""
    counts = Counter(values)
    middle = median(values)
    return min(counts, key=lambda value: (-counts[value], abs(value - middle), value))


RULES: Final[Mapping[str, Rule]] = {"mean": fmean, "median": median, "min": min, "majority": most_frequent}
"""Rules for combining the members' values."""


class Jury:
    """Judges, ideally of different model families, that grade the same answers; one call per member and grading.

    ``details`` of a judgement hold ``members`` (their judgements), ``spread`` (highest minus lowest value) and
    ``escalated`` (the spread exceeds ``escalate_above``, so a human should review it). For tables of criteria they
    have ``read``: the members' verdicts on each criterion as numbers, combined by the same rule. When fewer than
    ``quorum`` members give a value, the jury gives none: a mean over the members that happened to answer would be
    biased towards the lenient ones.

    Raises:
        UsageError: unknown rule, a quorum larger than the jury, or a duplicate judge.
    """

    def __init__(
        self,
        members: Sequence[Judge],
        *,
        rule: str = "mean",
        escalate_above: float = 2.0,
        quorum: int | None = None,
        name: str = "",
    ) -> None:
        if rule not in RULES:
            raise UsageError(f"unknown rule '{rule}' for a jury.{nearest(rule, RULES)}")
        if not 1 <= (quorum or len(members)) <= len(members):
            raise UsageError(f"a jury of {len(members)} judges cannot have a quorum of {quorum}")
        names = [member.name for member in members]
        if len(set(names)) < len(names):
            raise UsageError(f"duplicate judge in the jury: {', '.join(names)}")
        self.members = tuple(members)
        self.name = name or f"{rule} of {', '.join(names)}"
        self.settings = None
        self._rule = rule
        self._escalate_above = escalate_above
        self._quorum = quorum or len(members)

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings that affect verdicts, for the manifest."""
        return {
            "rule": self._rule,
            "escalate_above": self._escalate_above,
            "quorum": self._quorum,
            "members": [member.identity for member in self.members],
        }

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        """Grade with every member, and combine the values by the rule."""
        judgements = await asyncio.gather(*(member.grade(form, fields, draw=draw) for member in self.members))
        values = [judgement.value for judgement in judgements if judgement.value is not None]
        details: dict[str, Any] = {
            "judge": self.name,
            "members": [
                {
                    "judge": member.name,
                    "value": judgement.value,
                    "status": judgement.status.value,
                    **judgement.details,
                }
                for member, judgement in zip(self.members, judgements, strict=True)
            ],
        }
        if values:
            spread = max(values) - min(values)
            details |= {"spread": spread, "escalated": spread > self._escalate_above}
        tables = [one.details["read"] for one in judgements if isinstance(one.details.get("read"), Mapping)]
        if tables:
            details["read"] = _joined(tables, RULES[self._rule])
        if len(values) < self._quorum:
            return Judgement(None, _failure(judgements), details)
        return Judgement(float(RULES[self._rule](values)), _success(judgements), details)


def _joined(tables: Sequence[Mapping[str, Any]], rule: Rule) -> dict[str, float]:
    """Return the combined verdict of each criterion that at least one member has judged."""
    verdicts = {
        name: [as_number(table[name]) for table in tables if table.get(name) is not None] for name in tables[0]
    }
    return {name: float(rule(values)) for name, values in verdicts.items() if values}


def _failure(judgements: Sequence[Judgement]) -> Status:
    return first_failure([judgement.status for judgement in judgements if judgement.value is None])


def _success(judgements: Sequence[Judgement]) -> Status:
    statuses = {judgement.status for judgement in judgements if judgement.value is not None}
    return Status.OK if statuses == {Status.OK} else Status.OK_LENIENT
