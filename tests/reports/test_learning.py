"""The page of learning: curves that say what the log says, rounds, alarms, the critic, and text that stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.cli.main import app
from evalkit.errors import InputError, UsageError
from evalkit.reports import is_learning, write_learning
from evalkit.reports.charts.intervals import radar
from evalkit.reports.data.learning_answers import difference
from evalkit.reports.data.learning_curves import numbered_steps, thinned, trailing_mean
from evalkit.reports.language.numbers import Numbers
from evalkit.reports.pages.learning import learning_data
from evalkit.tests.support.hostile_text import HOSTILE
from evalkit.tests.support.learning_builder import CRITIC, READING, answers, build_loop, build_training, metrics
from evalkit.tests.support.page_reader import STRINGS, Parsed
from evalkit.tests.support.report_browser import AXE, CHROMIUM, WHY_NO_AXE, WHY_NO_CHROMIUM, Page
from evalkit.tests.support.run_builder import build_run, sample_rows
from typer.testing import CliRunner

NUMBERS = Numbers(STRINGS["en"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two loops, one with a critic, and two trainings."""
    folder = tmp_path_factory.mktemp("learning")
    alarmed = metrics(
        14, seed=2, alarms={step: [f"answers went from 30 to {90 + step} tokens"] for step in (9, 10, 11)}
    )
    first = metrics(14, seed=1, validation={5: 0.5, 10: 0.7}, reset={7: "every 7 steps"})
    build_loop(folder / "grpo", [(first, True), (alarmed, False), (metrics(14, seed=3), True)])
    written = answers(5, ["Раз.", "Два!"], critic=CRITIC)
    build_loop(folder / "gmpo", [(metrics(5), True)], loss="gmpo", written=written)
    build_training(folder / "plain", metrics(20), written=answers(20, ["Один.", "Другой."]))
    build_training(folder / "going", metrics(3), finished=False)
    return folder


def curves(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {curve["name"]: curve for section in data["sections"] for curve in section["curves"]}


def page_of(folder: Path, output: Path, *names: str, **options: Any) -> str:
    return write_learning([folder / name for name in names], output, **options).read_text(encoding="utf-8")


# Numbers


def test_a_mean_over_the_last_steps() -> None:
    points = [(1, 1.0), (2, 2.0), (3, 6.0), (4, 4.0)]
    assert trailing_mean(points, 2) == [(1, 1.0), (2, 1.5), (3, 4.0), (4, 5.0)]


def test_a_long_line_keeps_its_ends_and_its_peaks() -> None:
    points = [(step, float(step == 777) - float(step == 3333)) for step in range(1, 10_001)]
    kept = thinned(points)
    assert len(kept) <= 250
    assert {(1, 0.0), (777, 1.0), (3333, -1.0), (10_000, 0.0)} <= set(kept)
    assert kept == sorted(kept)
    assert thinned(points[:100]) == points[:100]


def test_which_steps_are_written_down() -> None:
    assert numbered_steps(0) == []
    assert numbered_steps(3) == [1, 2, 3]
    steps = numbered_steps(1000)
    assert (steps[0], steps[-1]) == (1, 1000)
    assert len(steps) <= 62


@pytest.mark.parametrize(
    ("value", "share", "text"),
    [
        (None, False, "—"), (0, False, "0"), (0.71234, False, "0.712"), (-0.5, False, "−0.5"),
        (123.4, False, "123"), (12345.6, False, "12,346"), (0.0003, False, "3·10⁻⁴"),
        (-1.25e-7, False, "−1.2·10⁻⁷"), (0.125, True, "12.5%"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value: float | None, share: bool, text: str) -> None:
    assert NUMBERS.significant(value, share=share) == text


def test_a_difference_keeps_both_texts() -> None:
    before, after = "Да, киты спят, и долго.", "Да киты спят подолгу"
    parts = difference(before, after)
    assert parts is not None
    assert "".join(text for kind, text in parts if kind != "ins") == before
    assert "".join(text for kind, text in parts if kind != "del") == after
    assert difference("", "") == []
    assert difference("то же", "то же") == [["same", "то же"]]
    assert difference("а " * 400, "б " * 400) is None


# The data


def test_a_loop_as_data(folder: Path) -> None:
    data = learning_data([folder / "grpo"])
    assert orjson.loads(orjson.dumps(data)) == data
    (line,) = data["lines"]
    assert (line["kind"], line["loss"], line["steps"], line["finished"]) == ("loop", "grpo", 42, True)
    assert [(one["first"], one["last"], one["state"]) for one in line["rounds"]] == [
        (1, 14, "accepted"), (15, 28, "rolled_back"), (29, 42, "accepted"),
    ]  # fmt: skip
    assert line["resets"] == [{"step": 7, "reason": "every 7 steps"}]
    # One alarm that goes on, with the words of its last step.
    assert line["alarms"] == [{"first": 23, "last": 25, "text": "answers went from 30 to 101 tokens"}]
    assert [run["label"] for run in data["runs"]] == ["round-03", "baseline", "round-01", "round-02"]
    assert data["comparisons"][0]["second"] == 1
    (reward,) = curves(data)["reward"]["lines"]
    assert [step for step, _ in reward["points"]] == list(range(1, 43))
    assert reward["numbers"][0] == metrics(14, seed=1)[0]["reward"]
    assert reward["validation"] == [[5, 0.5], [10, 0.7]]
    # A mean does not reach over the end of a round.
    assert reward["mean"][14] == [15, metrics(14, seed=2)[0]["reward"]]


def test_every_number_of_the_log_has_its_place(folder: Path) -> None:
    sections = {section["name"]: section for section in learning_data([folder / "plain"])["sections"]}
    names = {name: [curve["name"] for curve in section["curves"]] for name, section in sections.items()}
    assert names["main"] == ["reward", "kl", "entropy", "length", "clip_fraction", "truncated"]
    assert names["families"] == ["families.logic", "families.math"]
    assert names["components"] == ["components.commas", "components.commas/strict"]
    assert [curve["part"] for curve in sections["components"]["curves"]] == [False, True]
    assert [one["name"] for one in sections["components"]["steady"]] == ["components.letters"]
    assert names["watched"] == ["watched.fluency", "watched.fluency.gap"]
    assert {"name": "informative_share", "unit": "share", "values": [0.75]} in sections["sampling"]["steady"]


def test_what_nobody_foresaw_is_drawn_too(tmp_path: Path) -> None:
    rows = metrics(3, surprise={1: 1.0, 2: 2.0, 3: 4.0}, extra={2: {"a": 1}, 3: {"a": 2, "b": True, "c": "text"}})
    data = learning_data([build_training(tmp_path / "one", rows)])
    assert {"surprise", "extra.a"} <= curves(data).keys()
    assert not {"extra.b", "extra.c"} & curves(data).keys()
    page = page_of(tmp_path, tmp_path / "page.html", "one")
    assert "<bdi>surprise</bdi>" in page


def test_the_critic_beside_what_it_claims(folder: Path) -> None:
    (line,) = learning_data([folder / "gmpo"])["lines"]
    critic = line["critic"]
    assert critic["answers"] == 10
    assert [one["name"] for one in critic["histograms"]] == ["r", "b", "A", "tau", "w"]
    by_name = {one["name"]: one for one in critic["histograms"]}
    assert by_name["r"]["computed"]["counts"][14] == 10  # 0.7 of 20 bins from 0 to 1
    assert by_name["r"]["claimed"]["mean"] == pytest.approx(0.8)
    assert by_name["w"]["claimed"] is None
    assert (by_name["w"]["high"], by_name["w"]["impossible"]) == (2.3, 10)
    assert critic["claims"][0] == {"name": "score_agrees", "checked": 10, "agree": 10}
    assert [stage["step"] for stage in line["stages"]] == [1, 5]
    assert line["stages"][0]["answers"][1]["text"] == "Два!"


def test_a_critic_of_older_logs_has_its_score_alone(tmp_path: Path) -> None:
    old = {name: value for name, value in CRITIC.items() if name != "signal"}
    directory = build_training(tmp_path / "old", metrics(2), written=answers(2, critic=old))
    (line,) = learning_data([directory])["lines"]
    assert [one["name"] for one in line["critic"]["histograms"]] == ["r"]
    assert "histogram" in page_of(tmp_path, tmp_path / "page.html", "old")


def test_a_training_that_goes_on_and_a_torn_line(folder: Path, tmp_path: Path) -> None:
    directory = build_training(tmp_path / "torn", metrics(4), finished=False)
    with (directory / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 5, "rew')
    data = learning_data([directory])
    assert data["lines"][0]["steps"] == 4
    assert "unfinished" in page_of(tmp_path, tmp_path / "page.html", "torn")
    lines = (directory / "metrics.jsonl").read_bytes().split(b"\n")
    (directory / "metrics.jsonl").write_bytes(b"\n".join([lines[0], b"{torn", *lines[1:]]))
    with pytest.raises(InputError, match=r"metrics\.jsonl:2: not valid JSON"):
        learning_data([directory])


def test_before_the_first_step_and_the_first_round(tmp_path: Path) -> None:
    build_training(tmp_path / "none", [], finished=False)
    assert "No step has finished yet" in page_of(tmp_path, tmp_path / "none.html", "none")
    build_run(tmp_path / "begun" / "baseline", sample_rows(4, skill=0.5, seed=1), model="tiny")
    assert is_learning(tmp_path / "begun")
    data = learning_data([tmp_path / "begun"])
    assert data["lines"][0]["rounds"] == []
    assert [run["label"] for run in data["runs"]] == ["baseline"]
    assert "No round has been evaluated yet" in page_of(tmp_path, tmp_path / "begun.html", "begun")


def test_what_is_no_learning_is_said(folder: Path, tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", sample_rows(2, skill=0.5, seed=1), model="tiny")
    assert not is_learning(run)
    with pytest.raises(InputError, match="neither a training nor a loop"):
        learning_data([folder / "plain", run])
    with pytest.raises(UsageError, match="given twice"):
        learning_data([folder / "plain", folder / "plain"])
    with pytest.raises(UsageError, match="at least one"):
        learning_data([])


# The page


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_of_a_loop(folder: Path, tmp_path: Path, language: str) -> None:
    page = page_of(folder, tmp_path / "a.html", "grpo", language=language)
    assert page_of(folder, tmp_path / "b.html", "grpo", language=language) == page
    assert orjson.loads((tmp_path / "a.json").read_bytes())["schema_version"] == 1
    words = STRINGS[language]["learning"]
    parsed = Parsed(page)
    for text in (
        words["states"]["rolled_back"],
        words["curves"]["reward"]["title"],
        words["broken"],
        words["alarm"],
    ):
        assert text in parsed.text
    assert {"outcome", "curves", "answers", "samples", "recipe"} <= {
        attributes.get("id") for tag, attributes in parsed.elements if tag == "section"
    }
    assert page.count('class="round-end') >= 2
    assert 'class="rolled"' in page
    assert 'class="alarmed"' in page
    assert 'class="reset m0"' in page
    assert 'class="validation m0"' in page
    assert all("style" not in attributes for _, attributes in parsed.elements)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    (style,) = [text for tag, _, text in parsed.raw if tag == "style"]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_numbers_stand_beside_the_curves(folder: Path, tmp_path: Path) -> None:
    page = page_of(folder, tmp_path / "page.html", "plain")
    for row in metrics(20):
        assert f'<td class="number">{NUMBERS.significant(row["kl"])}</td>' in page


def test_two_are_laid_over_one_another(folder: Path, tmp_path: Path) -> None:
    data = learning_data([folder / "gmpo", folder / "grpo"])
    assert [line["label"] for line in data["lines"]] == ["gmpo", "grpo"]
    assert data["runs"][0]["label"] == "gmpo/round-01"
    assert all(len(curve["lines"]) == 2 for curve in curves(data).values())
    (row,) = [row for section in data["recipe"] for row in section["rows"] if row["name"] == "method"]
    assert row["values"] == ["gmpo", "grpo"]
    page = page_of(folder, tmp_path / "page.html", "gmpo", "grpo")
    assert page.count('class="line m1"') > page.count('class="line m0"') > 5


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    directories = [build_training(tmp_path / name / "training", metrics(2)) for name in ("one", "two")]
    labels = [line["label"] for line in learning_data(directories)["lines"]]
    assert labels == ["one/training", "two/training"]


def hostile_learning(directory: Path, texts: tuple[str, ...]) -> Path:
    """A loop that holds each text wherever a model, a recipe or a log can put one."""
    supply = cycle(text[:5000] for text in texts)
    critic = [CRITIC | {"readings": [READING | {"explanation": next(supply)}]} for _ in texts]
    written = [
        {**row, "text": text, "family": text, "id": text, "critic": one}
        for text, row, one in zip(texts[:4], answers(4), critic, strict=False)
    ]
    rows = metrics(4, reset={2: next(supply)}, alarms={3: [next(supply)]})
    for row, text in zip(rows, texts[10:], strict=False):
        row["components"] = {text: row["reward"]}
        row["watched"] = {text: row["reward"]}
        row[text] = row["reward"]
    build_loop(
        directory, [(rows, False)], written=written, examples=list(zip(texts[::2], texts[1::2], strict=False))
    )
    recipe = {"recipe": {"objective": {"loss": next(supply)}, "prompts": {next(supply): 1}}, "weights": {}}
    (directory / "round-01" / "training" / "recipe.json").write_bytes(orjson.dumps(recipe))
    return directory


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    texts = tuple(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in HOSTILE)
    pages = []
    for start in range(0, len(texts), 30):
        some = texts[start : start + 30]
        hostile_learning(tmp_path / f"loop{start}", some)
        pages.append(page_of(tmp_path, tmp_path / f"{start}.html", f"loop{start}"))
    harmless = Parsed(
        page_of(tmp_path, tmp_path / "x.html", hostile_learning(tmp_path / "harmless", ("x", "y") * 15).name)
    )
    kinds = {(tag, *sorted(attributes)) for tag, attributes in harmless.elements}
    for page in pages:
        parsed = Parsed(page)
        found = {(tag, *sorted(attributes)) for tag, attributes in parsed.elements}
        # Texts that differ make a difference where equal ones make none, and curves where equal names make one.
        assert {tag for tag, *_ in found - kinds} <= {"del", "ins", "td", "circle", "path", "text", "rect", "li"}
        assert [tag for tag, _, _ in parsed.raw].count("script") == 3
        assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]


def test_report_knows_what_it_is_given(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["report", str(folder / "plain"), str(folder / "going"), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"report: {output}"
    assert "Learning report" in output.read_text(encoding="utf-8")


def test_a_radar_has_an_outline_where_all_is_known() -> None:
    entries = [{"label": "one", "runs": [0]}, {"label": "two", "runs": [1]}]
    rows = [
        {"entry": entry, "cells": [None if value is None else {"value": value} for value in values]}
        for entry, values in enumerate([(0.1, 1.0, 0.5), (0.1, None, 0.5)])
    ]
    dimension = {"labels": ["a", "b", "<script>c</script>"], "rows": rows}
    picture = radar(dimension, entries, numbers=NUMBERS)
    assert picture.count('class="outline') == 1
    assert picture.count('class="mark') == 5
    assert "<script>" not in picture
    with pytest.raises(ValueError, match="three axes"):
        radar({"labels": ["a", "b"], "rows": []}, [], numbers=NUMBERS)


# In a browser


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NO_CHROMIUM)
def test_the_page_in_a_browser(chromium: Page, folder: Path, tmp_path: Path) -> None:
    loops = write_learning([folder / "gmpo", folder / "grpo"], tmp_path / "loops.html")
    hostile = write_learning([hostile_learning(tmp_path / "hostile", HOSTILE[:40])], tmp_path / "hostile.html")
    training = write_learning([folder / "plain"], tmp_path / "training.html")
    for path in (loops, hostile, training):
        chromium.look(width=390 if path == loops else 1280)
        if path == training:
            chromium.call("Page.navigate", url=path.resolve().as_uri())
            chromium.wait_for("document.readyState === 'complete' && document.querySelector('#curves') !== null")
        else:
            chromium.open(path)
        chromium.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert chromium.evaluate("document.querySelectorAll('svg.curve').length") > 8
        assert chromium.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert chromium.evaluate("window.attacked") is None
    chromium.look()
    chromium.open(write_learning([folder / "gmpo"], tmp_path / "loop.html"))
    chromium.evaluate("document.querySelector('#answers a.filter').click()")
    assert chromium.evaluate("document.getElementById('found').textContent") != "20 of 20"
    assert chromium.problems == []


@pytest.mark.browser
@pytest.mark.exhaustive
@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NO_CHROMIUM)
@pytest.mark.skipif(AXE is None, reason=WHY_NO_AXE)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(chromium: Page, folder: Path, tmp_path: Path, dark: bool) -> None:
    chromium.look(dark=dark)
    chromium.open(write_learning([folder / "gmpo"], tmp_path / "loop.html"))
    assert chromium.violations() == []
