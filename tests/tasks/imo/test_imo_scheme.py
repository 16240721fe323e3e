"""Marking schemes: what the validator lets through, what a hash covers, what graders read; rubrics and dropout."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import evalkit.tasks.rubrics as rubrics
import pytest
from evalkit.errors import InputError
from evalkit.tasks.imo import imo, imo_mini
from evalkit.tasks.imo.loader import problem_of
from evalkit.tasks.imo.scheme import FULL, MarkingScheme, SchemeError, read_scheme
from evalkit.tasks.rubrics import PROOF, Criterion, Importance, drop_criteria, rubric_reward
from hypothesis import given, settings
from hypothesis import strategies as st

OWN = list(imo_mini.samples(split="test", limit=None, seed=0))
PLAIN = {
    "checkpoints": [
        {"id": "1", "points": 3, "text": "Пример."},
        {"id": "2", "points": 4, "text": "Оценка.", "group": "оценка"},
        {"id": "3", "points": 1, "text": "Слабая оценка.", "group": "оценка"},
    ],
    "zero_credit": ["Ответ без решения."],
    "deductions": [{"id": "а", "text": "Пробел.", "minus": 1}, {"id": "б", "text": "Не то доказано.", "cap": 5}],
}


def changed(**fields: object) -> dict:
    return {**copy.deepcopy(PLAIN), **fields}


def test_of_a_group_only_the_best_counts_and_paths_are_never_added_up():
    assert read_scheme(PLAIN).most(None) == FULL
    two = read_scheme(
        {
            "checkpoints": [
                {"id": "0", "points": 1, "text": "Общее."},
                {"id": "1", "points": 6, "text": "Первый путь.", "path": "первый"},
                {"id": "2", "points": 4, "text": "Второй путь.", "path": "второй"},
            ]
        }
    )
    assert two.paths == ("первый", "второй")
    assert [two.most(path) for path in two.paths] == [7, 5]


@pytest.mark.parametrize(
    ("points", "message"),
    [((3, 5, 1), "can earn 8 points"), ((3, 3, 1), "must earn 7"), ((1, 1, 1), "more than 2")],
)
def test_no_path_exceeds_seven_and_one_reaches_it(points, message):
    scheme = copy.deepcopy(PLAIN)
    for checkpoint, worth in zip(scheme["checkpoints"], points, strict=True):
        checkpoint["points"] = worth
    with pytest.raises(SchemeError, match=message):
        read_scheme(scheme)


def test_one_path_of_several_may_fall_short_but_none_may_exceed():
    path = [{"id": str(n), "points": n, "text": "Шаг.", "path": f"путь {n}"} for n in (7, 2)]
    assert read_scheme({"checkpoints": path}).most("путь 2") == 2
    with pytest.raises(SchemeError, match="путь 2"):
        read_scheme({"checkpoints": [*path, {"id": "и", "points": 6, "text": "Ещё.", "path": "путь 2"}]})


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (None, "expected an object"),
        ({}, "checkpoints"),
        (changed(bonus=1), "unknown 'bonus'"),
        (changed(checkpoints=[{"id": "1", "points": 8, "text": "x"}]), "from 1 to 7"),
        (changed(checkpoints=[{"id": "1", "points": True, "text": "x"}]), "whole number"),
        (changed(checkpoints=[{"id": "1", "points": 7, "text": " "}]), "non-empty"),
        (changed(checkpoints=[{"id": "а", "points": 7, "text": "x"}]), "used twice"),
        (changed(zero_credit=[1]), r"zero_credit\[0\]"),
        (changed(deductions=[{"id": "а", "text": "x"}]), "either 'minus' or 'cap'"),
        (changed(deductions=[{"id": "а", "text": "x", "cap": 7}]), "from 0 to 6"),
        (changed(wrong_answer_cap=7), "wrong_answer_cap"),
        (changed(sha256="0" * 64), "has changed since it was frozen"),
    ],
)
def test_what_is_wrong_with_a_scheme_is_named(scheme, message):
    with pytest.raises(SchemeError, match=message):
        read_scheme(scheme)


def test_the_hash_covers_every_word_and_no_spelling_of_the_file():
    scheme = read_scheme(PLAIN)
    assert read_scheme(json.loads(json.dumps(PLAIN, sort_keys=True))).sha256 == scheme.sha256
    assert read_scheme(changed(sha256=scheme.sha256)) == scheme
    for edited in (
        changed(zero_credit=[]),
        changed(wrong_answer_cap=2),
        changed(checkpoints=[*PLAIN["checkpoints"][:2], {**PLAIN["checkpoints"][2], "text": "Слабая оценка"}]),
    ):
        assert read_scheme(edited).sha256 != scheme.sha256


@st.composite
def schemes(draw):
    """Schemes that may be right or wrong, with paths and groups."""
    names = st.sampled_from([None, "a", "b"])
    return [
        {"id": str(n), "points": draw(st.integers(1, 7)), "text": "Шаг."}
        | ({"path": path} if (path := draw(names)) else {})
        | ({"group": group} if (group := draw(names)) else {})
        for n in range(draw(st.integers(1, 6)))
    ]


@given(schemes(), st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_what_passes_the_validator_can_never_be_worth_more_than_seven(checkpoints, seed):
    try:
        scheme = read_scheme({"checkpoints": checkpoints})
    except SchemeError:
        return
    chance = random.Random(seed)
    reached = [point for point in scheme.checkpoints if chance.random() < 0.7]
    worth = [MarkingScheme(tuple(reached)).most(path) for path in scheme.paths] if reached else [0]
    assert max(worth) <= FULL
    assert max(scheme.most(path) for path in scheme.paths) == FULL
    assert read_scheme(scheme.as_json()) == scheme


def test_graders_read_all_of_a_scheme_in_its_own_language():
    text = read_scheme(PLAIN).as_text()
    for words in ("Пример.", "Слабая оценка.", "Ответ без решения.", "минус 1: Пробел.", "не больше 5 из 7"):
        assert words in text
    english = read_scheme({"checkpoints": [{"id": "1", "points": 7, "text": "All of it.", "path": "only"}]})
    assert english.as_text().startswith("What earns points:")


def test_the_own_problems_are_whole():
    assert len(OWN) == 6
    for sample in OWN:
        problem = problem_of(sample)
        assert isinstance(problem.scheme, MarkingScheme)
        assert problem.solution
        assert problem.scheme.deductions
        assert problem.scheme.zero_credit
    assert sum(problem_of(sample).answer is not None for sample in OWN) == 4
    records = [json.loads(line) for line in (Path(imo_mini_file())).read_text("utf-8").splitlines()]
    assert all(record["scheme"]["sha256"] == read_scheme(record["scheme"]).sha256 for record in records)


def imo_mini_file() -> Path:
    from evalkit.tasks.imo.task import OWN_PROBLEMS

    return OWN_PROBLEMS


def test_an_edited_scheme_is_refused_with_its_line(tmp_path):
    lines = imo_mini_file().read_text("utf-8").splitlines()
    path = tmp_path / "problems.jsonl"
    path.write_text("\n".join([lines[0], lines[1].replace("отношения", "частные")]), "utf-8")
    with pytest.raises(InputError, match=r"problems\.jsonl:2: field 'sha256'"):
        list(imo.read(path))


# Rubrics


def test_weights_are_those_of_the_paper_and_pitfalls_subtract():
    assert {kind.value: rubrics.WEIGHTS[kind] for kind in Importance} == {
        "essential": 1.0, "important": 0.7, "optional": 0.3, "pitfall": 0.9,
    }  # fmt: skip
    rubric = [Criterion(kind.value, kind) for kind in Importance]
    all_met = dict.fromkeys(("essential", "important", "optional"), 1.0)
    assert rubric_reward(rubric, {**all_met, "pitfall": 0.0}) == 1.0
    assert rubric_reward(rubric, {**all_met, "pitfall": 1.0}) == pytest.approx(1.1 / 2.0)
    assert rubric_reward(rubric, {"essential": 1.0, "important": 0.0, "optional": 0.0}) == 0.5
    assert rubric_reward(rubric, {"essential": 0.0, "pitfall": 1.0}) == 0.0


def test_what_could_not_be_judged_is_no_reward():
    assert rubric_reward(PROOF, {"correctness": 1.0, "rigour": None}) is None
    with pytest.raises(ValueError, match="not a pitfall"):
        rubric_reward([Criterion("p", Importance.PITFALL)], {"p": 1.0})
    with pytest.raises(ValueError, match="outside"):
        rubric_reward(PROOF, {"correctness": 90.0})


@given(
    st.integers(1, 30),
    st.floats(0, 0.99),
    st.text(max_size=10),
    st.integers(0, 1000),
    st.lists(st.sampled_from(list(Importance)), min_size=30, max_size=30),
)
@settings(max_examples=200, deadline=None)
def test_dropout_keeps_what_the_formula_says_and_is_the_same_for_a_group(size, fraction, example, step, kinds):
    rubric = [Criterion(str(n), kind) for n, kind in enumerate(kinds[:size])]
    kept = drop_criteria(rubric, fraction=fraction, example=example, step=step)
    assert len(kept) == min(size, max(3, size - int(fraction * size)))
    assert kept == drop_criteria(rubric, fraction=fraction, example=example, step=step)
    assert list(kept) == [criterion for criterion in rubric if criterion in kept]
    if any(criterion.importance is not Importance.PITFALL for criterion in rubric):
        assert any(criterion.importance is not Importance.PITFALL for criterion in kept)


def test_dropout_changes_with_step_example_and_seed():
    def kept(**about: object) -> tuple:
        return drop_criteria(PROOF, **{"fraction": 0.5, "example": "a", "step": 1, "seed": 0, **about})

    for about in ("step", "seed"):
        assert len({kept(**{about: number}) for number in range(40)}) > 5
    assert len({kept(example=str(number)) for number in range(40)}) > 5
    times = [sum(PROOF[index] in kept(step=step) for step in range(600)) for index in range(len(PROOF))]
    assert all(240 < count < 360 for count in times)
    with pytest.raises(ValueError, match="fraction"):
        kept(fraction=1.0)
