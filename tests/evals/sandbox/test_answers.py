"""Answers that raise or lie when they are looked at are wrong, exceptions end no loop, honest programs pass."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator

import pytest
from evalkit.evals.sandbox import probe
from evalkit.evals.sandbox.inside.layout import find_layout
from evalkit.evals.sandbox.pool import SlotPool
from evalkit.tests.support.sandbox_kin import Kin, answers, honest, loops

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="local sandboxes need Linux")


@pytest.fixture(scope="module")
def tier() -> str:
    for name in probe.LOCAL_TIERS:
        if not asyncio.run(probe.probe(name)):
            return name
    pytest.skip("no local sandbox works on this machine")


def surprises(tier: str, programs: list[Kin]) -> list[str]:
    async def run_all() -> list[str]:
        pool = SlotPool(tier, slots=2, layout=find_layout())
        try:
            results = await asyncio.gather(*(pool.run(kin.program) for kin in programs))
        finally:
            await pool.close()
        return [
            f"{kin.kind}: {kin.program.tests} {result.failure} {result.results}"
            for kin, result in zip(programs, results, strict=True)
            if result.failure or result.passed is not kin.passes
        ]

    return asyncio.run(run_all())


def test_honest_programs_pass(tier):
    assert surprises(tier, list(honest())) == []


# A step that shares no factor with the numbers of tests and shapes: all kinds come up.
@pytest.mark.parametrize(("kinds", "step"), [(answers, 17), (loops, 11)])
def test_hostile_answers_fail_and_are_no_failure_of_the_sandbox(tier, kinds: Callable[[], Iterator[Kin]], step):
    programs = list(kinds())[::step]
    assert len(programs) > 50
    assert surprises(tier, programs) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("kinds", [answers, loops])
def test_all_hostile_answers_fail(tier, kinds: Callable[[], Iterator[Kin]]):
    assert surprises(tier, list(kinds())) == []


def test_a_signaling_nan_is_a_wrong_answer_wherever_it_lies(tier):
    programs = [kin for kin in answers() if kin.kind.startswith("Decimal('sNaN')")]
    assert len(programs) > 20
    assert surprises(tier, programs) == []
