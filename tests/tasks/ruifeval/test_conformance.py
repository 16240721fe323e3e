"""The published reference's verdicts: on Gemini's answers and on thousands of altered ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.tasks.records import read_records
from evalkit.tasks.ruifeval import ruifeval, ruifeval_fixed
from evalkit.tasks.ruifeval.defects import defects, form_of, repaired
from evalkit.tasks.ruifeval.fixes import ALL_FIXES, NO_FIXES, Fix
from evalkit.tasks.ruifeval.task import RuIFEval
from evalkit.tasks.types import Completion, Context
from scipy.stats import binom

pytestmark = [pytest.mark.conformance, pytest.mark.shared]

PROMPTS = "ruIFEval_v0.1.jsonl"
ANSWERS = "response_gemini_pro_v0.1.jsonl"

# The reference identifies languages with a fastText model, evalkit with scripts and langdetect.
LANGUAGE_IDS = {"change_case:english_capital", "change_case:english_lowercase", "language:response_language"}
# Key 2309 answers in Swahili, as it should; the reference takes it for English (confidence 0.25).
GEMINI_DIFFERENCES = {(2309, "language:response_language")}
# The share of answers in two languages, in Ukrainian or of one repeated word that the two judge differently.
DIFFERING_SHARE = 0.3


@pytest.fixture(scope="module")
def published(datasets: Path) -> Path:
    return datasets / "ruifeval"


@pytest.fixture(scope="module")
def samples(published):
    return {sample.metadata["key"]: sample for sample in ruifeval.read(published / PROMPTS)}


@pytest.fixture(scope="module")
def answers(published, samples):
    by_prompt = {sample.prompt: key for key, sample in samples.items()}
    return {by_prompt[row["prompt"]]: row["response"] for row in read_records(published / ANSWERS)}


def score(task, sample, answer):
    return task.score(sample, Completion(answer), Context())


def means(task, samples, answers):
    """Each metric of a task: the sum and the number of its observations."""
    scores = [score(task, samples[key], answers[key]) for key in samples]
    observed = {
        metric.name: [item.value for one in scores for item in metric.observe(one)] for metric in task.metrics
    }
    return {name: (int(sum(values)), len(values)) for name, values in observed.items()}


def test_the_published_prompts_are_read_whole(samples):
    assert len(samples) == 541
    assert sum(len(sample.metadata["instructions"]) for sample in samples.values()) == 834


def test_geminis_headline_numbers(samples, answers):
    """The published counts are 285, 302, 532 and 557; the one verdict that differs (above) adds 1 to each."""
    assert means(ruifeval, samples, answers) == {
        "prompt_strict": (285 + 1, 541),
        "prompt_loose": (302 + 1, 541),
        "instruction_strict": (532 + 1, 834),
        "instruction_loose": (557 + 1, 834),
    }


def test_every_gemini_verdict(samples, answers, vector_file):
    differing = set()
    for row in read_records(vector_file("ruifeval/gemini_verdicts.jsonl")):
        for part, strict, loose in parts_beside(row, samples, answers[row["key"]]):
            if (part["strict"], part["loose"]) != (strict, loose):
                differing.add((row["key"], part["id"]))
    assert differing <= GEMINI_DIFFERENCES


def test_every_altered_answer(samples, vector_file):
    differing, identified = [], []
    for row in read_records(vector_file("ruifeval/mutations.jsonl")):
        if row["strict"] is None:
            continue
        for part, strict, loose in parts_beside(row, samples, row["response"]):
            equal = (part["strict"], part["loose"]) == (strict, loose)
            # Without letters there is nothing to identify, and the rule alone decides.
            sensitive = row.get("lid_sensitive") and any(map(str.isalpha, row["response"]))
            if sensitive and part["id"] in LANGUAGE_IDS:
                identified.append(equal)
            elif not equal:
                differing.append((row["key"], row["mutation"], part["id"]))
    assert differing == []
    # More would come about by chance once in a thousand folders of this size.
    assert identified.count(False) <= binom.isf(0.001, len(identified), DIFFERING_SHARE)


def test_answers_that_crash_the_reference_are_scored(samples, vector_file):
    mutations = read_records(vector_file("ruifeval/mutations.jsonl"))
    crashing = [row for row in mutations if row["strict"] is None]
    if not crashing:
        pytest.skip("the reference crashes on none of these answers")
    for row in crashing:
        parts = score(ruifeval, samples[row["key"]], row["response"]).parts["instructions"]
        judged = [part for part in parts if part["id"] == "detectable_format:json_format"]
        assert [(part["strict"], part["loose"]) for part in judged] == [(False, False)]


def parts_beside(row, samples, answer):
    parts = score(ruifeval, samples[row["key"]], answer).parts["instructions"]
    assert [part["id"] for part in parts] == row["instruction_id_list"]
    return zip(parts, row["strict"], row["loose"], strict=True)


def test_the_defective_prompts_are_those_of_the_table(samples):
    assert len(defects()) == 34
    for defect in defects():
        assert form_of(samples[defect.key]) == defect.form
        assert 0 <= defect.position < len(samples[defect.key].metadata["instructions"])


def test_repaired_prompts_ask_for_what_they_say(samples, published):
    fixed = {sample.metadata["key"]: sample for sample in ruifeval_fixed.read(published / PROMPTS)}
    assert list(fixed) == list(samples)
    touched = {key for key in samples if fixed[key] != samples[key]}
    assert touched == {defect.key for defect in defects() if defect.switch is None}
    for key in touched:
        for instruction in fixed[key].metadata["instructions"]:
            for argument in ("end_phrase", "prompt_to_repeat"):
                assert instruction["kwargs"].get(argument, "") in samples[key].prompt
    assert {key for key in touched if not fixed[key].metadata["instructions"]} == {209, 2078}


def test_only_the_defective_form_of_a_prompt_is_touched(samples, tmp_path):
    altered = json.loads(json.dumps(samples[337].metadata["instructions"]))
    altered[0]["kwargs"]["num_words"] = 335
    sample = type(samples[337]).ask("337", samples[337].prompt, key=337, instructions=altered)
    assert repaired(sample, ALL_FIXES) is sample
    assert repaired(samples[337], NO_FIXES) is samples[337]


@pytest.mark.parametrize("fix", Fix)
def test_each_switch_moves_geminis_numbers_by_little(fix, samples, answers):
    switched = RuIFEval("one-switch", "", fixes=frozenset({fix}))
    repaired_samples = {key: repaired(sample, switched.fixes) for key, sample in samples.items()}
    moved = means(switched, repaired_samples, answers)
    assert abs(moved["instruction_strict"][0] - 532) <= 20
    assert moved["prompt_strict"][1] == (539 if fix is Fix.PROMPT_DEFECTS else 541)
