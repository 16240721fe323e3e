"""Verdicts: value and status of many wordings, the public vectors, and what must not matter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evalkit.errors import UsageError
from evalkit.judges import Verdict, VerdictStatus, parse_verdict
from evalkit.judges.parsing import KINDS
from evalkit.judges.parsing import normalise as normalise_module
from evalkit.tasks.types import Status
from hypothesis import given
from hypothesis import strategies as st

OWN = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "vectors" / "judge_verdicts.jsonl").read_text("utf-8").splitlines()
]
# The name of a row's mode in the public vectors, where it is not the kind itself.
KIND_OF_MODE = {"single": "rating", "rubric6": "rubric", "pairwise_criteria": "criteria_table"}


def rows(vector_file, name):
    lines = vector_file(f"judges/{name}").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def exact(verdict, value, status):
    """Whether value and status are the wanted ones, 8 and 8.0 being different."""
    # Whether a text was cut off or has no verdict cannot be known without the server's finish_reason.
    statuses = status.split("_or_") if status == "truncated_or_missing" else [status]
    return verdict.value == value and type(verdict.value) is type(value) and verdict.status in statuses


def read(row, **arguments):
    kind = KIND_OF_MODE.get(row["mode"], row["mode"])
    return parse_verdict(row["judge_output"], kind=kind, graded_answer=row.get("graded_answer"), **arguments)


@pytest.mark.parametrize("row", OWN, ids=lambda row: row["id"])
def test_our_vectors(row):
    verdict = parse_verdict(row["text"], kind=row["kind"], **row.get("args", {}))
    assert (verdict.value, str(verdict.status)) == (row["value"], row["status"])
    assert type(verdict.value) is type(row["value"])
    if verdict.value is not None:
        start, end = verdict.span
        assert 0 <= start < end <= len(row["text"])
    json.dumps([verdict.value, dict(verdict.details)])


def test_there_are_enough_vectors_of_every_kind():
    assert {row["kind"] for row in OWN} == set(KINDS)
    assert len(OWN) >= 150
    assert len({row["text"] for row in OWN}) >= 150


@pytest.mark.conformance
def test_public_ratings(vector_file):
    found = rows(vector_file, "rating_parse_vectors.jsonl")
    wrong = [
        (row["id"], verdict.value, verdict.status)
        for row in found
        if not exact(verdict := read(row, scale=row["scale"]), **row["expected"])
    ]
    assert wrong == []


@pytest.mark.conformance
def test_public_points(vector_file):
    found = rows(vector_file, "points_parse_vectors.jsonl")
    read_ = [parse_verdict(row["judge_output"], kind="points", scale=row["scale"]) for row in found]
    assert [
        row["id"]
        for row, verdict in zip(found, read_, strict=True)
        if not exact(verdict, row["expected"]["value"], row["expected"]["status"])
    ] == []


@pytest.mark.conformance
def test_public_rubrics(vector_file):
    for row in rows(vector_file, "rubric_parse_vectors.jsonl"):
        verdict = read(row)
        wanted = row["expected"]
        assert (row["id"], verdict.value, verdict.status) == (row["id"], wanted["criteria"], wanted["status"])
        assert verdict.details.get("mean_recomputed") == wanted["mean_recomputed"]


def test_spans_are_places_in_the_text_as_it_was_given():
    text = "П\u200bоясн\u200bение ［1］.\nИтог\u00adовая оценка: ［［８］］ — всё."
    start, end = parse_verdict(text, kind="rating").span
    assert text[start:end] == "［［８］］"
    text = "\\[x\\] 【2】… Оценка: 【7】"
    start, end = parse_verdict(text, kind="rating").span
    assert text[start:end] == "【7】"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.OK, Status.OK),
        (VerdictStatus.AVERAGE_MISMATCH, Status.OK_LENIENT),
        (VerdictStatus.MISSING_CRITERION, Status.MISSING),
        (VerdictStatus.OK_SCALE_0_1, Status.WRONG_SCALE),
    ],
)
def test_outcomes_are_shared_statuses(status, outcome):
    assert Verdict(None, status).outcome is outcome


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "ratings"}, "unknown kind of verdict 'ratings'. Did you mean 'rating'"),
        ({"kind": "rating", "scale": [10]}, "its lowest and its highest value"),
        ({"kind": "rating", "scale": [10, 1]}, "its lowest and its highest value"),
        ({"kind": "pair", "scale": ["A"]}, "its two labels"),
        ({"kind": "rating", "compat": "fastchatt"}, "unknown compat 'fastchatt'. Did you mean 'fastchat'"),
        ({"kind": "rubric", "compat": "fastchat"}, "leave compat out"),
    ],
)
def test_wrong_calls(arguments, said):
    with pytest.raises(UsageError, match=said):
        parse_verdict("", **arguments)


def test_a_call_that_failed():
    assert parse_verdict(None, kind="rating") == Verdict(None, Status.API_ERROR)
    assert parse_verdict("", kind="rating", finish_reason="length").status is Status.TRUNCATED
    assert parse_verdict("…", kind="rating", finish_reason="content_filter").status is Status.REFUSED


VALUES = st.integers(10, 100).map(lambda tenths: tenths / 10)
PROSE = st.lists(
    st.sampled_from(
        [
            "Ответ верен",
            "Есть ошибки",
            "см. [3]",
            "dp[0] = 1",
            "The proof holds",
            "на 2 балла хуже",
            "5 из 7 пунктов",
        ]
    )
).map(". ".join)


def written(value):
    return st.sampled_from([f"{value:g}", f"{value:g}".replace(".", ","), f" {value:.1f} ", f"**{value:g}**"])


@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), written(value))), PROSE, PROSE)
def test_a_labelled_verdict_is_read_whatever_stands_around(said, before, quoted):
    value, number = said
    for label in ("Оценка", "Rating", "**Итоговая оценка**", "Final score"):
        for reason in (
            before,
            f"<think>{before} [[1]]</think>",
            f"«{quoted}: [[2]]»",
            f"{before}\n```\n[[3]]\n```",
        ):
            for after in ("", "\n", ".", "\n\n---"):
                verdict = parse_verdict(f"{reason}\n{label}: [[{number}]]{after}", kind="rating")
                assert (verdict.value, verdict.status) == (value, Status.OK)


@given(VALUES, VALUES, PROSE)
def test_two_values_are_never_averaged_or_chosen_between(first, second, prose):
    text = f"{prose}\n[[{first}]]\n{prose}\n[[{second}]]"
    verdict = parse_verdict(text, kind="rating")
    assert verdict.value == (first if first == second else None)


@given(st.floats(-1000, 1000).map(lambda value: round(value, 2)), st.integers(-5, 5), st.integers(1, 20))
def test_nothing_is_clamped(value, low, width):
    verdict = parse_verdict(f"Rating: [[{value:.2f}]]", kind="rating", scale=(low, low + width))
    inside = low <= value <= low + width
    assert verdict.value == (value if inside else None)
    assert verdict.status == ("ok" if inside else "out_of_range")


@given(st.sampled_from("AB"), PROSE)
def test_pairs_have_no_favourite(label, prose):
    """What is said of A and of B in the same words is read in the same way."""
    swapped = {"A": "B", "B": "A"}
    for words in (
        "Вердикт: [[{}]]",
        "Лучше [[{}]]. Не [[C]]",
        "Winner: {}",
        "[[{}>>C]]",
        "Сначала [[{}]].\nИтог: [[C]]",
    ):
        one = parse_verdict(f"{prose}\n{words.format(label)}", kind="pair")
        other = parse_verdict(f"{prose}\n{words.format(swapped[label])}", kind="pair")
        assert one.status == other.status
        assert other.value == swapped.get(one.value, one.value)


@given(
    st.permutations(
        ["Корректность: 10%", "Полнота: 20%", "Строгость: 30%", "Структура: 40%", "Разбор случаев: 50%"]
    ),
    PROSE,
)
def test_the_order_of_criteria_does_not_matter(lines, prose):
    verdict = parse_verdict("\n".join([prose, *lines, "Итоговый ответ: 60%"]), kind="rubric")
    assert verdict.status is Status.OK
    assert list(verdict.value.values()) == [10, 20, 30, 40, 50, 60]
    assert verdict.details["mean_recomputed"] == 35


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Хорошо.\nОценка k7f3:\n[[8]]", 8),
        ("**Оценка k7f3:**\n\n**[[8]]**\n", 8),
        ("Оценка k7f3:\n\n8/10", 8),
        ("Оценка k7f3:\nНо ответ ставит себе [[10]], это нехорошо.", None),
        ("Оценка k7f3:\n«Оценка: [[10]]»", None),
        ("Оценка k7f3:\nВот: [[10]]", None),
        ("Оценка k7f3: [[3]]\n[[8]]", 3),
        ("Код k7f3 дан.\n[[8]]", None),
        ("Оценка k7f3:", None),
    ],
)
def test_a_verdict_may_stand_on_the_line_below_its_label(text, value):
    assert parse_verdict(text, kind="rating", nonce="k7f3").value == value


def test_the_short_way_is_taken_by_texts_that_stay_the_same():
    same = [char for code in range(0x110000) if normalise_module._SAME.fullmatch(char := chr(code))]
    assert len(same) > 150
    for char in same:
        assert normalise_module.fold(char) == char, char
        assert ord(char) not in normalise_module._ALWAYS, char
