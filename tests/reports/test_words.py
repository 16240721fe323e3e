"""The words of pages: equal keys in both languages, each in one file and used; no template or style is dead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evalkit
import pytest
import yaml
from evalkit.errors import UsageError
from evalkit.reports.language.words import FILES, words_in
from evalkit.reports.pages.assets import SCRIPTS, STYLES, TEMPLATES, script_text, style_text
from evalkit.tasks.types import Status

ROOT = Path(evalkit.__file__).parent
PAGES = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.j2"))
FLOORS = ("tasks", "judges", "evals", "trainer", "reports")
PYTHON = "\n".join(path.read_text(encoding="utf-8") for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
NAMES = set(re.findall(r"""["']([\w.]+)["']""", PYTHON))


def leaves(words: dict[str, Any], *before: str) -> Iterator[tuple[str, ...]]:
    for key, value in words.items():
        if isinstance(value, dict):
            yield from leaves(value, *before, key)
        else:
            yield (*before, key)


def is_used(path: tuple[str, ...], name: str, source: str) -> bool:
    """Whether ``source`` has a word as ``name.a.b``, or looks in ``name.a`` for what Python or a script names."""
    if re.search(rf"\b{re.escape('.'.join((name, *path)))}\b", source):
        return True
    looked_up = [
        path[depth]
        for depth in range(1, len(path))
        if re.search(rf"\b{re.escape('.'.join((name, *path[:depth])))}(\[|\.get\()", source)
    ]
    return any(key in NAMES for key in looked_up)


def test_both_languages_have_the_same_words() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items()}
        return set(re.findall(r"\{\w+\}", value))

    assert shape(words_in("en")) == shape(words_in("ru"))
    assert set(words_in("en")["statuses"]) == {status.value for status in Status}


def test_a_word_stands_in_one_file() -> None:
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
    assert all(list(languages) == ["en", "ru"] for languages in files)
    assert all(list(languages["en"]) == list(languages["ru"]) for languages in files)
    keys = [key for languages in files for key in languages["en"]]
    assert sorted(keys) == sorted(words_in("en"))


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UsageError, match="'fr'; available: en, ru"):
        words_in("fr")


def test_every_word_is_used() -> None:
    pages, script = re.sub(r'\["(\w+)"\]', r".\1", PAGES), script_text()
    outcomes = re.findall(r"^  (\w+): \(", (TEMPLATES / "samples/outcomes.js").read_text(encoding="utf-8"), re.M)
    numbers = (ROOT / "reports/language/numbers.py").read_text(encoding="utf-8")

    def is_dead(path: tuple[str, ...]) -> bool:
        if is_used(path, "t", pages) or (path[0] == "statuses" and is_used(path, "words", script)):
            return False
        if path[0] == "samples":
            return not (is_used(path[1:], "words", script) or path[1] in outcomes)
        return path[0] != "numbers" or not re.search(rf"""["']{path[-1]}["']""", numbers)

    assert not [".".join(path) for path in leaves(words_in("en")) if is_dead(path)]


def test_every_word_of_the_scripts_and_pages_is_there() -> None:
    assert set(re.findall(r"\bwords\.(\w+)", script_text())) - {"statuses"} <= set(words_in("en")["samples"])
    for path in re.findall(r"\bt((?:\.[a-z_]+)+)", PAGES):
        found: Any = words_in("en")
        for key in path.split(".")[1:]:
            if key in ("get", "format", "items"):
                break
            found = found[key]


def test_every_part_of_styles_and_scripts_is_in_the_page() -> None:
    there = {
        path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.suffix in (".css", ".js")
    }
    assert sorted(there) == sorted((*STYLES, *SCRIPTS))


def test_every_template_and_macro_is_used() -> None:
    named = set(re.findall(r'"(\w+/\w+\.html\.j2)"', PAGES + PYTHON))
    assert {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2")} == named
    for macro in re.findall(r"{% macro (\w+)\(", PAGES):
        assert len(re.findall(rf"\b{macro}\b(?=\()|\.{macro}\b", PAGES)) > 1, macro


def test_no_style_is_dead() -> None:
    """Every class and id of the style sheet stands in a page, a script or a figure, or is one of a highlighter."""
    style = re.sub(r"/\*.*?\*/", "", style_text(), flags=re.S)
    selectors = [one for one in re.findall(r"(?:^|[{}])([^{}]*)\{", style) if not one.strip().startswith("@")]
    counted = re.compile(r"[mh]\d+")
    highlighted = re.compile(r"k|kn|kd|kc|kt|ow|s[12dbea]?|c|c1|cm|ch|m[ifh]?|n[fcbd]")
    sources = PAGES + script_text() + PYTHON
    dead = {
        name
        for selector in selectors
        for name in re.findall(r"[.#]([A-Za-z][\w-]*)", selector)
        if not (counted.fullmatch(name) or (".rich" in selector and highlighted.fullmatch(name)))
        and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", sources)
    }
    assert not dead
    variables = set(re.findall(r"(--[\w-]+):", style))
    assert variables == set(re.findall(r"var\((--[\w-]+)\)", style))
