"""Answers made to order: every generated prompt can be followed, and failed by a hair, by the real checkers."""

import re

import pytest
from evalkit.errors import UsageError
from evalkit.tasks import Completion, Context, Sample
from evalkit.tasks.ruifeval import ruifeval_mini
from evalkit.tasks.ruifeval.fixes import ALL_FIXES, NO_FIXES
from evalkit.tasks.ruifeval.generator.answers import satisfying_answer, violating_answer
from evalkit.tasks.ruifeval.generator.prompts import generate_samples
from evalkit.tasks.ruifeval.generator.wording import SPLITS, load
from evalkit.tasks.ruifeval.instructions import INSTRUCTIONS, check
from evalkit.tasks.ruifeval.text import Text


def verdicts(sample, answer, fixes=NO_FIXES):
    text = Text(answer)
    return [check(one["id"], one["kwargs"], text, fixes) for one in sample.metadata["instructions"]]


def samples(split, seed, count=700, types=None):
    return generate_samples(count, split=split, seed=seed, types=types)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("split", SPLITS)
def test_every_prompt_can_be_followed_and_each_instruction_failed_alone(split, seed):
    for sample in samples(split, seed):
        answer = satisfying_answer(sample)
        for fixes in (NO_FIXES, ALL_FIXES):
            assert all(verdict.followed for verdict in verdicts(sample, answer, fixes)), (sample, answer)
        for index in range(len(sample.metadata["instructions"])):
            answer = violating_answer(sample, index)
            followed = [verdict.followed for verdict in verdicts(sample, answer)]
            assert followed == [place != index for place in range(len(followed))], (sample, answer)


@pytest.mark.parametrize("id", INSTRUCTIONS)
def test_every_type_alone(id):
    for sample in samples("test", 4, count=40, types=[id]):
        assert verdicts(sample, satisfying_answer(sample))[0].followed
        verdict = verdicts(sample, violating_answer(sample, 0))[0]
        assert not verdict.followed
        assert verdict.reason


def test_the_shipped_prompts_score_full_and_less_than_full_marks():
    for sample in ruifeval_mini.samples(split="test", limit=None, seed=0):
        full = ruifeval_mini.score(sample, Completion(satisfying_answer(sample)), Context())
        assert full.value == 1.0
        count = len(sample.metadata["instructions"])
        missed = ruifeval_mini.score(sample, Completion(violating_answer(sample, 0)), Context())
        assert missed.value == pytest.approx((count - 1) / count)


@pytest.mark.parametrize(
    ("id", "bound", "count"),
    [
        ("length_constraints:number_words", "num_words", lambda text: text.word_count),
        ("length_constraints:number_sentences", "num_sentences", lambda text: text.sentence_count(NO_FIXES)),
        ("change_case:capital_word_frequency", "capital_frequency", lambda text: text.capital_words),
    ],
)
def test_counts_lie_on_either_side_of_the_bound(id, bound, count):
    for sample in samples("train", 5, count=60, types=[id]):
        wanted = sample.metadata["instructions"][0]["kwargs"][bound]
        found = {count(Text(satisfying_answer(sample))), count(Text(violating_answer(sample, 0)))}
        assert found == {wanted, wanted - 1}


def test_the_same_prompt_has_the_same_answer():
    sample = next(iter(samples("train", 6)))
    assert satisfying_answer(sample) == satisfying_answer(sample)


def test_what_cannot_be_answered_says_so():
    sample = Sample.ask("1", "?", instructions=[{"id": "punctuation:no_comma", "kwargs": {}}])
    for index in (-1, 1):
        with pytest.raises(IndexError, match="has 1"):
            violating_answer(sample, index)
    kannada = {"id": "language:response_language", "kwargs": {"language": "kn"}}
    with pytest.raises(UsageError, match="language 'kn'"):
        satisfying_answer(Sample.ask("2", "?", instructions=[kannada]))
    letter = {"let_relation": "less than", "letter": "о", "let_frequency": 3}
    vowels = [{"id": "keywords:letter_frequency", "kwargs": {**letter, "letter": "о"}}]
    words = [
        {"id": "keywords:forbidden_words", "kwargs": {"forbidden_words": ["быть", "а", "е", "и", "о", "я", "у"]}}
    ]
    with pytest.raises(UsageError, match="rules out every clause"):
        satisfying_answer(Sample.ask("3", "?", instructions=[*vowels, *words]))


def test_clauses_keep_their_promises():
    for language, texts in load("answers.yaml").items():
        assert len(texts["clauses"]) >= 5
        for clause in texts["clauses"]:
            assert "," not in clause
            assert " " in clause
            if language == "ru":
                assert clause == clause.lower()
                assert len(clause.split()[0]) > 1
                assert len(clause.split()) <= 6
                assert re.search("[ыэё]", clause)
    asked = {
        code
        for split in SPLITS
        for code in load("parameters.yaml")[split]["language:response_language"]["languages"]
    }
    assert asked < set(load("answers.yaml"))
