"""The rows of a run: what is written comes back, and what no run writes is refused by name."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.errors import InputError
from evalkit.evals.records.rows import SampleRow, ScoredCandidate, decode, encode, read_rows
from evalkit.tasks.types import APPARATUS_FAILURES, Completion, Message, Score, Status, Usage
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**53)
SECONDS = st.floats(0, 1e9)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
MEASURED = st.sampled_from([one for one in Status if one not in APPARATUS_FAILURES])
UNMEASURED = st.sampled_from([one for one in Status if one is not Status.OK])
SCORES = st.builds(Score, st.floats(0, 1), MEASURED, OBJECTS, TEXTS) | st.builds(
    Score, st.none(), UNMEASURED, OBJECTS, TEXTS
)
USAGES = st.builds(Usage, st.none() | COUNTS, st.none() | COUNTS)
LIKELIHOODS = st.tuples(st.floats(-1e9, 0) | st.just(-math.inf), st.booleans())
COMPLETIONS = st.builds(
    Completion,
    text=TEXTS,
    reasoning=st.none() | TEXTS,
    finish_reason=st.none() | TEXTS,
    usage=USAGES,
    latency=st.none() | SECONDS,
    turns=st.lists(TEXTS, max_size=3).map(tuple),
    loglikelihoods=st.lists(LIKELIHOODS, max_size=3).map(tuple),
)
DRAFTS = st.builds(
    ScoredCandidate,
    st.builds(Completion, TEXTS, st.none() | TEXTS, st.none() | TEXTS, USAGES),
    SCORES,
    st.none() | TEXTS,
)
SHARES = st.none() | st.floats(0, 1)
SPOKEN = st.fixed_dictionaries(
    {"letters": COUNTS, "cyrillic_share": SHARES, "foreign_share": SHARES, "language": st.none() | TEXTS}
)


@st.composite
def sample_rows(draw: st.DrawFn) -> SampleRow:
    """Rows that a run can write."""
    candidates = tuple(draw(st.lists(DRAFTS, max_size=3)))
    return SampleRow(
        task=draw(TEXTS),
        id=draw(TEXTS),
        epoch=draw(COUNTS),
        score=draw(SCORES),
        messages=tuple(draw(st.lists(st.builds(Message, st.sampled_from(["system", "user"]), TEXTS), max_size=3))),
        continuations=tuple(draw(st.lists(st.tuples(TEXTS, TEXTS), max_size=2))),
        target=draw(JSON),
        sampling=draw(OBJECTS),
        completion=draw(st.none() | COMPLETIONS),
        answer=draw(st.none() | TEXTS),
        language=draw(st.none() | st.fixed_dictionaries({"answer": SPOKEN, "reasoning": st.none() | SPOKEN})),
        scored_s=draw(SECONDS),
        metadata=draw(OBJECTS),
        chosen=draw(st.none() | st.integers(0, len(candidates) - 1)) if candidates else None,
        candidates=candidates,
    )


def read(line: bytes) -> SampleRow:
    return decode(orjson.loads(line), source="samples.jsonl", line=7)


@given(row=sample_rows())
def test_a_row_comes_back_as_it_was_written(row: SampleRow) -> None:
    assert read(encode(row)) == row
    assert encode(read(encode(row))) == encode(row)


@pytest.mark.parametrize("name", ["plain", "judged"])
def test_lines_of_older_runs_are_written_back_byte_for_byte(name: str) -> None:
    path = Path(__file__).parents[2] / "data" / "old-runs" / name / "samples.jsonl"
    assert b"".join(map(encode, read_rows(path.parent))) == path.read_bytes()


def test_a_lone_surrogate_is_written_as_the_mark_for_it() -> None:
    row = SampleRow("t", "1", 0, Score(1.0), completion=Completion("a\ud800b"))
    assert read(encode(row)).completion == replace(Completion("a�b"))


def test_lines_of_the_first_days_have_less() -> None:
    data = written()
    for name in ("continuations", "target", "sampling", "answer", "language", "chosen", "candidates"):
        del data[name]
    del data["completion"]["loglikelihoods"]
    row = decode(data, source="samples.jsonl", line=1)
    assert (row.continuations, row.target, row.sampling, row.answer, row.language) == ((), None, {}, None, None)
    assert row.candidates == ()
    assert row.completion is not None
    assert row.completion.loglikelihoods == ()


def written() -> dict[str, Any]:
    """A line in which every field says something, as JSON."""
    row = SampleRow(
        "t", "1", 2, Score(0.5, Status.OK, {"part": 1}, "почему"),
        messages=(Message("user", "вопрос"),),
        continuations=(("начало", "конец"),),
        target="ответ",
        sampling={"max_tokens": 8},
        completion=Completion("текст", "мысль", "stop", Usage(3, 4), 0.25, ("раз", "текст"), ((-1.5, True),)),
        answer="4",
        language={"answer": {"letters": 4, "cyrillic_share": 1.0, "foreign_share": 0.0, "language": "ru"}},
        scored_s=0.1,
        metadata={"kind": "a"},
        chosen=0,
        candidates=(ScoredCandidate(Completion("черновик", None, "stop", Usage(1, 2)), Score(1.0), "4"),),
    )  # fmt: skip
    data: dict[str, Any] = orjson.loads(encode(row))
    return data


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything within a JSON value, but for what lies within free fields."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        yield (*path, name)
        if name not in ("parts", "metadata", "sampling", "target"):
            yield from places(value, (*path, name))


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


WRONG: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "true": lambda: True,
    "a number": lambda: 7,
    "a negative number": lambda: -1,
    "a fraction": lambda: 0.25,
    "NaN": lambda: math.nan,
    "infinity": lambda: math.inf,
    "a huge number": lambda: 10**400,
    "a text": lambda: "вздор",
    "half a character": lambda: "\ud800",
    "a list": list,
    "a list in place of an object": lambda: [["a", 1]],
    "an object": dict,
    "an object of others": lambda: {"a": None},
    "deep nesting": lambda: deep(100_000),
}
PLACES = list(places(written()))


def put(data: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        data = data[step]
    data[path[-1]] = value


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_damage_anywhere_is_refused_by_file_line_and_field_or_read(path: tuple[Any, ...]) -> None:
    """Whatever stands in a field: it is a row whose fields are what they say, or an error for people."""
    for make in WRONG.values():
        data = written()
        put(data, path, make())
        refused_or_sound(data)
    data = written()
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    refused_or_sound(data)


def test_there_are_enough_kinds_of_damage() -> None:
    assert len(PLACES) > 40
    assert len(PLACES) * len(WRONG) > 600


def refused_or_sound(data: Any) -> None:
    try:
        row = decode(data, source="samples.jsonl", line=7)
    except InputError as error:
        assert str(error).startswith("samples.jsonl:7: ")
        assert len(str(error)) < 300
        return
    assert isinstance(row.task, str)
    assert isinstance(row.id, str)
    assert row.epoch >= 0
    assert row.score.value is None or 0 <= row.score.value <= 1
    assert all(isinstance(message.content, str) for message in row.messages)
    assert row.latency is None or 0 <= row.latency < math.inf
    for usage in (row.usage, *(one.completion.usage for one in row.candidates)):
        if usage is not None:
            assert usage.completion_tokens is None or usage.completion_tokens >= 0
    assert row.chosen is None or row.candidates[row.chosen]


@given(path=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_is_refused_or_read(path: tuple[Any, ...], value: Any) -> None:
    data = written()
    put(data, path, copy.deepcopy(value))
    refused_or_sound(data)


@pytest.mark.parametrize("data", [None, [], "вздор", 5, [{"task": "t"}], {}])
def test_what_is_no_object_or_empty_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match=r"samples\.jsonl:7: "):
        decode(data, source="samples.jsonl", line=7)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("epoch",), -1, r"field 'epoch': expected a whole number from 0 on, found -1"),
        (("epoch",), True, r"field 'epoch'.*found True"),
        (("score", "status"), "splendid", r"field 'score.status': expected a status, found 'splendid'"),
        (("score", "value"), 1.5, r"field 'score.value': expected a number in \[0, 1\] or null, found 1.5"),
        (("score", "value"), math.nan, r"field 'score.value'"),
        (("score", "value"), True, r"field 'score.value'.*found True"),
        (("score", "value"), None, r"field 'score': a score without a value needs a status other than 'ok'"),
        (("usage", "completion_tokens"), -4, r"field 'usage.completion_tokens'"),
        (("timing", "latency"), math.inf, r"field 'timing.latency': expected seconds or null"),
        (("messages", 0, "content"), ["a"], r"field 'messages.content': expected a text, found a list"),
        (("candidates", 0, "score", "value"), 2, r"field 'candidates.score.value'"),
        (("chosen",), 3, r"field 'chosen': expected the number of one of the candidates, found 3"),
        (("language", "answer", "letters"), "many", r"field 'language.letters'"),
        (("completion", "loglikelihoods", 0), [1.0], r"field 'completion.loglikelihoods'"),
    ],
)
def test_the_message_names_the_field(path: tuple[Any, ...], value: Any, message: str) -> None:
    data = written()
    put(data, path, value)
    with pytest.raises(InputError, match=rf"samples\.jsonl:7: {message}"):
        decode(data, source="samples.jsonl", line=7)


@pytest.mark.parametrize(
    "line",
    [b'{"task": NaN}', b'{"task": "\\ud800"}', b"[" * 100_000 + b"]" * 100_000, b'{"task": "t"', b"\xff\xfe", b""],
)
def test_a_line_that_is_no_json_is_refused(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(encode(SampleRow("t", "1", 0, Score(1.0))) + line + b"\n")
    with pytest.raises(InputError, match=r"samples\.jsonl:2: not valid JSON"):
        list(read_rows(tmp_path))
