"""Nothing that a model, a data file or a server can write becomes anything but text on the page."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from evalkit.reports import report_data, write_report
from evalkit.reports.pages.rendering import make_visible
from evalkit.reports.pages.report import render
from evalkit.tests.support.hostile_text import HOSTILE, hostile_run
from evalkit.tests.support.page_reader import Parsed, unpack
from evalkit.tests.support.run_builder import build_run, sample_rows
from hypothesis import given, settings
from hypothesis import strategies as st


def structure(page: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """Elements and the names of their attributes; bare spans only part words and lines."""
    elements = Parsed(page).elements
    return Counter(
        (tag, tuple(sorted(attributes))) for tag, attributes in elements if (tag, attributes) != ("span", {})
    )


def test_a_hostile_run_has_the_elements_of_a_harmless_one(tmp_path: Path) -> None:
    harmless = write_report([hostile_run(tmp_path / "harmless", ["x"] * len(HOSTILE))], tmp_path / "harmless.html")
    expected = structure(harmless.read_text(encoding="utf-8"))
    hostile = write_report([hostile_run(tmp_path / "hostile", HOSTILE)], tmp_path / "hostile.html")
    found = structure(hostile.read_text(encoding="utf-8"))
    # Equal labels fall together in one row of a table, so the harmless run has fewer rows; but of no other kind.
    assert set(found) == set(expected)
    for kind in ("script", "style", "meta", "link", "form", "input", "select", "button", "svg", "iframe", "img"):
        of_kind = [sum(count for (tag, _), count in counts.items() if tag == kind) for counts in (found, expected)]
        if kind != "svg":
            assert of_kind[0] == of_kind[1], kind


def test_hostile_text_survives_as_text(tmp_path: Path) -> None:
    page = write_report([hostile_run(tmp_path / "run", HOSTILE)], tmp_path / "r.html").read_text(encoding="utf-8")
    texts = {sample["answers"][0]["text"] for sample in unpack(page)}
    assert texts == {text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in HOSTILE}
    shown = Parsed(page).text
    for text in HOSTILE:
        if (
            len(text) < 200
            and "\n" not in text
            and not any("\ud800" <= character <= "\udfff" for character in text)
        ):
            assert make_visible(text) in shown, text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_each_text_in_every_field_of_the_manifest(text: str, tmp_path: Path) -> None:
    text = text[:5000]
    rows = sample_rows(3, skill=0.5, seed=1)
    plain = build_run(tmp_path / "plain", rows, model="x", title="x")
    nasty = build_run(tmp_path / "nasty", rows, model=text, title=text, version=text, settings={"solver": text})
    pages = [render(report_data([run])) for run in (plain, nasty)]
    kinds = [set(structure(page)) for page in pages]
    assert kinds[1] - kinds[0] == set()
    assert [tag for tag, _, _ in Parsed(pages[1]).raw] == ["style", "script", "script", "script"]


def test_lone_surrogates_and_controls_never_reach_the_file(tmp_path: Path) -> None:
    data = report_data([build_run(tmp_path / "run", sample_rows(2, skill=0.5, seed=1), model="x")])
    broken: dict[str, Any] = {
        **data,
        "runs": [{**data["runs"][0], "label": "a\ud800b\x00c\u202ed", "command": "\udfff"}],
    }
    page = render(broken)
    assert "a⟨U+D800⟩b⟨U+0000⟩c⟨U+202E⟩d" in page
    page.encode()


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("harmless")
    return report_data([build_run(folder / "run", sample_rows(2, skill=0.5, seed=1), model="x")])


@pytest.fixture(scope="module")
def expected(harmless: dict[str, Any]) -> dict[Any, int]:
    return dict(structure(render(harmless)))


BREAK = ("wbr", ())


@settings(max_examples=25, deadline=None)
@given(label=st.text(max_size=60))
def test_any_label_is_only_a_label(label: str, harmless: dict[str, Any], expected: dict[Any, int]) -> None:
    page = render({**harmless, "runs": [{**harmless["runs"][0], "label": label}]})
    page.encode()
    # Long labels may break behind punctuation.
    assert {**structure(page), BREAK: 0} == {**expected, BREAK: 0}
