"""The gradings of a passport: planned first, then sent to the judge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from ....judges.pairwise import Contest, Outcome, compare
from ....tasks.types import Judge, Judgement
from ...judging.families import families
from ...judging.probes import Probe, attacks, decorated, padded, probes, signed
from ..pairwise.battles import raise_if_fatal

RATING: Final = "rating"
PAIR: Final = "pair"
CLEAR: Final = "clear"
CLOSE: Final = "close"
ATTACKED_PROBES: Final = 3
"""On how many wrong answers each attack is tried."""

Side = Literal["good", "weak"]
SIDES: Final[tuple[Side, ...]] = ("good", "weak")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ProbeGrading:
    """One answer to rate: what was done to the probe's good or weak answer is its ``variant``.

    Variants are ``plain``, ``again`` (a second draw), ``padded``, ``decorated``, ``own`` and ``other`` (signed by
    the judge's family, by another), ``translated`` (asked in the other language), and the id of an attack.
    """

    probe: str
    side: Side
    variant: str
    question: str
    answer: str
    language: str
    draw: int = 0


@dataclass(frozen=True, slots=True)
class ProbePair:
    """Two answers to compare in both orders: ``clear`` (good and weak) or ``close`` (good and the same, padded)."""

    probe: str
    kind: str
    contest: Contest


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """A judge's answers to what was laid out, by probe, side and variant, and by probe and kind."""

    ratings: Mapping[tuple[str, str, str], Judgement] = field(default_factory=dict)
    lengths: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)

    @property
    def judgements(self) -> list[tuple[str, Judgement]]:
        """Every single verdict, with its probe; what was decided without the judge is not among them."""
        found = [(probe, judgement) for (probe, _, _), judgement in self.ratings.items()]
        for (probe, _), outcome in self.outcomes.items():
            for game in outcome.games:
                value = {"first": 1.0, "second": 0.0, "tie": 0.5}.get(str(game.winner))
                found.append((probe, Judgement(value, game.status, game.details)))
        return [(probe, judgement) for probe, judgement in found if "unasked" not in judgement.details]


def plan_gradings(languages: Sequence[str], family: str | None) -> tuple[list[ProbeGrading], list[ProbePair]]:
    """Lay out what will be asked: the first language is the judge's own, the second that of the comparison.

    Without a ``family`` of the judge there are no signed answers.
    """
    gradings = [one for number, probe in enumerate(probes()) for one in _of_probe(probe, number, languages, family)]
    weak = probes()
    for number, attack in enumerate(attacks()):
        for step in range(ATTACKED_PROBES):
            probe = weak[(number * ATTACKED_PROBES + step) % len(weak)]
            text = attack.on(probe.weak)
            gradings.append(ProbeGrading(probe.id, "weak", attack.id, probe.question, text, languages[0]))
    comparisons = []
    for number, probe in enumerate(probes()):
        for kind, other in ((CLEAR, probe.weak), (CLOSE, padded(probe.good, number))):
            comparisons.append(ProbePair(probe.id, kind, Contest((probe.question,), (probe.good,), (other,))))
    return gradings, comparisons


def _of_probe(probe: Probe, number: int, languages: Sequence[str], family: str | None) -> Iterator[ProbeGrading]:
    for side in SIDES:
        answer = probe.good if side == "good" else probe.weak
        variants = {
            "plain": answer,
            "again": answer,
            "padded": padded(answer, number),
            "decorated": decorated(answer),
        }
        if family is not None:
            others = [name for name in families() if name != family]
            variants["own"] = signed(answer, family)
            variants["other"] = signed(answer, others[number % len(others)])
        for variant, text in variants.items():
            draw = 1 if variant == "again" else 0
            yield ProbeGrading(probe.id, side, variant, probe.question, text, languages[0], draw)
        if len(languages) > 1:
            yield ProbeGrading(probe.id, side, "translated", probe.question, answer, languages[1])


async def grade_all(
    judges: Mapping[str, Judge],
    gradings: Sequence[ProbeGrading],
    comparisons: Sequence[ProbePair],
    *,
    concurrency: int,
) -> ProbeResults:
    """Ask the judge, which is given for each language.

    Raises:
        ModelError: the judge's model is unavailable.
    """
    main = next(iter(judges.values()))
    at_once = asyncio.Semaphore(concurrency)

    async def rate(one: ProbeGrading) -> Judgement:
        fields = {"question": one.question, "answer": one.answer}
        return await _limited(at_once, judges[one.language].grade(RATING, fields, draw=one.draw))

    ratings, outcomes = await asyncio.gather(
        asyncio.gather(*(rate(one) for one in gradings)),
        asyncio.gather(*(_limited(at_once, compare(main, one.contest)) for one in comparisons)),
    )
    for details in (*(one.details for one in ratings), *(game.details for one in outcomes for game in one.games)):
        raise_if_fatal(main.name, details)
    keys = [(one.probe, one.side, one.variant) for one in gradings]
    return ProbeResults(
        dict(zip(keys, ratings, strict=True)),
        {key: len(one.answer) for key, one in zip(keys, gradings, strict=True)},
        {(one.probe, one.kind): outcome for one, outcome in zip(comparisons, outcomes, strict=True)},
    )


async def _limited(at_once: asyncio.Semaphore, work: Awaitable[Result]) -> Result:
    async with at_once:
        return await work
