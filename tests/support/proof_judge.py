"""A judge of proofs as a script: it writes the verdict lines that the forms ask for, nonce included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from evalkit.tasks.types import Judgement, Status

NAMES = {
    "correctness": "корректность",
    "completeness": "полнота",
    "rigour": "строгость",
    "structure": "структура",
    "cases": "разбор_случаев",
    "final_answer": "итоговый_ответ",
}
_ASKED = re.compile(
    r"^(Баллы|Критерии|Совпадение|Points|Criteria|Agreement) ([bcdfghjkmnpqrstvwxz]{10})", re.MULTILINE
)


def words(prompt: str, points: object = 6, percent: object = 80, same: int = 1) -> str | None:
    """Return what the judge writes; None if the prompt is no form for proofs."""
    asked = _ASKED.findall(prompt)
    if not asked:
        return None
    head, nonce = asked[-1]
    if head in ("Баллы", "Points"):
        return f"В решении всё по делу.\n{head} {nonce}: <points>{points}</points>"
    if head in ("Совпадение", "Agreement"):
        return f"Сличил.\n{head} {nonce}: [[{same}]]"
    titles = ("Корректность", "Полнота", "Строгость", "Структура", "Разбор случаев", "Итоговый ответ")
    return f"Решение описано.\n{head} {nonce}\n" + "\n".join(f"{title}: {percent}%" for title in titles)


class Grader:
    """A judge without a model: ``points`` by draw (the last one repeats), percentages, whether answers agree."""

    def __init__(
        self,
        points: Sequence[float | None] = (7,),
        percent: float | Mapping[str, float | None] | None = 90,
        same: float | None = 1,
        name: str = "grader",
        status: Status = Status.MISSING,
    ) -> None:
        self.name = name
        self.points, self.percent, self.same, self.status = points, percent, same, status
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        self.asked.append((form, dict(fields)))
        details = {"judge": self.name, "words": f"слова {self.name}"}
        if form == "proof-final-answer":
            return self._said(self.same, details)
        if form.startswith("proof-criteria"):
            if self.percent is None:
                return self._said(None, details)
            given = self.percent if isinstance(self.percent, Mapping) else dict.fromkeys(NAMES, self.percent)
            return self._said(50.0, {**details, "read": {NAMES[name]: value for name, value in given.items()}})
        return self._said(self.points[min(draw, len(self.points) - 1)], details)

    def _said(self, value: float | None, details: dict[str, object]) -> Judgement:
        if value is None:
            return Judgement(None, self.status, details)
        return Judgement(float(value), Status.OK, details)

    @property
    def forms(self) -> list[str]:
        """The forms that were to be filled in, in their order."""
        return [form for form, _ in self.asked]
