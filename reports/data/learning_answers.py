"""What was written while learning: answers early and late, answers before and after, and the critic's numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from ...evals.records.training import AnswerRow

LONGEST_SHOWN: Final = 2_000
"""Characters of an answer that the page shows outside the samples."""

MOST_WORDS: Final = 600
"""Words and signs of two answers that are still compared word by word."""

BINS: Final = 20
SHOWN_ANSWERS: Final = 4
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# What a histogram spans where the formulas say so; τ and w go up to their largest value.
_SPANS: Final = {"r": (0.0, 1.0), "b": (0.0, 1.0), "A": (-1.0, 1.0), "tau": (0.0, None), "w": (0.0, None)}
_CHECKS: Final = ("score_agrees", "advantage_agrees")


def difference(before: str, after: str) -> list[list[str]] | None:
    """Return what became of a text as ``[["same" | "del" | "ins", words], …]``, None where it is too long for that.

    A single word that two changes have between them is part of the change: so a reader sees phrases.
    """
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(one), len(other)) > MOST_WORDS:
        return None
    parts: list[list[str]] = []
    removed = added = ""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    for place, (kind, start, end, other_start, other_end) in enumerate(blocks):
        old, new = "".join(one[start:end]), "".join(other[other_start:other_end])
        at_an_end = place in (0, len(blocks) - 1)
        if kind == "equal" and (at_an_end or len(re.findall(r"\w+", old)) > 1):
            parts += _changed(removed, added)
            parts.append(["same", old])
            removed = added = ""
        else:
            removed, added = removed + old, added + new
    return parts + _changed(removed, added)


def _changed(removed: str, added: str) -> list[list[str]]:
    return [[kind, text] for kind, text in (("del", removed), ("ins", added)) if text]


def shown(text: str) -> str:
    """Cut a text to what the page shows of it."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


class Answers:
    """What the page shows of ``answers.jsonl``, gathered row by row: memory is that of the critic's numbers."""

    def __init__(self) -> None:
        self._first: list[dict[str, Any]] = []
        self._last: list[dict[str, Any]] = []
        self._computed: dict[str, list[float]] = {name: [] for name in _SPANS}
        self._claimed: dict[str, list[float]] = {name: [] for name in _SPANS}
        self._impossible: Counter[str] = Counter()
        self._checks: dict[str, list[bool]] = {name: [] for name in _CHECKS}
        self._judged = 0

    def add(self, rows: Iterable[AnswerRow], first_step: int) -> None:
        """Read the rows of a training whose steps are counted from ``first_step``."""
        for row in rows:
            step = first_step + row.step - 1
            if not self._first or self._first[0]["step"] == step:
                _keep(self._first, row, step)
            elif not self._last or self._last[0]["step"] <= step:
                if self._last and self._last[0]["step"] < step:
                    self._last = []
                _keep(self._last, row, step)
            self._judge(row.critic or {})

    def _judge(self, critic: Mapping[str, Any]) -> None:
        if not critic:
            return
        self._judged += 1
        _add(self._computed, critic.get("signal") or {"r": critic.get("blended")})
        for reading in critic.get("readings", ()):
            claims = reading["claims"]
            _add(self._claimed, claims)
            self._impossible.update((claims.get("out_of_range") or {}).keys())
            for name, checks in self._checks.items():
                if name in claims:
                    checks.append(claims[name])

    def stages(self) -> list[dict[str, Any]]:
        """Return a few answers of the first and of the last step: ``[{"step", "answers"}]``."""
        return [{"step": some[0]["step"], "answers": some} for some in (self._first, self._last) if some]

    def critic(self) -> dict[str, Any] | None:
        """Return the critic's histograms, computed beside claimed, and how often the two agree; None without one.

        ::

            {"answers", "claims": [{"name", "checked", "agree"}],
             "histograms": [{"name", "low", "high", "computed": {"counts", "values", "mean"}, "claimed": … | None,
                             "impossible"}]}

        Claims beyond an end are counted in the bin at it; ``impossible`` are those that no formula could give.
        """
        if not self._judged:
            return None
        claims = [
            {"name": name, "checked": len(checks), "agree": sum(checks)} for name, checks in self._checks.items()
        ]
        histograms = []
        for name, (low, limit) in _SPANS.items():
            values, claimed = self._computed[name], self._claimed[name]
            if values:
                high = max(*values, 1e-9) if limit is None else limit
                one = {"name": name, "low": low, "high": high, "computed": _histogram(values, low, high)}
                one["claimed"] = _histogram(claimed, low, high) if claimed else None
                histograms.append({**one, "impossible": self._impossible[name]})
        return {"answers": self._judged, "claims": claims, "histograms": histograms}


def _add(columns: Mapping[str, list[float]], row: Mapping[str, Any]) -> None:
    for name, values in columns.items():
        if row.get(name) is not None:
            values.append(float(row[name]))


def _keep(kept: list[dict[str, Any]], row: AnswerRow, step: int) -> None:
    """Keep an answer while there are few, the first of each prompt."""
    if len(kept) == SHOWN_ANSWERS or any(one["id"] == row.id for one in kept):
        return
    critic = row.critic
    kept.append(
        {
            "step": step,
            "id": row.id,
            "family": row.family,
            "text": shown(row.text),
            "reward": row.reward,
            "critic": None
            if not critic
            else {
                "score": critic.get("score"),
                "signal": critic.get("signal"),
                "readings": [
                    {
                        "explanation": shown(reading["explanation"]),
                        "claims": {name: value for name, value in reading["claims"].items() if name in _SPANS},
                    }
                    for reading in critic.get("readings", ())
                ],
            },
        }
    )


def _histogram(values: Sequence[float], low: float, high: float) -> dict[str, Any]:
    counts = [0] * BINS
    for value in values:
        place = int((value - low) / (high - low) * BINS)
        counts[min(max(place, 0), BINS - 1)] += 1
    return {"counts": counts, "values": len(values), "mean": sum(values) / len(values)}
