"""Several answers to one question: pass@k, pass^k, avg@k, maj@k, and what repeating buys.

The functions of one question return its value; `means.mean_interval` over those of all questions, one cluster each,
gives the benchmark's number with its interval.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np

from .estimate import Estimate, Values, as_floats
from .means import mean_interval


def pass_at_k(attempts: int, correct: int, k: int) -> float:
    """Return the chance that k of the attempts, drawn at random, hold a correct one: 1 − C(n−c, k) / C(n, k).

    Unbiased for every k ≤ n, unlike 1 − (1 − c/n)^k (Chen et al. 2021, "Evaluating Large Language Models Trained on
    Code", arXiv 2107.03374, §2.1).

    Raises:
        ValueError: not 0 ≤ correct ≤ attempts, or not 1 ≤ k ≤ attempts.
    """
    _check(attempts, correct, k)
    return (comb(attempts, k) - comb(attempts - correct, k)) / comb(attempts, k)


def pass_hat_k(attempts: int, correct: int, k: int) -> float:
    """Return the chance that k of the attempts, drawn at random, are all correct: C(c, k) / C(n, k).

    Yao et al. 2024, "τ-bench", arXiv 2406.12045, on pass^k.

    Raises:
        ValueError: not 0 ≤ correct ≤ attempts, or not 1 ≤ k ≤ attempts.
    """
    _check(attempts, correct, k)
    return comb(correct, k) / comb(attempts, k)


def _check(attempts: int, correct: int, k: int) -> None:
    if not 0 <= correct <= attempts:
        raise ValueError(f"correct attempts lie between 0 and all, got {correct} of {attempts}")
    if not 1 <= k <= attempts:
        raise ValueError(f"k lies between 1 and the number of attempts ({attempts}), got {k}")


def avg_at_k(scores: Sequence[Values], *, confidence: float = 0.95) -> Estimate:
    """Estimate the mean of the questions' mean scores; each question counts the same.

    The error is that of the questions' means: answers to one question are not independent, so pooling n·k answers
    as if they were makes it too small (Miller 2024, arXiv 2411.00640, on resampling).

    Args:
        scores: for each question, the scores in [0, 1] of its answers; at least one each.
        confidence: the interval's nominal coverage.

    Raises:
        ValueError: a question has no score, or a score is not in [0, 1].
    """
    means = [float(np.mean(row)) for row in _rows(scores)]
    return mean_interval(means, confidence=confidence)


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Var(score) split in two: ``between`` questions, and ``within`` a question, from answer to answer."""

    between: float
    within: float


def variance_components(scores: Sequence[Values]) -> VarianceComponents:
    """Split the variance: Var(mean) = between / n + within / (n·k) for n questions with k answers each.

    ``within`` is the mean of the questions' sample variances; ``between`` the sample variance of their means less
    ``within`` / k, at least 0 (method of moments for the one-way random model; Searle, Casella and McCulloch 1992,
    "Variance Components", §3.5). With unequal numbers of answers k is their harmonic mean.

    Raises:
        ValueError: fewer than two questions, or a question with fewer than two answers.
    """
    rows = _rows(scores)
    if len(rows) < 2 or min(map(len, rows)) < 2:
        raise ValueError("variance components need at least two questions with at least two answers each")
    within = float(np.mean([row.var(ddof=1) for row in rows]))
    of_means = float(np.var([row.mean() for row in rows], ddof=1))
    inverse_k = float(np.mean([1 / len(row) for row in rows]))
    return VarianceComponents(max(0.0, of_means - within * inverse_k), within)


def _rows(scores: Sequence[Values]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    rows = [as_floats(row, f"scores[{at}]") for at, row in enumerate(scores)]
    for at, row in enumerate(rows):
        if len(row) == 0:
            raise ValueError(f"scores[{at}] is empty; leave out questions that were not answered")
    return rows


def maj_at_k(answers: Sequence[Hashable | None], correct: Sequence[bool], k: int | None = None) -> float:
    """Return the chance that the most frequent of k answers to one question is correct.

    Self-consistency (Wang et al. 2023, arXiv 2203.11171, §2), averaged over all C(n, k) subsets, so unbiased for
    every k ≤ n just as `pass_at_k` is. Equally frequent answers share the vote: a right one among t of them counts
    1/t, the expectation of drawing one at random.

    Args:
        answers: the extracted answers in a canonical form; ``None`` where there was none, which has no vote.
        correct: whether each answer is correct; equal answers must agree.
        k: how many answers vote; all when ``None``.

    Raises:
        ValueError: lengths differ, equal answers disagree on being correct, or not 1 ≤ k ≤ n.
    """
    if len(answers) != len(correct):
        raise ValueError(f"each answer needs its verdict: {len(answers)} answers, {len(correct)} verdicts")
    k = len(answers) if k is None else k
    _check(len(answers), 0, k)
    votes = Counter(answer for answer in answers if answer is not None)
    right: dict[Hashable, bool] = {}
    for answer, verdict in zip(answers, correct, strict=True):
        if answer is not None and right.setdefault(answer, bool(verdict)) != bool(verdict):
            raise ValueError(f"the answer {answer!r} is called both correct and wrong")
    if k == len(answers):
        most = max(votes.values(), default=0)
        leaders = [answer for answer, count in votes.items() if count == most]
        return sum(right[answer] for answer in leaders) / len(leaders) if leaders else 0.0
    blanks = len(answers) - votes.total()
    shares = (_share_of_wins(answer, votes, blanks, k) for answer in votes if right[answer])
    return float(sum(shares, Fraction(0)) / comb(len(answers), k))


def _share_of_wins(winner: Hashable, votes: Mapping[Hashable, int], blanks: int, k: int) -> Fraction:
    """Count the k-subsets in which the winner leads, those with t leaders as 1/t.

    For each number of votes of the winner, the others are added one by one; a state is (votes drawn, ties so far).
    """
    total = Fraction(0)
    others = [count for answer, count in votes.items() if answer != winner]
    for votes_of_winner in range(1, min(votes[winner], k) + 1):
        left = k - votes_of_winner
        ways = {(drawn, 0): comb(blanks, drawn) for drawn in range(min(blanks, left) + 1)}
        for count in others:
            extended: dict[tuple[int, int], int] = defaultdict(int)
            for (drawn, ties), number in ways.items():
                for more in range(min(count, votes_of_winner, left - drawn) + 1):
                    state = (drawn + more, ties + (more == votes_of_winner))
                    extended[state] += number * comb(count, more)
            ways = extended
        leading = sum(
            (Fraction(number, ties + 1) for (drawn, ties), number in ways.items() if drawn == left), Fraction(0)
        )
        total += comb(votes[winner], votes_of_winner) * leading
    return total
