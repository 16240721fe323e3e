"""Samples in the page or in shards beside it: the same samples, with an index to list and filter them by."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.reports import report_data, write_report
from evalkit.reports.pages import packing, rendering
from evalkit.reports.pages.packing import pack
from evalkit.reports.pages.report import render
from evalkit.tests.support.page_reader import payload, plain, unpacked
from evalkit.tests.support.run_builder import build_run, sample_rows
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [
        build_run(tmp_path / "a", sample_rows(40, skill=0.8, seed=1), model="a"),
        build_run(tmp_path / "b", sample_rows(40, skill=0.3, seed=2), model="b"),
    ]


def unpacked_file(shard: Path) -> tuple[int, list[dict[str, Any]]]:
    call = re.fullmatch(r'evalkitShard\((\d+),"([^"\\<>&\s]+)"\)\n', shard.read_text(encoding="ascii"))
    assert call is not None
    return int(call[1]), unpacked(call[2])


def test_the_index_says_where_each_sample_lies(runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "SHARD_BYTES", 20_000)
    samples = report_data(runs)["samples"]
    listed, *shards = payload(render({**report_data(runs), "samples": samples}))
    index = listed["samples"]
    assert len(shards) > 3
    assert [plain(shards[one["shard"]][one["at"]]) for one in index] == samples
    for one, sample in zip(index, samples, strict=True):
        assert sample["messages"][-1]["content"].startswith(one["teaser"])
        for brief, answer in zip(one["answers"], sample["answers"], strict=True):
            verdicts = answer["parts"]["instructions"]
            assert brief == [
                answer["value"],
                answer["status"],
                "".join(str(int(verdict["strict"])) for verdict in verdicts),
            ]
            assert one["ids"] == [verdict["id"] for verdict in verdicts]


def test_an_answer_with_other_instructions_keeps_its_own(runs: list[Path]) -> None:
    (sample,) = report_data(runs)["samples"][:1]
    sample["answers"][1]["parts"]["instructions"] = [{"id": "other:one", "strict": True}]
    index = unpacked(pack([sample]).index)["samples"]
    assert index[0]["answers"][1][2:] == ["1", ["other:one"]]


def test_a_large_report_has_its_shards_beside_it(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARD_BYTES", 20_000)
    small = write_report(runs, tmp_path / "report.html")
    folder = tmp_path / "report.data"
    assert not folder.exists()
    monkeypatch.setattr(rendering, "LARGEST_FILE", 100_000)
    large = write_report(runs, tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(r"script-src &#39;sha256-[^;]+;[^;]* &#39;self&#39;", large) is not None
    (index,) = (part["samples"] for part in payload(large))
    shards = dict(unpacked_file(path) for path in sorted(folder.iterdir()))
    found = [plain(shards[one["shard"]][one["at"]]) for one in index]
    assert found == report_data(runs)["samples"]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "0099.js").write_text("stale", encoding="utf-8")
    (folder / "note.txt").write_text("another's", encoding="utf-8")
    write_report(runs, tmp_path / "report.html")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before | {"note.txt": b"another's"}
    monkeypatch.setattr(rendering, "LARGEST_FILE", 1_500_000)
    write_report(runs, small)
    assert [path.name for path in folder.iterdir()] == ["note.txt"]


def test_only_so_many_texts_are_rendered(runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    samples = report_data(runs)["samples"]
    for sample in samples:
        sample["answers"][0]["text"] = "**да**"
    shard = orjson.dumps(unpacked(pack(samples).shards[0]))
    assert shard.count(b'"html"') == 40
    monkeypatch.setattr(packing, "MOST_RENDERED", 10)
    shard = orjson.dumps(unpacked(pack(samples).shards[0]))
    assert 0 < shard.count(b'"html"') < 10


@given(st.text() | st.lists(st.text(alphabet='аЁґ–\x98\x00"\\\u2028日😀', max_size=9)))
def test_any_text_can_be_packed(value: Any) -> None:
    packed = pack([{"task": "t", "id": "1", "epoch": 0, "messages": [], "answers": [None], "target": value}])
    (shard,) = packed.shards
    assert unpacked(shard)[0]["target"] == value
    assert not set(shard) & set('<>&"\\\n')


def test_the_font_for_formulas_comes_only_with_formulas(runs: list[Path]) -> None:
    data = report_data(runs)
    assert "font/woff2" not in render(data)
    data["samples"][0]["answers"][0]["text"] = "$\\sqrt{2}$"
    page = render(data)
    assert "font-src data:;" in page
    assert "data:font/woff2;base64," in page
