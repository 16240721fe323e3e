"""``evalkit judge passport``: grade the probes with a judge, and write the measurements."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....errors import InputError
from ....files import write_lines
from ....judges.cache import VerdictCache
from ....judges.forms import LANGUAGES, load_form
from ....judges.open import open_judge_of
from ....judges.pairwise import fields_of, form_name
from ....judges.spec import JudgeSpec
from ....tasks.records import read_records
from ....tasks.types import Judge, Judgement
from ...costs.prices import Price
from ...judging.families import family_of
from ...judging.forecast import PlannedGrading, forecast_of_gradings
from ...judging.opening import GradingModel
from ...judging.probes import probes_sha256
from ...models.base import Model
from ...records.manifest import now
from ..pairwise.battles import raise_if_fatal
from .document import Passport, identity_sha256, judge_identity, write_passport
from .gradings import PAIR, RATING, grade_all, plan_gradings
from .labelled import CORRECT_FROM, LabelledSet, agreement
from .measurements import Measurement, measure_judge

CONCURRENCY = 64


def planned_gradings(
    *,
    languages: Sequence[str] = LANGUAGES,
    family: str | None = None,
    labelled: LabelledSet | None = None,
    form: str = RATING,
) -> list[PlannedGrading]:
    """Return what the judge will be asked, for a forecast of calls and money."""
    gradings, comparisons = plan_gradings(languages, family)
    blanks = load_form(form, languages[0]).blanks
    return [
        *((RATING, {"question": one.question, "answer": one.answer}) for one in gradings),
        *(
            (form_name(one.contest), fields_of(one.contest, swapped=swapped))
            for one in comparisons
            for swapped in (False, True)
        ),
        *((form, answer.fields(blanks)) for answer in (labelled.answers if labelled else ())),
    ]


async def make_passport(
    models: Sequence[Model],
    output: Path,
    *,
    judge: JudgeSpec | None = None,
    languages: Sequence[str] = LANGUAGES,
    seed: int = 0,
    family: str | None = None,
    labelled: LabelledSet | None = None,
    form: str = RATING,
    correct_from: float = CORRECT_FROM,
    concurrency: int = CONCURRENCY,
    prices: Mapping[str, Price | None] | None = None,
    notify: Callable[[str], None] = lambda line: None,
) -> Passport:
    """Measure the judge of one model, or the jury of several, and write its passport.

    All answers of the models are saved in ``OUTPUT.verdicts.jsonl`` at once: the same call resumes where it
    stopped. The verdicts on a labelled set are kept in ``OUTPUT.labelled.jsonl``.

    Args:
        models: open models.
        output: the passport's file.
        judge: how they judge, but for the language.
        languages: of the forms: the first is the judge's own, the second is compared with it.
        seed: of the judge.
        family: of the judge; by default that of its name, if it is known.
        labelled: answers with labels.
        form: by which those are graded.
        correct_from: from which share of that form's scale on a verdict says "correct".
        concurrency: how many gradings are under way at a time.
        prices: by the names of the models; where one is unknown, no cost is given.
        notify: called with the forecast before the first request.

    Raises:
        UsageError: an unknown form or language.
        ModelError: a model is unavailable; answers so far are saved.
        RunError: a file cannot be written.
    """
    with contextlib.closing(VerdictCache(output.with_suffix(".verdicts.jsonl"))) as cache:
        judges = {
            language: open_judge_of(
                (judge or JudgeSpec()).model_copy(update={"language": language}),
                [GradingModel(model) for model in models],
                cache=cache,
                seed=seed,
            )
            for language in languages
        }
        known = family or (family_of(models[0].name) if len(models) == 1 else None)
        planned = planned_gradings(languages=languages, family=known, labelled=labelled, form=form)
        notify(forecast_of_gradings(judges[languages[0]], planned, prices or {}))
        passport, values = await measure_passport(
            judges, family=known, labelled=labelled, form=form, correct_from=correct_from, concurrency=concurrency
        )
    write_passport(output, passport)
    if labelled is not None:
        write_verdicts(output.with_suffix(".labelled.jsonl"), labelled, values)
    return passport


async def measure_passport(
    judges: Mapping[str, Judge],
    *,
    family: str | None = None,
    labelled: LabelledSet | None = None,
    form: str = RATING,
    correct_from: float = CORRECT_FROM,
    concurrency: int = CONCURRENCY,
) -> tuple[Passport, list[Judgement]]:
    """Measure any judge, given in one language or two (the first is its own).

    Returns:
        The passport, and the judgements on the labelled answers.

    Raises:
        UsageError: an unknown form, or one that labelled answers cannot fill in.
        ModelError: the judge's model is unavailable.
    """
    languages = tuple(judges)
    main = judges[languages[0]]
    gradings, comparisons = plan_gradings(languages, family)
    asked_by = load_form(form, languages[0])
    if labelled is not None:
        labelled.answers[0].fields(asked_by.blanks)
    graded = await grade_all(judges, gradings, comparisons, concurrency=concurrency)
    judgements = [] if labelled is None else await _grade_labelled(main, labelled, form, languages[0], concurrency)
    forms, found = {RATING, PAIR}, tuple[Measurement, ...]()
    if labelled is not None:
        forms.add(form)
        low, high = asked_by.scale
        values = [one.value for one in judgements]
        found = agreement(labelled, values, (low, high), family=family, correct_from=correct_from)
    identity = judge_identity(main, forms)
    low, high = load_form(RATING, languages[0]).scale
    passport = Passport(
        main.name,
        identity,
        identity_sha256(identity),
        family,
        probes_sha256(),
        now(),
        measure_judge(graded, (float(low), float(high))),
        None if labelled is None else _described(labelled, form, correct_from),
        found,
        dict(sorted(Counter(one.status.value for _, one in graded.judgements).items())),
    )
    return passport, judgements


def write_verdicts(path: Path, labelled: LabelledSet, judgements: Sequence[Judgement]) -> None:
    """Write the verdicts on labelled answers, a line ``{"id", "value", "status"}`` each."""
    pairs = zip(labelled.answers, judgements, strict=True)
    write_lines(path, ({"id": one.id, "value": said.value, "status": said.status.value} for one, said in pairs))


def read_verdicts(path: Path, labelled: LabelledSet) -> list[float | None]:
    """Return stored verdicts in the order of the labelled answers; an answer without a line has None.

    Raises:
        InputError: a line cannot be used, or no line belongs to the labelled set.
    """
    found: dict[str, float | None] = {}
    for row in read_records(path):
        value = row.get("value")
        if "id" not in row or isinstance(value, bool) or not isinstance(value, int | float | None):
            raise row.error("expected {'id', 'value'}, the value a number or null")
        found[str(row["id"])] = None if value is None else float(value)
    if not any(answer.id in found for answer in labelled.answers):
        raise InputError(f"{path}: none of its verdicts is on an answer of {labelled.path}")
    return [found.get(answer.id) for answer in labelled.answers]


async def _grade_labelled(
    judge: Judge, labelled: LabelledSet, form: str, language: str, concurrency: int
) -> list[Judgement]:
    at_once = asyncio.Semaphore(concurrency)
    blanks = load_form(form, language).blanks

    async def grade(number: int) -> Judgement:
        async with at_once:
            return await judge.grade(form, labelled.answers[number].fields(blanks))

    judgements = await asyncio.gather(*(grade(number) for number in range(len(labelled.answers))))
    for judgement in judgements:
        raise_if_fatal(judge.name, judgement.details)
    return judgements


def _described(labelled: LabelledSet, form: str, correct_from: float) -> dict[str, Any]:
    return {
        "path": str(labelled.path),
        "sha256": labelled.sha256,
        "answers": len(labelled.answers),
        "form": form,
        "correct_from": correct_from,
    }
