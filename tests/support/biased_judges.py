"""Models of judges with known faults, written as scripts: they read the real forms and write real verdict lines.

All noise is a hash of what is asked, so that every number comes out the same again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evalkit.judges.judge import JudgeSettings, ModelJudge
from evalkit.tasks.types import Completion, Message, Usage

_RATING_LINE = re.compile(r"(Оценка|Rating) (\w+): \[\[(?:число|number)\]\]\s*$")
_POINTS_LINE = re.compile(r"(Баллы|Points) (\w+): <points>(?:число|number)</points>\s*$")
_PAIR_LINE = re.compile(r"(Вердикт|Verdict) (\w+): \[\[(?:вердикт|verdict)\]\]\s*$")
_TABLE = re.compile(r"(?:Таблица|Table) (\w+)\n((?:[^\n:]+: (?:вердикт|verdict)\n?)+)\s*$")
_FENCED = re.compile(r"<(\w{10})>\n(.*?)\n</\1>", re.DOTALL)

Rate = Callable[[str, str, float], float]
"""Takes question, answer and a number in [-1, 1) that is noise, and returns a rating."""

Prefer = Callable[[str, str, float], str]
"""Takes the two answers as shown and the noise, and returns A, B or C."""


def noise(*parts: object) -> float:
    """A number in [-1, 1) that depends on nothing but the parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**63 - 1


def by_rating(rate: Rate) -> Prefer:
    """Prefer what is rated higher."""

    def prefer(first: str, second: str, _: float) -> str:
        one, two = rate("", first, noise(first)), rate("", second, noise(second))
        return "A" if one > two else "B" if two > one else "C"

    return prefer


class BiasedModel:
    """A judge's model by two rules; ``unreadable`` is the share of answers that end without a verdict."""

    def __init__(
        self,
        rate: Rate,
        prefer: Prefer | None = None,
        *,
        unreadable: float = 0.0,
        name: str = "biased",
        table: Callable[[str, str, str], str] | None = None,
    ) -> None:
        self.name = name
        self.identity: Mapping[str, Any] = {"backend": "script", "name": name}
        self.concurrency = 64
        self.calls = 0
        self.unread = 0
        self._rate = rate
        self._prefer = prefer or by_rating(rate)
        self._unreadable = unreadable
        self._table = table

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        return Completion(self.answer(messages[-1].content, sampling["seed"]), usage=Usage(10, 5))

    def answer(self, prompt: str, seed: int = 0) -> str:
        """What the judge writes when it is shown a filled-in form."""
        self.calls += 1
        fenced = [text for _, text in _FENCED.findall(prompt)]
        # The answers come last; of a conversation the second one counts.
        conversations = re.search("Беседа A|Conversation A", prompt)
        pair = not (_RATING_LINE.search(prompt) or _POINTS_LINE.search(prompt))
        shown = [fenced[-3], fenced[-1]] if conversations else fenced[-2:] if pair else fenced[-1:]
        said = self._verdict(prompt, shown, seed)
        # Another seed is another draw; the verdict itself is that of the answer.
        if (noise("unreadable", self.name, seed, *shown) + 1) / 2 < self._unreadable:
            self.unread += 1
            return "Трудно сказать, оба пути по-своему хороши."
        return f"Сравнил и обдумал.\n{said}"

    def _verdict(self, prompt: str, shown: list[str], seed: int) -> str:
        if line := _RATING_LINE.search(prompt):
            rating = self._rate(prompt, shown[0], noise(self.name, seed, *shown))
            return f"{line[1]} {line[2]}: [[{min(10.0, max(1.0, rating)):.2f}]]"
        if line := _POINTS_LINE.search(prompt):
            rating = self._rate(prompt, shown[0], noise(self.name, seed, *shown))
            return f"{line[1]} {line[2]}: <points>{round(min(7, max(0, 0.7 * rating)))}</points>"
        if line := _PAIR_LINE.search(prompt):
            return f"{line[1]} {line[2]}: [[{self._prefer(*shown, noise(self.name, seed, *shown))}]]"
        table = _TABLE.search(prompt)
        assert table, prompt[-400:]
        assert self._table
        rows = [row.partition(":")[0] for row in table[2].strip().split("\n")]
        return "\n".join([f"Таблица {table[1]}", *(f"{row}: {self._table(row, *shown)}" for row in rows)])


def judge_of(model: BiasedModel, **settings: Any) -> ModelJudge:
    """The model behind everything that a real judge has: forms, fences, parser, second attempts."""
    return ModelJudge(model, JudgeSettings(**settings))
