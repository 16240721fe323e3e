"""Metrics beside those of the tasks: repeated answers, the solver's drafts, the language of answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ...tasks.text.language import observations
from ..records.rows import SampleRow, ScoredCandidate
from ..solvers.candidates import winner
from ..statistics import maj_at_k, pass_at_k
from .series import Rows, Series

Attempt = tuple[float | None, str | None]
"""The value of an answer's score, and its final answer by which votes are counted."""

LANGUAGE_TITLES = {
    "answer_russian": "Answers in Russian",
    "answer_foreign_share": "Letters of other scripts in answers",
    "reasoning_russian": "Reasoning in Russian",
    "reasoning_foreign_share": "Letters of other scripts in reasoning",
}


class LanguageMetrics:
    """Shares of answers and reasoning in Russian, and of letters that are neither Cyrillic nor Latin.

    Texts with too few letters to decide are left out.
    """

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}

    def add(self, number: int, row: SampleRow) -> None:
        """Add one row."""
        for name, value in observations(row.language or {}).items():
            if name in LANGUAGE_TITLES:
                self._series.setdefault(name, Series()).add(number, value)

    def summary(self, rows: Rows) -> Iterator[dict[str, Any]]:
        """Yield the metrics as ``results.json`` has them."""
        for name, title in LANGUAGE_TITLES.items():
            if name in self._series:
                yield _metric("language", name, title, self._series[name], rows)


class SampleMetrics:
    """Metrics over several answers to one sample: those of several epochs, or the drafts of a solver.

    Epochs: pass@k (k = 2, 4, … and all; an answer passes with the value 1), and maj@k where answers are named; a
    sample with fewer scored answers than k has no pass@k. The mean over all answers, also known as avg@k or pass@1,
    is the task's own metric. Drafts: single@1, mean@n, oracle@n (the bound
    that no choice among them can pass), vote@n, and the solver's own answer as merge@n or best_of@n.
    """

    def __init__(self, epochs: int, solver: str, drafts: int) -> None:
        self._epochs, self._solver, self._drafts = epochs, solver, drafts
        self._attempts: dict[str, list[Attempt]] = defaultdict(list)
        self._candidates: list[tuple[str, list[Attempt], float | None]] = []
        self._named = False
        self.tokens = {"single": 0, "drafts": 0, "all": 0}

    def add(self, row: SampleRow) -> None:
        """Add one row; nothing is kept of it where there is one answer a sample."""
        if self._epochs > 1 and row.score.value is not None:
            self._attempts[row.id].append((row.score.value, row.answer))
        if self._drafts > 1 and row.candidates:
            drafts = row.candidates
            self._named = self._named or any(draft.answer is not None for draft in drafts)
            attempts = [(draft.score.value, _ballot(draft)) for draft in drafts]
            self._candidates.append((row.id, attempts, row.score.value))
            counts = [draft.completion.usage.completion_tokens or 0 for draft in drafts]
            self.tokens["single"] += counts[0]
            self.tokens["drafts"] += sum(counts)
            self.tokens["all"] += (row.usage.completion_tokens if row.usage else None) or 0

    def summary(self) -> Iterator[dict[str, Any]]:
        """Yield the metrics as ``results.json`` has them."""
        yield from self._of_epochs()
        yield from self._of_drafts()

    def _of_epochs(self) -> Iterator[dict[str, Any]]:
        if self._epochs < 2:
            return
        attempts = self._attempts
        powers = {2**power for power in range(1, self._epochs.bit_length()) if 2**power <= self._epochs}
        for k in sorted(powers | {self._epochs}):
            enough = {sample: some for sample, some in attempts.items() if len(some) >= k}
            right = {sample: sum(value == 1 for value, _ in some) for sample, some in enough.items()}
            passed = ((sample, pass_at_k(len(some), right[sample], k)) for sample, some in enough.items())
            yield _of_pairs("repeated", f"pass@{k}", passed)
        if any(answer is not None for some in attempts.values() for _, answer in some):
            majorities = ((sample, _majority(some)) for sample, some in attempts.items())
            yield _of_pairs("repeated", f"maj@{self._epochs}", majorities)

    def _of_drafts(self) -> Iterator[dict[str, Any]]:
        if self._drafts < 2:
            return
        n = self._drafts
        uses: dict[str, Callable[[list[Attempt]], float | None]] = {
            "single@1": lambda drafts: drafts[0][0],
            f"mean@{n}": lambda drafts: _over(drafts, _mean),
            f"oracle@{n}": lambda drafts: _over(drafts, max),
            f"vote@{n}": self._voted,
        }
        for name, use in uses.items():
            yield _of_pairs("solver", name, ((sample, use(drafts)) for sample, drafts, _ in self._candidates))
        if self._solver in ("multi_agent", "best_of"):
            name = f"merge@{n}" if self._solver == "multi_agent" else f"best_of@{n}"
            yield _of_pairs("solver", name, ((sample, own) for sample, _, own in self._candidates))

    def _voted(self, drafts: list[Attempt]) -> float | None:
        ballots = [ballot for _, ballot in drafts]
        if self._named:  # a text without a final answer has no vote where others have one
            ballots = [ballot if ballot is not None and ballot[0] == "=" else None for ballot in ballots]
        return drafts[winner(ballots)][0]


def _ballot(draft: ScoredCandidate) -> str | None:
    """Return what a draft votes for: its final answer, marked as such, or else its text."""
    if draft.answer is not None:
        return f"={draft.answer}"
    return f" {' '.join(draft.completion.text.split()).casefold()}"


def _majority(attempts: Sequence[Attempt]) -> float:
    # Equal answers get equal verdicts, but for those on which a scorer sees more than the final answer.
    verdicts: dict[str | None, bool] = {}
    for value, answer in attempts:
        verdicts.setdefault(answer, value == 1)
    answers = [answer for _, answer in attempts]
    return maj_at_k(answers, [verdicts[answer] for answer in answers])


def _of_pairs(kind: str, name: str, pairs: Iterable[tuple[str, float | None]]) -> dict[str, Any]:
    rows, series = Rows(), Series()
    times: Counter[str] = Counter()
    for sample, value in pairs:
        if value is not None:
            series.add(rows.add(sample, times[sample]), value)
            times[sample] += 1
    return _metric(kind, name, name, series, rows)


def _metric(kind: str, name: str, title: str, series: Series, rows: Rows) -> dict[str, Any]:
    scale = {"unit": "share", "bounds": (0.0, 1.0)}
    return {"kind": kind, "name": name, "title": title, **scale, **series.estimate(rows), "breakdown": {}}


def _over(attempts: Iterable[Attempt], reduce: Callable[[list[float]], float]) -> float | None:
    known = [value for value, _ in attempts if value is not None]
    return reduce(known) if known else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
