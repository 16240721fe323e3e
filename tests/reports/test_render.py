"""One offline file: the same bytes for the same runs, readable in two languages, right in its numbers."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from evalkit.errors import RunError, UsageError
from evalkit.reports import report_data, write_leaderboard, write_report
from evalkit.reports.charts.intervals import intervals
from evalkit.reports.language.numbers import Numbers
from evalkit.reports.pages.assets import style_text
from evalkit.reports.pages.environment import breakable
from evalkit.tasks.rumtbench.scoring import METRICS
from evalkit.tasks.types import mean_value
from evalkit.tests.support.page_reader import STRINGS, Parsed, unpack
from evalkit.tests.support.run_builder import build_run, failed_row, rated_rows, sample_row, sample_rows


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    weak = sample_rows(20, skill=0.3, seed=2)
    weak[4] = failed_row(weak[4], "HTTP 500")
    return [
        build_run(tmp_path / "strong", sample_rows(20, skill=0.8, seed=1), model="embedded:strong"),
        build_run(tmp_path / "weak", weak, model="embedded:weak", settings={"temperature": 0.5}),
    ]


@pytest.fixture
def page(runs: list[Path], tmp_path: Path) -> str:
    return write_report(runs, tmp_path / "report.html").read_text(encoding="utf-8")


def test_equal_runs_give_equal_bytes(runs: list[Path], tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from evalkit.reports import write_report;"
        "write_report([Path(one) for one in sys.argv[2:]], Path(sys.argv[1]))"
    )
    pages = []
    for seed in ("1", "2"):
        output = tmp_path / f"{seed}.html"
        command = [sys.executable, "-c", program, str(output), *map(str, runs)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"})
        pages.append(output.read_bytes())
    assert pages[0] == pages[1]


def test_the_data_lies_beside_the_page(runs: list[Path], tmp_path: Path) -> None:
    write_report(runs, tmp_path / "shown.html")
    data = orjson.loads((tmp_path / "shown.json").read_bytes())
    assert data["schema_version"] == 3
    assert {**data, "samples": report_data(runs)["samples"]} == orjson.loads(orjson.dumps(report_data(runs)))
    write_report(runs, tmp_path)
    assert (tmp_path / "report.json").read_bytes() == (tmp_path / "shown.json").read_bytes()


def test_a_judge_stands_beside_every_score_that_it_gave(tmp_path: Path) -> None:
    judged = {"judge": ["openai:judge"]}
    passport = {"sha256": "ab" * 32, "line": "order consistency 0.91", "path": "judge.json"}
    canaries = {"sent": 9, "fooled": 4, "unread": 1, "rate": 0.5, "interval": [0.2, 0.8], "trusted": False}
    runs = [
        build_run(
            tmp_path / "a", rated_rows((5, 7, 9)), model="a", settings=judged, metrics=METRICS, canaries=canaries,
            manifest={"passport": passport},
        ),
        build_run(tmp_path / "b", rated_rows((5, 6, 7)), model="b", settings=judged, metrics=METRICS),
    ]  # fmt: skip
    words = STRINGS["en"]["judge"]
    fooled = words["canaries"].format(fooled=4, read=8)
    # In the report beside the scores and beside the differences; on the leaderboard in both tables.
    for page in (write_report(runs, tmp_path / "r.html"), write_leaderboard(tmp_path, tmp_path / "l.html")):
        text = " ".join(Parsed(page.read_text(encoding="utf-8")).text.split())
        assert text.count("order consistency 0.91; ") == 2
        assert text.count(f"{words['untrusted']}: {fooled} (20.0–80.0%), {words['unread'].format(unread=1)}") == 2
        assert text.count(words["no_passport"]) == 2
    plain = build_run(tmp_path / "c", sample_rows(3, skill=0.5, seed=1), model="c", settings=judged)
    assert words["no_passport"] not in Parsed(write_report([plain], tmp_path / "c.html").read_text("utf-8")).text


def test_nothing_is_asked_of_the_network(page: str) -> None:
    parsed = Parsed(page)
    for tag, attributes in parsed.elements:
        assert tag not in {"iframe", "object", "embed", "base", "img", "audio", "video", "form"} or tag == "form"
        for name, value in attributes.items():
            assert name not in {"src", "srcset", "action", "style", "srcdoc"}
            assert not name.startswith("on")
            if name == "href":
                assert value is not None
                assert value.startswith("#") or value == "data:,"
    (style,) = [text for tag, _, text in parsed.raw if tag == "style"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_permits_our_script_and_style_alone(page: str) -> None:
    parsed = Parsed(page)
    (policy,) = [
        attributes["content"]
        for tag, attributes in parsed.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    running = {tag: text for tag, attributes, text in parsed.raw if "type" not in attributes}
    assert directives.pop("default-src") == "'none'"
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(running[tag].encode()).digest()).decode()
        assert directives.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert directives == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert [attributes.get("type") for tag, attributes, _ in parsed.raw if tag == "script"] == [
        "application/json",
        "text/plain",
        None,
    ]


def test_the_samples_come_out_as_they_went_in(runs: list[Path], page: str) -> None:
    assert unpack(page) == report_data(runs)["samples"]


def test_the_figures_are_on_the_page_without_any_script(runs: list[Path], page: str) -> None:
    text = " ".join(Parsed(page).text.split())
    data = report_data(runs)
    for metric in data["tasks"][0]["metrics"]:
        for point in metric["runs"]:
            assert f"{point['value'] * 100:.1f}%" in text
            assert f"{point['low'] * 100:.1f}–{point['high'] * 100:.1f}" in text
        for dimension in metric["breakdown"]:
            for row in dimension["rows"]:
                assert row["label"].split(":")[-1] in text
    assert "95.0%" in text  # coverage of the run whose server failed once
    assert "evalkit run --model embedded:strong --tasks ruifeval --limit 20" in text
    assert STRINGS["en"]["warnings"]["setting"] in text
    assert "server error 1" in text


def test_russian_interface(runs: list[Path], tmp_path: Path) -> None:
    page = write_report(runs, tmp_path / "ru.html", language="ru").read_text(encoding="utf-8")
    parsed = Parsed(page)
    assert ("html", {"lang": "ru"}) in parsed.elements
    value = report_data(runs)["tasks"][0]["metrics"][0]["runs"][0]["value"]
    assert f"{value * 100:.1f}".replace(".", ",") + "\N{NO-BREAK SPACE}%" in parsed.text
    assert "Охват и затраты" in parsed.text
    assert '"language": "ru"' in page


def test_an_unknown_language_is_wrong_usage(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'fr'; available: en, ru"):
        write_report(runs, tmp_path / "report.html", language="fr")  # type: ignore[arg-type]


def test_output_may_be_a_folder_or_lie_in_a_new_one(runs: list[Path], tmp_path: Path) -> None:
    assert write_report(runs, tmp_path) == tmp_path / "report.html"
    assert write_report(runs, tmp_path / "new" / "deep" / "r.html").stat().st_size > 10_000


def test_a_place_that_cannot_be_written_is_named(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="file"):
        write_report(runs, tmp_path / "file" / "report.html")


def test_a_task_without_instructions_and_breakdowns(tmp_path: Path) -> None:
    rows = []
    for row in sample_rows(6, skill=0.5, seed=1):
        score = {
            "value": 0.5,
            "status": "ok",
            "parts": {"points": 3, "criteria": {"ясность": [1, 2]}},
            "explanation": "так",
        }
        rows.append({**row, "task": "essay", "score": score})
    run = build_run(tmp_path / "a", rows, model="a", title="Essays", metrics=[mean_value(title="Mean rating")])
    page = write_report([run], tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Mean rating" in Parsed(page).text
    assert unpack(page)[0]["answers"][0]["parts"] == {"points": 3, "criteria": {"ясность": [1, 2]}}


def test_a_run_in_which_nothing_was_scored(tmp_path: Path) -> None:
    rows = [failed_row(row, "no server") for row in sample_rows(3, skill=0.5, seed=1)]
    page = write_report([build_run(tmp_path / "a", rows, model="a")], tmp_path / "a.html").read_text(
        encoding="utf-8"
    )
    assert "0.0%" in Parsed(page).text
    assert "—" in Parsed(page).text


def test_costs_are_shown_where_any_is_known(tmp_path: Path) -> None:
    rows = sample_rows(3, skill=0.5, seed=1)
    known = {"cost": {"USD": 0.0123}, "known_cost": {"USD": 0.0123}}
    partly = {"cost": None, "known_cost": {"RUB": 12.5}}
    runs = [
        build_run(tmp_path / name, rows, model=name, cost=cost)
        for name, cost in (("a", known), ("b", partly), ("c", None))
    ]
    text = Parsed(write_report(runs, tmp_path / "r.html", language="ru").read_text(encoding="utf-8")).text
    assert "0,0123\N{NO-BREAK SPACE}USD" in text
    assert "≥ 12,50\N{NO-BREAK SPACE}RUB" in text
    alone = write_report(runs[2:], tmp_path / "alone.html", language="ru").read_text(encoding="utf-8")
    assert "Стоимость" not in Parsed(alone).text


def test_charts_draw_what_is_there() -> None:
    points = [
        {"value": 0.5, "low": 0.25, "high": 0.75},
        None,
        {"value": None},
        {"value": 1.0, "low": None, "high": None},
    ]
    chart = intervals(points, bars=True)
    assert chart.count('class="mark') == 2
    assert chart.count('class="whisker') == 1
    assert 'x1="25%" x2="75%"' in chart
    assert 'height="6em"' in chart


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "—"),
        (0.04, "0.0 s"),
        (59.44, "59.4 s"),
        (59.96, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert Numbers(STRINGS["en"]).duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-20T09:15:02+03:00", "2026-11-20 06:15 UTC"),
        ("2026-11-20T09:15:02", "2026-11-20 09:15 UTC"),
        ("yesterday", "yesterday"),
        (None, "—"),
    ],
)
def test_moments(text: str | None, shown: str) -> None:
    assert Numbers(STRINGS["en"]).moment(text) == shown


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_apart(theme: int) -> None:
    style = style_text()
    palettes = [
        dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{([^}]*)\}", style)
    ]
    palette = palettes[theme]
    for background in ("paper", "sheet", "tint", "notice"):
        for text in ("ink", "quiet", "link", "good", "bad"):
            assert _contrast(palette[text], palette[background]) >= 4.5, (text, background)
    assert _contrast(palette["edge"], palette["sheet"]) >= 3
    assert _contrast(palette["ink"], palette["found"]) >= 4.5
    for run in range(8):
        assert _contrast(palette[f"m{run}"], palette["paper"]) >= 3


@pytest.mark.shared
def test_three_models_on_541_real_prompts_fit_in_one_file(datasets: Path, tmp_path: Path) -> None:
    folder = datasets / "ruifeval"
    prompts = [orjson.loads(line) for line in (folder / "ruIFEval_v0.1.jsonl").read_bytes().splitlines()]
    answers = [
        orjson.loads(line)["response"]
        for line in (folder / "response_gemini_pro_v0.1.jsonl").read_bytes().splitlines()
    ]
    runs = []
    for model in range(3):
        # Another model's answers are as long and as varied; moved far away, they cannot be packed as repetitions.
        moved = answers[180 * model :] + answers[: 180 * model]
        rows = [
            sample_row(
                str(prompt["key"]),
                prompt["prompt"],
                answer,
                [
                    {
                        "id": one,
                        "strict": bool(index % 2),
                        "loose": True,
                        "reason": f"{index} слов, требуется не меньше 200",
                    }
                    for index, one in enumerate(prompt["instruction_id_list"], model)
                ],
                metadata={"instruction_id_list": prompt["instruction_id_list"], "kwargs": prompt["kwargs"]},
            )
            for prompt, answer in zip(prompts, moved, strict=True)
        ]
        runs.append(build_run(tmp_path / str(model), rows, model=f"model-{model}"))
    report = write_report(runs, tmp_path / "report.html")
    assert report.stat().st_size <= 1_500_000


def test_axes_have_the_decimal_mark_of_the_language(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a", rated_rows((8, 9) * 8), model="a", metrics=METRICS)
    for language, mark in (("en", "7.5"), ("ru", "7,5")):
        page = write_report([run], tmp_path / "report.html", language=language).read_text(encoding="utf-8")
        assert re.findall(r'text-anchor="middle">(7[.,]5)</text>', page)[:1] == [mark]


def test_a_difference_that_would_have_been_seen_is_in_points() -> None:
    assert Numbers(STRINGS["en"]).reach(0.172) == "17.2\N{NO-BREAK SPACE}points"
    assert Numbers(STRINGS["ru"]).reach(0.172) == "17,2\N{NO-BREAK SPACE}п.\N{NO-BREAK SPACE}п."
    assert Numbers(STRINGS["en"]).reach(1.07, "number") == "1.07"


def test_a_judge_of_all_models_is_named_once(tmp_path: Path) -> None:
    runs = [
        build_run(
            tmp_path / name, rated_rows((5, 7)), model=name, settings={"judge": ["openai:judge"]}, metrics=METRICS,
        )
        for name in ("a", "b", "c")
    ]  # fmt: skip
    page = write_report(runs, tmp_path / "report.html").read_text(encoding="utf-8")
    first = page.split('<ul class="judges">')[1].split("</ul>")[0]
    assert first.count("<li>") == first.count("openai:judge") == 1
    assert 'class="run"' not in first


def test_long_names_break_behind_punctuation_and_stay_escaped() -> None:
    assert breakable("hf:a/b-c") == "hf:<wbr>a/<wbr>b-<wbr>c"
    assert breakable("<b>&x:y") == "&lt;b&gt;&amp;x:<wbr>y"
    assert breakable("x" * 30) == "x" * 24 + "<wbr>" + "x" * 6
