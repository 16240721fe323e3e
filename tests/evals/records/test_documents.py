"""The manifest and the results: typed, written back as they were, refused by name; and their page in docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import evalkit
import orjson
import pytest
from evalkit.errors import InputError
from evalkit.evals.records.document import Document, Part
from evalkit.evals.records.manifest import Manifest, read_manifest
from evalkit.evals.records.results import Results, read_results
from evalkit.evals.records.rows import SampleRow, ScoredCandidate
from evalkit.tasks.types import Completion, Score
from pydantic import BaseModel

PAGE = Path(evalkit.__file__).parent / "docs" / "run-directory.md"
OLD = Path(__file__).parents[2] / "data" / "old-runs" / "plain"


def form(annotation: Any) -> str:
    """Name a type as the page does."""
    arguments = [one for one in get_args(annotation) if one is not ...]
    if isinstance(annotation, UnionType):
        return " or ".join("null" if one is type(None) else form(one) for one in arguments)
    if get_origin(annotation) is tuple:
        return f"[{', '.join(map(form, arguments))}]"
    if get_origin(annotation) is dict:
        return f"{{text: {form(arguments[1])}}}"
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
    return names.get(annotation) or f"`{annotation.__name__}`"


def table(part: type[BaseModel]) -> str:
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in part.model_fields.items():
        optional = "" if field.is_required() else ", may be missing"
        lines.append(f"| `{name}` | {form(field.annotation)}{optional} | {field.description} |")
    return "\n".join(lines)


def parts(part: type[BaseModel]) -> Iterator[type[Part]]:
    """Yield the objects within a document, each once, in the order of first mention."""
    for field in part.model_fields.values():
        waiting = [field.annotation]
        while waiting:
            one = waiting.pop(0)
            waiting += get_args(one)
            if isinstance(one, type) and issubclass(one, Part):
                yield one
                yield from parts(one)


def page_of(document: type[Document], file: str) -> str:
    within = [
        f"### {one.__name__}\n\n{(one.__doc__ or '').strip()}\n\n{table(one)}"
        for one in dict.fromkeys(parts(document))
    ]
    return "\n\n".join([f"## {file}\n\n{table(document)}", *within]) + "\n"


@pytest.mark.parametrize(("document", "file"), [(Manifest, "manifest.json"), (Results, "results.json")])
def test_the_page_lists_every_field(document: type[Document], file: str) -> None:
    expected = page_of(document, file)
    assert expected in PAGE.read_text(encoding="utf-8"), f"{PAGE} should have\n\n{expected}"
    assert document.model_json_schema()["properties"].keys() == document.model_fields.keys()


def test_the_page_lists_every_field_of_a_row_in_its_order() -> None:
    candidate = ScoredCandidate(Completion(""), Score(1.0))
    row = SampleRow("t", "1", 0, Score(1.0), completion=Completion(""), chosen=0, candidates=(candidate,))
    (section,) = re.findall(r"## samples\.jsonl\n(.*?)\n## ", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)
    assert [name for name, _ in rows] == list(row.as_json())
    for name, described in rows:
        value = row.as_json()[name]
        value = orjson.loads(orjson.dumps(value[0] if name == "candidates" else value))
        if isinstance(value, dict) and value:
            assert re.findall(r"`(\w+)`", described) == list(value), name


def test_what_is_not_known_is_kept_and_passed_over(tmp_path: Path) -> None:
    data = orjson.loads((OLD / "manifest.json").read_bytes())
    data["spec"]["mood"] = "good"
    data["weather"] = {"rain": True}
    manifest = Manifest.decode(data, source="manifest.json")
    assert manifest.as_json() == data
    assert manifest.changed(name="other").as_json() == {**data, "name": "other"}
    assert list(manifest.changed(name="other").as_json()) == list(data)


def test_a_manifest_of_the_first_days_is_filled_in() -> None:
    data = orjson.loads((OLD / "manifest.json").read_bytes())
    for name in ("judge", "judge_prices", "executor", "price", "passport", "sandbox"):
        del data[name]
    data["spec"] = {name: data["spec"][name] for name in ("model", "tasks", "data", "limit", "epochs", "seed")}
    manifest = Manifest.decode(data, source="manifest.json")
    assert (manifest.judge, manifest.judge_prices, manifest.price, manifest.passport) == (None, {}, None, None)
    assert manifest.spec.solver == "single"
    assert manifest.spec.judge.options == {}


DAMAGE = [
    ("schema_version", 2, "another version of evalkit"),
    ("schema_version", None, "another version of evalkit"),
    ("name", 5, "field 'name'"),
    ("spec", None, "field 'spec'"),
    ("spec", {"model": "m"}, "field 'spec.tasks'"),
    ("spec", {"model": "m", "tasks": ["t"], "epochs": 0}, "field 'spec.epochs'"),
    ("spec", {"model": "m", "tasks": ["t"], "judge_options": {"mood": "good"}}, "unknown option 'mood'"),
    ("model", "m", "field 'model'"),
    ("model", {}, "field 'model.name'"),
    ("tasks", {}, "field 'tasks'"),
    ("tasks", [{"name": "t"}], r"field 'tasks\.0\.registered_as'"),
    ("price", {"input": 1}, "field 'price"),
    ("started", None, "field 'started'"),
    ("git", [], "field 'git'"),
]


@pytest.mark.parametrize(("field", "value", "message"), DAMAGE)
def test_a_damaged_manifest_is_named(field: str, value: Any, message: str, tmp_path: Path) -> None:
    data = orjson.loads((OLD / "manifest.json").read_bytes())
    (tmp_path / "manifest.json").write_bytes(orjson.dumps({**data, field: value}))
    with pytest.raises(InputError, match=rf"manifest\.json.*{message}"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("tasks", None, "field 'tasks'"),
        ("tasks", [{"task": "t", "version": "1", "samples": -1}], r"field 'tasks\.0\.samples'"),
        ("judging", [], "field 'judging'"),
        ("complete", "perhaps", "field 'complete'"),
        ("schema_version", None, "another version of evalkit"),
    ],
)
def test_damaged_results_are_named(field: str, value: Any, message: str, tmp_path: Path) -> None:
    data = orjson.loads((OLD / "results.json").read_bytes())
    (tmp_path / "results.json").write_bytes(orjson.dumps({**data, field: value}))
    with pytest.raises(InputError, match=rf"results\.json.*{message}"):
        read_results(tmp_path)


def test_results_of_another_version_are_computed_anew_and_torn_ones_are_named(tmp_path: Path) -> None:
    assert read_results(tmp_path) is None
    (tmp_path / "results.json").write_bytes(b'{"schema_version": 2, "anything": 1}')
    assert read_results(tmp_path) is None
    (tmp_path / "results.json").write_bytes(b'{"schema_version": 1, ')
    with pytest.raises(InputError, match="delete it to have it computed again"):
        read_results(tmp_path)
