"""The report in a real Chromium: samples, filters, keys, deep links, themes, and hostile text that stays text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evalkit.reports import report_data, write_report
from evalkit.reports.render import make_visible
from evalkit.tests.hostile_text import HOSTILE, hostile_run
from evalkit.tests.report_browser import CHROMIUM, Page, browser
from evalkit.tests.run_builder import build_run, failed_row, sample_row, sample_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)"),
]

LISTED = "[...document.querySelectorAll('#list .id bdi')].map((one) => one.textContent)"
HEADING = "document.querySelector('#detail h3')?.textContent"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    with browser() as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Iterator[Page]:
    """The tab; what it complains about fails the test."""
    chromium.problems.clear()
    chromium.look()
    yield chromium
    chromium.call("Page.navigate", url="about:blank")
    assert chromium.problems == []


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    weak = sample_rows(24, skill=0.3, seed=2)
    weak[5] = failed_row(weak[5], "HTTP 500")
    return [
        build_run(folder / "strong", sample_rows(24, skill=0.8, seed=1), model="embedded:strong"),
        build_run(folder / "weak", weak, model="embedded:weak"),
    ]


@pytest.fixture(scope="module")
def data(runs: list[Path]) -> dict[str, Any]:
    return report_data(runs)


@pytest.fixture(scope="module")
def report(runs: list[Path]) -> Path:
    return write_report(runs, runs[0].parent / "report.html")


def ids(data: dict[str, Any], wanted: Any) -> list[str]:
    return [sample["id"] for sample in data["samples"] if wanted(*sample["answers"])]


def test_all_samples_are_listed_and_the_first_is_open(page: Page, report: Path, data: dict[str, Any]) -> None:
    page.open(report)
    assert page.evaluate(LISTED) == [sample["id"] for sample in data["samples"]]
    assert page.evaluate(HEADING) == "1000"
    first = data["samples"][0]
    shown = page.evaluate("document.querySelector('#detail').innerText")
    for text in (first["messages"][0]["content"], first["answers"][0]["text"], first["answers"][1]["text"]):
        assert text in shown
    for answer in first["answers"]:
        for one in answer["parts"]["instructions"]:
            assert one["reason"] in shown


@pytest.mark.parametrize(
    ("outcome", "wanted"),
    [
        ("differ", lambda a, b: a.get("value") != b.get("value")),
        ("failed_any", lambda a, b: a.get("value", 1) < 1 or b.get("value", 1) < 1),
        ("failed_all", lambda a, b: a.get("value", 1) < 1 and b.get("value", 1) < 1),
        ("passed_all", lambda a, b: a.get("value") == b.get("value") == 1),
        ("run:0", lambda a, b: a.get("value", 1) < 1),
        ("run:1", lambda a, b: b.get("value", 1) < 1),
    ],
)
def test_filters_show_what_python_counts(
    page: Page, report: Path, data: dict[str, Any], outcome: str, wanted: Any
) -> None:
    page.open(report)
    page.choose("outcome", outcome)
    expected = ids(data, wanted)
    assert 0 < len(expected) < 24
    assert page.evaluate(LISTED) == expected
    assert page.evaluate("document.getElementById('found').textContent") == f"{len(expected)} of 24"


def test_filters_by_instruction_and_status(page: Page, report: Path, data: dict[str, Any]) -> None:
    def has(answer: dict[str, Any], prefix: str) -> bool:
        return any(one["id"].startswith(prefix) for one in answer.get("parts", {}).get("instructions", []))

    page.open(report)
    page.choose("instruction", "keywords:*")
    assert page.evaluate(LISTED) == ids(data, lambda a, _: has(a, "keywords:"))
    page.choose("instruction", "keywords:existence")
    assert page.evaluate(LISTED) == ids(data, lambda a, _: has(a, "keywords:existence"))
    page.choose("outcome", "run:0")
    assert page.evaluate(LISTED) == ids(
        data,
        lambda a, _: any(
            one["id"] == "keywords:existence" and not one["strict"] for one in a["parts"]["instructions"]
        ),
    )
    page.evaluate("document.getElementById('clear').click()")
    assert len(page.evaluate(LISTED)) == 24
    page.choose("status", "api_error")
    assert page.evaluate(LISTED) == ["1005"]


def test_search_takes_yo_for_ye_and_any_case(page: Page, report: Path, data: dict[str, Any]) -> None:
    page.open(report)
    page.choose("search", "САМОЛЕТ")
    assert page.evaluate(LISTED) == []
    assert page.evaluate("document.querySelector('#list').innerText") == "No sample fits these filters."
    page.choose("search", "ПОЛЕТ")
    assert page.evaluate(LISTED) == [
        sample["id"]
        for sample in data["samples"]
        if "полёт" in sample["messages"][0]["content"].lower()
        or any("полёт" in answer.get("text", "").lower() for answer in sample["answers"])
    ]
    assert page.evaluate("document.querySelector('#detail mark').textContent") == "полёт"


def test_a_row_of_the_table_leads_to_its_samples(page: Page, report: Path, data: dict[str, Any]) -> None:
    page.open(report)
    page.evaluate("document.querySelector('a.filter[data-instruction=\"punctuation:no_comma\"]').click()")
    assert len(page.evaluate(LISTED)) == len(
        ids(data, lambda a, _: any(one["id"] == "punctuation:no_comma" for one in a["parts"]["instructions"]))
    )
    page.evaluate("document.querySelector('a.filter[data-group=\"punctuation\"]').click()")
    assert page.evaluate("document.getElementById('filters').elements.instruction.value") == "punctuation:no_comma"


def test_deep_links_open_their_sample(page: Page, report: Path) -> None:
    page.open(report, "#ruifeval/1007")
    assert page.evaluate(HEADING) == "1007"
    assert page.evaluate("document.querySelector('#list [aria-current]').getAttribute('href')") == "#ruifeval/1007"
    page.choose("outcome", "failed_all")
    page.evaluate("location.hash = '#ruifeval/1005'")
    page.wait_for(f"{HEADING} === '1005'")
    assert "server error" in page.evaluate("document.querySelector('#detail').innerText")
    for nonsense in ("#ruifeval/none", "#%E0%A4%A/x", "#a/b/c/d", "#samples"):
        page.evaluate(f"location.hash = {json.dumps(nonsense)}")
    assert page.evaluate(HEADING) == "1005"


def test_keys_lead_through_the_samples(page: Page, report: Path) -> None:
    page.open(report)
    steps_back = page.evaluate("history.length")
    for key, id in (("j", "1001"), ("j", "1002"), ("k", "1001"), ("k", "1000"), ("k", "1000")):
        page.press(key)
        page.wait_for(f"{HEADING} === '{id}'")
    assert page.evaluate("history.length") == steps_back
    page.press("/")
    assert page.evaluate("document.activeElement.name") == "search"
    page.press("j")
    assert page.evaluate("document.activeElement.value") == "j"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1280, 2000])
def test_the_page_fits_its_window(page: Page, report: Path, width: int, dark: bool) -> None:
    page.look(width=width, dark=dark)
    page.open(report)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert colour == ("rgb(20, 23, 26)" if dark else "rgb(251, 250, 247)")


def test_print(page: Page, report: Path, tmp_path: Path) -> None:
    page.open(report)
    page.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0


def test_without_script_the_figures_stay_and_a_note_says_so(page: Page, report: Path) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.call("Page.navigate", url=report.as_uri())
        page.wait_for("document.querySelector('footer') !== null")
        assert "JavaScript" in page.evaluate("document.querySelector('noscript').textContent")
        assert page.evaluate("document.querySelectorAll('.scores .chart .mark').length") == 8
        assert not page.evaluate("document.querySelector('#explorer').checkVisibility()")
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


def test_a_long_list_grows_as_it_is_walked(page: Page, tmp_path: Path) -> None:
    rows = [
        sample_row(
            str(index), f"Вопрос {index}", "ответ", [{"id": "a:b", "strict": True, "loose": True, "reason": ""}]
        )
        for index in range(450)
    ]
    report = write_report([build_run(tmp_path / "run", rows, model="m")], tmp_path / "r.html")
    page.open(report)
    assert len(page.evaluate(LISTED)) == 200
    page.evaluate("document.querySelector('#list button').click()")
    assert len(page.evaluate(LISTED)) == 400
    page.evaluate("location.hash = '#ruifeval/449'")
    page.wait_for(f"{HEADING} === '449'")
    assert len(page.evaluate(LISTED)) == 450
    page.wait_for(
        "(() => { const row = document.querySelector('#list [aria-current]').getBoundingClientRect();"
        " const list = document.getElementById('list').getBoundingClientRect();"
        " return row.top >= list.top && row.bottom <= list.bottom + 1; })()"
    )


def test_damaged_samples_are_said(page: Page, report: Path, tmp_path: Path) -> None:
    text = report.read_text(encoding="utf-8")
    at = text.index('id="payload">') + 200
    broken = tmp_path / "broken.html"
    broken.write_text(text[:at] + text[at + 100 :], encoding="utf-8")
    page.call("Page.navigate", url=broken.as_uri())
    page.wait_for(
        "document.getElementById('trouble')?.textContent.startsWith('The samples in this file are damaged')"
    )


def test_parts_of_any_task_are_shown(page: Page, tmp_path: Path) -> None:
    row = sample_rows(1, skill=0.5, seed=1)[0]
    deep: Any = "bottom"
    for _ in range(60):
        deep = {"down": deep}
    parts = {"points": 3, "criteria": {"ясность": [1, 2], "пусто": {}}, "gate": None, "deep": deep}
    score = {"value": 0.5, "status": "ok", "parts": parts, "explanation": "потому что"}
    completion = {"text": "второй", "turns": ["первый", "второй"], "reasoning": "думаю", "finish_reason": "length"}
    run = build_run(
        tmp_path / "run",
        [{**row, "task": "essay", "score": score, "completion": completion}],
        model="m",
        metrics=[],
    )
    page.open(write_report([run], tmp_path / "r.html", language="ru"))
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    shown = page.evaluate("document.querySelector('#detail').innerText")
    for text in (
        "points",
        "ясность",
        "bottom",
        "потому что",
        "первый",
        "Реплика 2",
        "думаю",
        "обрезан на пределе",
        "50 %",
    ):
        assert text in shown.replace("\N{NO-BREAK SPACE}", " ")


def test_hostile_text_stays_text_in_every_view(page: Page, tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", HOSTILE)
    samples = report_data([run])["samples"]
    page.open(write_report([run], tmp_path / "r.html"))
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    kinds = "[...new Set([...document.querySelectorAll('#detail *, #list *')].map((one) => one.localName))].sort()"
    for sample in samples:
        address = json.dumps(sample["id"])
        page.evaluate(f"location.hash = '#ruifeval/' + encodeURIComponent({address})")
        page.wait_for(f"decodeURIComponent(location.hash).endsWith({address})")
        page.wait_for("document.querySelector('#list [aria-current]').getAttribute('href') === location.hash")
        page.evaluate("for (const one of document.querySelectorAll('#detail details')) one.open = true")
        assert set(page.evaluate(kinds)) <= {
            "a", "article", "bdi", "button", "dd", "details", "div", "dl", "dt", "h3", "h4", "header", "li", "mark",
            "ol", "p", "path", "section", "span", "summary", "svg", "table", "tbody", "td", "th", "thead", "tr",
            "wbr",
        }  # fmt: skip
        text = sample["messages"][0]["content"]
        shown = page.evaluate("document.querySelector('#detail .prompt .text').textContent")
        if len(text) <= 20_000:
            expected = make_visible(text).replace("⟨", "").replace("⟩", "")
            assert shown == expected.replace("\r", "U+000D"), sample["id"]
        else:
            assert shown.startswith(text[:20_000])
            assert len(shown) < 20_100
            page.evaluate("document.querySelector('#detail .prompt .text button').click()")
            assert page.evaluate("document.querySelector('#detail .prompt .text').textContent") == text
    assert page.evaluate("window.attacked") is None
    assert page.evaluate("document.querySelectorAll('script').length") == 2
    assert page.evaluate("document.querySelectorAll('[style], [onclick], [onerror], [onload]').length") == 0
