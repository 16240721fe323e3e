"""The report in a real Chromium: samples, filters, keys, deep links, themes, and hostile text that stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evalkit.reports import report_data, write_leaderboard, write_report
from evalkit.reports.pages import packing, rendering
from evalkit.reports.pages.rendering import make_visible
from evalkit.reports.pages.rich_text import HTML, MATHML
from evalkit.tests.support.hostile_text import HOSTILE, hostile_run
from evalkit.tests.support.report_browser import AXE, CHROMIUM, WHY_NO_AXE, WHY_NO_CHROMIUM, Page
from evalkit.tests.support.run_builder import build_run, failed_row, sample_row, sample_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=WHY_NO_CHROMIUM),
]

LISTED = "[...document.querySelectorAll('#list .id bdi')].map((one) => one.textContent)"
HEADING = "document.querySelector('#detail h3')?.textContent"


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
    assert page.evaluate("document.querySelector('#list').innerText") == "No samples match these filters."
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


def test_a_far_jump_lists_what_lies_around(page: Page, tmp_path: Path) -> None:
    verdicts = [{"id": "a:b", "strict": True, "loose": True, "reason": ""}]
    rows = [sample_row(str(index), f"Вопрос {index}", "ответ", verdicts) for index in range(1500)]
    page.open(write_report([build_run(tmp_path / "run", rows, model="m")], tmp_path / "r.html"), "#ruifeval/1200")
    listed = page.evaluate(LISTED)
    assert (listed[0], listed[-1]) == ("1150", "1349")
    assert page.evaluate("document.querySelector('#list [aria-current] .id').textContent") == "1200"
    page.evaluate("document.querySelector('#list button').click()")
    assert page.evaluate(LISTED)[0] == "950"
    page.evaluate("location.hash = '#ruifeval/3'")
    page.wait_for(f"{HEADING} === '3'")
    assert page.evaluate(LISTED)[0] == "0"


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
        "обрезан по пределу",
        "0,5",
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


def test_flips_are_filtered_and_walked_by_keys(page: Page, report: Path, data: dict[str, Any]) -> None:
    won = ids(data, lambda a, b: a.get("value", -1) > b.get("value", 2))
    lost = ids(data, lambda a, b: b.get("value", -1) > a.get("value", 2))
    assert won
    assert lost
    page.open(report)
    page.choose("outcome", "won")
    assert page.evaluate(LISTED) == won
    page.choose("outcome", "lost")
    assert page.evaluate(LISTED) == lost
    page.evaluate("document.getElementById('clear').click()")
    order = [sample["id"] for sample in data["samples"]]
    flips = [id for id in order if id in won or id in lost]
    page.evaluate(f"location.hash = '#ruifeval/{order[0]}'")
    page.wait_for(f"{HEADING} === '{order[0]}'")
    walked = [id for id in flips if id != order[0]]
    for id in walked[:4]:
        page.press("n")
        page.wait_for(f"{HEADING} === '{id}'")
    page.press("p")
    page.wait_for(f"{HEADING} === '{walked[2]}'")


def test_every_count_of_the_comparison_leads_to_as_many_samples(page: Page, report: Path) -> None:
    page.open(report)
    page.evaluate("for (const one of document.querySelectorAll('#comparison details')) one.open = true")
    links = page.evaluate("[...document.querySelectorAll('#comparison a.filter')].map((one) => one.textContent)")
    assert len(links) > 8
    for number, count in enumerate(links):
        page.evaluate(f"document.querySelectorAll('#comparison a.filter')[{number}].click()")
        assert page.evaluate("document.getElementById('filters').elements.outcome.selectedOptions[0].textContent")
        assert len(page.evaluate(LISTED)) == int(count.lstrip("+−"))
        assert page.evaluate("document.getElementById('found').textContent") == f"{count.lstrip('+−')} of 24"


def test_repeated_samples_are_counted_once(page: Page, tmp_path: Path) -> None:
    def twice(seed: int) -> list[dict[str, Any]]:
        first, again = (sample_rows(6, skill=0.5, seed=seed + 10 * epoch) for epoch in (0, 1))
        return [*first, *({**row, "epoch": 1} for row in again)]

    runs = [build_run(tmp_path / str(seed), twice(seed), model=f"m{seed}") for seed in (1, 2)]
    (pair,) = report_data(runs)["comparisons"]
    wins = pair["tasks"][0]["metrics"][0]["wins"]
    assert wins
    page.open(write_report(runs, tmp_path / "r.html"))
    page.evaluate("document.querySelector('#comparison a.filter').click()")
    found = page.evaluate("document.getElementById('found').textContent")
    assert found == f"{wins} of 6 (attempts: {2 * wins})"
    assert len(page.evaluate(LISTED)) == 2 * wins


def test_the_difference_of_two_answers(page: Page, tmp_path: Path) -> None:
    verdict = [{"id": "a:b", "strict": True, "loose": True, "reason": ""}]
    texts = ("Раз два три четыре пять <b>", "Раз два шесть четыре пять <b> и всё")
    runs = [
        build_run(tmp_path / str(number), [sample_row("1", "Вопрос", text, verdict)], model=f"m{number}")
        for number, text in enumerate(texts)
    ]
    page.open(write_report(runs, tmp_path / "r.html"))
    assert page.evaluate("document.querySelector('.difference')") is None
    page.press("d")
    parts = page.evaluate(
        "[...document.querySelectorAll('.difference .text > *')]"
        ".map((one) => one.localName + ':' + one.textContent)"
    )
    assert parts == ["del:три", "ins:шесть", "ins: и всё"]
    assert page.evaluate("document.querySelector('.difference .text').textContent").startswith("Раз два ")
    page.press("d")
    assert page.evaluate("document.querySelector('.difference')") is None


def test_formatted_text_beside_the_raw(page: Page, tmp_path: Path) -> None:
    rows = sample_rows(1, skill=0.5, seed=1)
    rows[0]["completion"]["text"] = "**Да**, $\\sqrt{b^2-4ac}$\n\n```python\nreturn 1\n```"
    page.open(write_report([build_run(tmp_path / "run", rows, model="m")], tmp_path / "r.html"))
    # Instructions are checked in the raw text, so that is shown first.
    assert "**Да**" in page.evaluate("document.querySelector('.answer').innerText")
    page.press("f")
    assert page.evaluate("document.querySelector('.answer .rich strong').textContent") == "Да"
    assert page.evaluate("document.querySelector('.answer .rich pre .k').textContent") == "return"
    root = "document.querySelector('.answer .rich msqrt')"
    assert page.evaluate(f"{root}.namespaceURI") == "http://www.w3.org/1998/Math/MathML"
    # With the font at hand a radical takes room beside what stands under it.
    page.wait_for(
        "[...document.fonts].some((font) => font.family.includes('Report Math') && font.status === 'loaded')"
    )
    wider = f"{root}.getBoundingClientRect().width - {root}.firstElementChild.getBoundingClientRect().width"
    assert page.evaluate(wider) > 5
    page.press("f")
    assert page.evaluate("document.querySelector('.answer .rich')") is None


def test_hostile_text_stays_text_when_it_is_formatted(page: Page, tmp_path: Path) -> None:
    short = [text for text in HOSTILE if 0 < len(text) < 2000]
    texts = [f"*x* {text} $\\text{{{text}}}$\n\n```html\n{text}\n```\n\n{text}" for text in short]
    rows = []
    for number, text in enumerate(texts):
        row = sample_row(str(number), text, text, [{"id": "a:b", "strict": True, "loose": True, "reason": ""}])
        row["score"]["parts"] = {}
        rows.append(row)
    run = build_run(tmp_path / "run", rows, model="m", metrics=[])
    page.open(write_report([run], tmp_path / "r.html"))
    kinds = "[...new Set([...document.querySelectorAll('#detail .rich *')].map((one) => one.localName))].sort()"
    seen: set[str] = set()
    for number in range(len(texts)):
        page.evaluate(f"location.hash = '#ruifeval/{number}'")
        page.wait_for(f"{HEADING} === '{number}'")
        seen |= set(page.evaluate(kinds))
    assert "em" in seen
    assert seen <= HTML | MATHML | {"mark"}
    assert page.evaluate("window.attacked") is None
    assert page.evaluate("document.querySelectorAll('[style], [onclick], [onerror], [href^=java]').length") == 0


def test_judges_tests_drafts_and_final_answers_are_shown(page: Page, tmp_path: Path) -> None:
    base = sample_rows(1, skill=0.5, seed=1)[0]
    turns = [
        {"rating": 8.0, "status": "ok", "form": "rating", "judge": {"judge": "judge:one", "words": "Хорошо [[8]]"}},
        {
            "rating": None,
            "status": "judge_error",
            "form": "rating",
            "judge": {"judge": "jury", "members": [{"judge": "judge:two", "error": "HTTP 500"}]},
        },
    ]
    tests = [
        {"index": 0, "outcome": "passed", "reason": ""},
        {"index": 1, "outcome": "timeout", "reason": "дольше 5 с"},
    ]
    draft_score = {"value": 1.0, "status": "ok", "parts": {}, "explanation": ""}
    draft = {"text": "черновик", "reasoning": None, "usage": {}, "answer": "42", "score": draft_score}
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "talk": (
            {"turns": turns},
            ["rating 8", "judge:one", "Хорошо [[8]]", "judge error", "judge:two", "HTTP 500"],
        ),
        "sum": ({"extracted": "41", "gold": "42", "verdict": "wrong"}, ["Extracted", "41", "Expected", "42"]),
        "code": ({"passed": 1, "total": 2, "tests": tests}, ["Tests passed: 1 of 2", "timed out", "дольше 5 с"]),
        "proof": (
            {
                "points": 5.0,
                "criteria": {"rigour": 62.5, "final_answer": None},
                "graders": [{"judge": "judge:three", "points": 5, "words": "Пропущен случай n = 2"}],
            },
            ["Criteria", "rigour", "63%", "final answer", "judge:three: 5", "Пропущен случай n = 2", "points"],
        ),
        "draft": ({}, ["Drafts (2)", "chosen", "черновик", "Extracted: 42"]),
    }
    rows = []
    for id, (parts, _) in cases.items():
        row: dict[str, Any] = {**base, "id": id, "target": "эталон"}
        row["score"] = {"value": 0.0, "status": "ok", "parts": parts, "explanation": ""}
        row["language"] = {
            "answer": {"letters": 50, "cyrillic_share": 0.5, "foreign_share": 0.125, "language": "zh"},
            "reasoning": None,
        }
        if id == "talk":
            row["completion"] = {**base["completion"], "turns": ["один", "два"], "text": "два"}
        if id == "draft":
            row |= {"candidates": [draft, draft], "chosen": 1}
        rows.append(row)
    page.open(write_report([build_run(tmp_path / "run", rows, model="m", metrics=[])], tmp_path / "r.html"))
    for id, (_, expected) in cases.items():
        page.evaluate(f"location.hash = '#ruifeval/{id}'")
        page.wait_for(f"{HEADING} === '{id}'")
        page.evaluate("for (const one of document.querySelectorAll('#detail details')) one.open = true")
        shown = page.evaluate("document.querySelector('#detail').innerText")
        for text in [*expected, "эталон", "answer: zh", "12.5% letters in other scripts"]:
            assert text in shown, (id, text)


def test_shards_are_loaded_when_they_are_looked_at(
    page: Page, runs: list[Path], data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARD_BYTES", 4_000)
    monkeypatch.setattr(rendering, "LARGEST_FILE", 10_000)
    report = write_report(runs, tmp_path / "large.html")
    shards = len(list((tmp_path / "large.data").iterdir()))
    assert shards > 12
    page.open(report)
    page.wait_for("document.querySelector('#detail .answers') !== null")
    assert page.evaluate(LISTED) == [sample["id"] for sample in data["samples"]]
    for sample in (data["samples"][20], data["samples"][1]):
        page.evaluate(f"location.hash = '#ruifeval/{sample['id']}'")
        page.wait_for(f"{HEADING} === '{sample['id']}' && document.querySelector('#detail .answers') !== null")
        assert sample["answers"][0]["text"] in page.evaluate("document.querySelector('#detail').innerText")
    assert page.evaluate("document.querySelectorAll('head script').length") == 0
    word = "корицей"
    page.choose("search", word)
    assert page.evaluate(LISTED) == []
    page.evaluate("document.getElementById('deep').click()")
    expected = [
        sample["id"]
        for sample in data["samples"]
        if any(word in answer.get("text", "") for answer in sample["answers"])
    ]
    page.wait_for(f"document.querySelectorAll('#list .id').length === {len(expected)}")
    assert page.evaluate(LISTED) == expected


def test_a_missing_shard_is_said(
    page: Page, runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "LARGEST_FILE", 10_000)
    report = write_report(runs, tmp_path / "large.html")
    for path in (tmp_path / "large.data").iterdir():
        path.unlink()
    page.open(report)
    page.wait_for("document.getElementById('trouble').textContent.includes('large.data')")
    page.problems.clear()  # the browser too says that the file is not there


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    for seed, skill in enumerate((0.3, 0.9, 0.6, 0.55), 1):
        settings = {"temperature": 0.7} if seed == 3 else {}
        cost = {"cost": {"USD": 0.1 * seed}, "known_cost": {"USD": 0.1 * seed}} if seed < 4 else None
        rows = sample_rows(30, skill=skill, seed=seed)
        build_run(folder / f"run{seed}", rows, model=f"model-{seed}", settings=settings, cost=cost)
    return write_leaderboard(folder, folder / "board.html")


NAMES = "[...document.querySelectorAll('.overview tbody tr:not([hidden]) th bdi')].map((one) => one.textContent)"


def test_the_leaderboard_is_sorted_by_its_columns(page: Page, board: Path) -> None:
    page.open(board)
    scores = json.loads(board.with_suffix(".json").read_text(encoding="utf-8"))["boards"][0]["rows"]
    best_first = [f"model-{row['run'] + 1}" for row in scores]
    assert page.evaluate(NAMES) == best_first

    def sort(column: str) -> str:
        heads = "[...document.querySelectorAll('.overview th button')]"
        page.evaluate(f"{heads}.find((one) => one.textContent === {json.dumps(column)}).click()")
        found = page.evaluate("document.querySelector('.overview [aria-sort]').getAttribute('aria-sort')")
        return str(found)

    assert sort("Model") == "ascending"
    assert page.evaluate(NAMES) == ["model-1", "model-2", "model-3", "model-4"]
    assert sort("Model") == "descending"
    assert page.evaluate(NAMES) == ["model-4", "model-3", "model-2", "model-1"]
    assert sort("Cost") == "ascending"
    assert page.evaluate(NAMES) == ["model-1", "model-2", "model-3", "model-4"]
    assert sort("Cost") == "descending"
    assert page.evaluate(NAMES) == ["model-3", "model-2", "model-1", "model-4"]  # the unknown stays last
    assert sort("ruIFEval") == "descending"
    assert page.evaluate(NAMES) == best_first


def test_the_leaderboard_is_filtered(page: Page, board: Path) -> None:
    page.open(board)

    def filter_by(text: str) -> None:
        page.evaluate(
            f"(() => {{ const one = document.getElementById('row-filter'); one.value = {json.dumps(text)};"
            " one.dispatchEvent(new Event('input')); })()"
        )

    filter_by("temperature = 0.7")
    assert page.evaluate(NAMES) == ["model-3"]
    assert page.evaluate("document.getElementById('rows-found').textContent") == "1 of 4"
    assert page.evaluate("document.querySelectorAll('.board tbody tr:not([hidden])').length") == 1
    filter_by("")
    assert len(page.evaluate(NAMES)) == 4


def test_wins_of_the_leaderboard_lead_to_their_samples(page: Page, board: Path) -> None:
    page.open(board)
    (data,) = json.loads(board.with_suffix(".json").read_text(encoding="utf-8"))["boards"]
    best, second = data["rows"][:2]
    for at, count in enumerate((second["difference"]["wins"], second["difference"]["losses"])):
        page.evaluate(f"document.querySelectorAll('.board tr:nth-child(2) a.filter')[{at}].click()")
        assert len(page.evaluate(LISTED)) == count > 0
    assert page.evaluate("document.querySelectorAll('#detail .answer').length") == 2
    sides = [
        page.evaluate(f"Number(document.getElementById('filters').elements.{one}.value)")
        for one in ("first", "second")
    ]
    assert sorted(sides) == sorted((best["run"], second["run"]))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_leaderboard_fits_its_window_and_prints(
    page: Page, board: Path, width: int, dark: bool, tmp_path: Path
) -> None:
    page.look(width=width, dark=dark)
    page.open(board)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.print(tmp_path / "board.pdf")
    assert (tmp_path / "board.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("width", [420, 1900])
def test_headings_of_all_parts_share_one_left_edge(page: Page, report: Path, board: Path, width: int) -> None:
    page.look(width=width)
    for path in (report, board):
        page.open(path)
        headings = "[...document.querySelectorAll('h1, header nav, main > section:not(.warning) > h2, #list')]"
        edges = page.evaluate(f"{headings}.map((one) => Math.round(one.getBoundingClientRect().left))")
        assert len(edges) > 4
        assert len(set(edges)) == 1


@pytest.mark.skipif(AXE is None, reason=WHY_NO_AXE)
@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.exhaustive)], ids=["light", "dark"])
def test_axe_finds_nothing(page: Page, runs: list[Path], report: Path, board: Path, dark: bool) -> None:
    single = write_report(runs[:1], report.with_name("single.html"))
    page.look(dark=dark)
    for path in (single, report, board):
        page.open(path, "#ruifeval/1003")
        page.press("d")
        assert page.violations() == []
