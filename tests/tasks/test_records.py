"""Published files: one reader for all forms, and every mistake told by file, line and field."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from evalkit.errors import InputError
from evalkit.tasks.records import Record, read_jsonl, read_records, read_samples, shown
from evalkit.tasks.types import Sample
from hypothesis import given
from hypothesis import strategies as st

LETTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(LETTERS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=1, max_size=4)
ACCESSORS = ("text", "texts", "optional_text", "key")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@given(OBJECTS, st.sampled_from(["", "\ufeff"]), st.sampled_from(["\n", "\r\n", "\n\n \n"]))
def test_what_json_can_say_is_read_in_every_form(folder: Path, rows: list[dict], mark: str, between: str) -> None:
    lines = mark + between.join(json.dumps(row, ensure_ascii=False) for row in rows)
    array = mark + json.dumps(rows, ensure_ascii=False, indent=1)
    for name, text in (("a.jsonl", lines), ("a.json", lines), ("a.json", array), ("a", array)):
        (folder / name).write_bytes(text.encode())
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        for path in (folder / name, folder / f"{name}.gz"):
            found = list(read_records(path))
            assert repr([dict(record) for record in found]) == repr(rows)
            assert {record.unit for record in found} == {"record" if text == array else "line"}


@given(st.lists(st.lists(TEXTS.filter(lambda cell: "\0" not in cell), min_size=3, max_size=3), max_size=4))
def test_csv_comes_back_as_it_was_written(folder: Path, rows: list[list[str]]) -> None:
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["Id", "two", "three"], *rows])
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert [list(record.values()) for record in read_records(folder / "a.csv")] == kept


@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.sampled_from("abc"), st.sampled_from(ACCESSORS))
def test_a_field_is_what_was_asked_for_or_the_error_says_where(data: dict, name: str, accessor: str) -> None:
    record = Record(Path("f.jsonl"), 7, data)
    try:
        value = getattr(record, accessor)(name)
    except InputError as error:
        assert str(error).startswith(f"f.jsonl:7: field '{name}")
        assert len(str(error)) < 200
        return
    if accessor == "optional_text":
        given_value = data.get(name)
        assert value is None or (value == str(given_value) and value.strip())
        assert not isinstance(given_value, bool | list | dict)
    else:
        assert value is data[name]
    if accessor == "text":
        assert isinstance(value, str) and value.strip()
    if accessor == "texts":
        assert all(isinstance(item, str) for item in value)
    if accessor == "key":
        assert isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip()


def test_messages_name_the_field_and_show_the_value() -> None:
    record = Record(Path("f.json"), 2, {"n": True, "s": " ", "list": ["a", 1], "long": ["x" * 99]}, "record")
    for call, message in [
        (lambda: record.text("absent", "missing"), "field 'absent' is missing"),
        (lambda: record.text("absent", "s"), "field 's': it is empty"),
        (lambda: record.text("n"), "field 'n': expected a string, found True"),
        (lambda: record.texts("list"), "field 'list[1]': expected a string, found 1"),
        (lambda: record.key("n"), "field 'n': expected a whole number or a string, found True"),
        (lambda: record.key("s"), "field 's': expected a whole number or a string, found ' '"),
        (lambda: record.optional_text("list"), "field 'list': expected a string, found ['a', 1]"),
        (lambda: record.text("long"), f"field 'long': expected a string, found {shown(['x' * 99])}"),
    ]:
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == f"f.json: record 2: {message}"
    assert record.field("n", bool, "true or false") is True
    assert Record(Path("f"), 1, {"form": "set"}).choice("form", ("set", "grid")) == "set"
    with pytest.raises(InputError, match=r"f:1: field 'form': expected one of set, grid, found 'sets'"):
        Record(Path("f"), 1, {"form": "sets"}).choice("form", ("set", "grid"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "a.jsonl: the file is empty"),
        ("a.jsonl", b'{"a": 1}\n\n[1]\n', "a.jsonl:3: expected a JSON object, found list"),
        ("a.jsonl", b'{"a": 1}\n{"a": \xff}\n', "a.jsonl:2: byte 7 of this line is not valid UTF-8"),
        ("a.jsonl.gz", b"{}", "a.jsonl.gz: the file cannot be decompressed"),
        ("a.csv", b"", "a.csv: the file is empty; expected a header"),
        ("a.csv", b"a,b\n1,2\n\n1\n", "a.csv:4: 1 columns, expected 2: a, b"),
        ("a.csv.gz", gzip.compress(b'a,b\n"1,2\n', mtime=0), "a.csv.gz:2: not valid CSV"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_records(tmp_path / name))
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_an_id_that_is_there_twice(tmp_path: Path) -> None:
    def sample_of(record: Record) -> Sample:
        return Sample.ask(str(record.key("id")), "?")

    path = tmp_path / "a"
    path.write_text('{"id": 1}\n\n{"id": "1"}')
    with pytest.raises(InputError, match=r"a:3: the id '1' was already used on line 1"):
        list(read_samples(path, sample_of))
    path.write_text('[{"id": 1}, {"id": "1"}]')
    with pytest.raises(InputError, match=r"a: record 2: field 'id': 1 was already used in record 1"):
        list(read_samples(path, sample_of, id_field="id"))


def test_what_tasks_outside_of_this_package_call(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"b": 2}\n')
    assert list(read_jsonl(tmp_path / "a.jsonl")) == [(1, {"a": 1}), (3, {"b": 2})]
