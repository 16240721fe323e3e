"""The queue for people: what goes out, what comes back in, and that it survives a rescore."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from evalkit.errors import InputError, UsageError
from evalkit.evals.engine.results import summarize
from evalkit.evals.records.rows import read_rows
from evalkit.evals.rescore import rescore
from evalkit.evals.run import run
from evalkit.evals.studies.people import PEOPLE, ImportedVerdicts, settled_by_people, take_verdicts, write_queue
from evalkit.files import encode, write_json
from evalkit.tasks.records import read_records
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.proof_judge import words
from evalkit.tests.support.scripted import verdict, verdict_asked_for

TASKS = Path(__file__).parents[2] / "support" / "proof_tasks.py"


class Judges:
    """Two judges on one server: on every second problem they differ, on one nothing of theirs can be read."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}

    def __call__(self, prompt: str) -> str:
        nth = self.times[prompt] = self.times.get(prompt, 0) + 1
        if "компании 20 человек" in prompt and "Баллы" in prompt:
            return "Не знаю, что и сказать."
        if verdict_asked_for(prompt) == "Оценка":
            return verdict(prompt, 2 if nth == 1 else 9)
        differ = "$P(1) = 9$" in prompt or "9 \\times 9" in prompt
        return words(prompt, 6 if nth == 1 or not differ else 1) or "Доказательство.\nОтвет: 1440"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six proofs and three conversations, graded by two judges."""
    directory = tmp_path_factory.mktemp("queue") / "run"
    with LoopbackServer(answer=Judges()) as server:
        run(
            "openai:m",
            [f"{TASKS}:proofs", f"{TASKS}:chats"],
            base_url=server.url,
            judge=("openai:one", "openai:two"),
            judge_base_url=server.url,
            jury_rule="median",
            limit=6,
            output=directory,
        )
    return directory


@pytest.fixture
def directory(graded: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(graded, tmp_path / "run"))


def queued(directory: Path, path: Path) -> list[dict]:
    write_queue(directory, path)
    return [dict(line) for line in read_records(path)]


def filled(path: Path, lines: list[dict], **verdicts: object) -> Path:
    path.write_bytes(b"".join(encode({**line, **verdicts}) + b"\n" for line in lines))
    return path


def rows(directory: Path) -> dict[str, dict]:
    return {row.id: row.score.as_json() for row in read_rows(directory)}


def test_what_the_judges_could_not_settle_goes_out_with_their_reasons(directory, tmp_path):
    lines = queued(directory, tmp_path / "queue.jsonl")
    proofs = {line["id"]: line for line in lines if line["task"] == "imo-mini"}
    assert {id: line["why"] for id, line in proofs.items()} == {
        "own-1": "gated", "own-3": "escalated", "own-5": "escalated", "own-6": "unscored",
    }  # fmt: skip
    line = proofs["own-5"]
    assert "$P(1) = 9$" in line["problem"]
    assert line["solution"] == "Доказательство.\nОтвет: 1440"
    assert line["scale"] == [0, 7]
    assert sorted(grader["verdict"] for grader in line["graders"]) == [1, 6]
    assert all("всё по делу" in grader["words"] for grader in line["graders"])
    assert line["target"]["scheme"]["checkpoints"]
    assert {id: line["gate"] for id, line in proofs.items()} == {
        "own-1": "wrong", "own-3": "wrong", "own-5": "right", "own-6": "wrong",
    }  # fmt: skip
    assert line["verdict"] is None
    assert {grader["status"] for grader in proofs["own-6"]["graders"]} == {"missing"}
    turns = [line for line in lines if line["task"] == "rumtbench-mini"]
    assert len(turns) == 12
    assert {line["turn"] for line in turns} == {1, 2}
    assert turns[0]["scale"] == [1, 10]
    assert turns[1]["problem"].startswith(turns[0]["problem"])


def test_a_queue_is_never_written_over(directory, tmp_path):
    path = filled(tmp_path / "queue.jsonl", queued(directory, tmp_path / "first.jsonl"), verdict=5)
    with pytest.raises(UsageError, match="--verdicts"):
        write_queue(directory, path)


def test_verdicts_of_people_stand_marked_and_survive_a_rescore(directory, tmp_path):
    before = rows(directory)
    lines = [line for line in queued(directory, tmp_path / "q.jsonl") if line["task"] == "imo-mini"]
    path = filled(tmp_path / "v.jsonl", lines, verdict=4, by="Иванова", comment="пробел в оценке")
    assert take_verdicts(directory, path) == ImportedVerdicts(4, 0)

    def holds() -> None:
        scores = rows(directory)
        for id in ("own-1", "own-3", "own-5", "own-6"):
            assert (scores[id]["value"], scores[id]["parts"]["points"]) == (4 / 7, 4.0)
            assert scores[id]["status"] == "ok"
            human = scores[id]["parts"]["human"]
            assert (human["verdict"], human["by"], human["comment"]) == (4, "Иванова", "пробел в оценке")
            assert human["machine"] == before[id]["parts"]["points"]
            assert "человека" in scores[id]["explanation"]
        assert scores["own-2"] == before["own-2"]
        (proofs, _) = orjson.loads((directory / "results.json").read_bytes())["tasks"]
        metrics = {metric["name"]: metric for metric in proofs["metrics"]}
        assert proofs["coverage"] == 1.0
        assert metrics["people"]["value"] == pytest.approx(4 / 6)

    holds()
    assert [line["task"] for line in queued(directory, tmp_path / "again.jsonl")] == ["rumtbench-mini"] * 12
    assert take_verdicts(directory, path) == ImportedVerdicts(4, 0)
    holds()
    rescore(directory)
    holds()


def test_what_a_rescore_writes_is_settled_row_by_row(directory, tmp_path):
    fresh = list(read_rows(directory))
    lines = queued(directory, tmp_path / "q.jsonl")
    take_verdicts(directory, filled(tmp_path / "v.jsonl", lines, verdict=3, by="Пётр"))
    settle = settled_by_people(directory)
    assert [settle(row) for row in fresh] == list(read_rows(directory))
    assert [settle(settle(row)) for row in fresh] == list(read_rows(directory))


def test_ratings_of_turns_are_taken_too(directory, tmp_path):
    lines = [line for line in queued(directory, tmp_path / "q.jsonl") if line["turn"] == 1]
    take_verdicts(directory, filled(tmp_path / "v.jsonl", lines, verdict=10))
    score = rows(directory)[lines[0]["id"]]
    assert [turn["rating"] for turn in score["parts"]["turns"]] == [10.0, 5.5]
    assert score["value"] == pytest.approx((1 + 4.5 / 9) / 2)
    assert "human" in score["parts"]["turns"][0]


def test_lines_without_a_verdict_stay_open_and_a_later_verdict_counts(directory, tmp_path):
    lines = queued(directory, tmp_path / "q.jsonl")
    assert take_verdicts(directory, tmp_path / "q.jsonl") == ImportedVerdicts(0, len(lines))
    assert not (directory / PEOPLE).exists() or not (directory / PEOPLE).read_bytes()
    one = [line for line in lines if line["id"] == "own-5"]
    take_verdicts(directory, filled(tmp_path / "a.jsonl", one, verdict=2))
    take_verdicts(directory, filled(tmp_path / "b.jsonl", one, verdict=7))
    assert rows(directory)["own-5"]["parts"]["points"] == 7.0
    assert rows(directory)["own-5"]["parts"]["human"]["machine"] == 3.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": 8}, "whole number from 0 to 7"),
        ({"verdict": 3.5}, "whole number"),
        ({"verdict": float("1e308")}, "whole number"),
        ({"verdict": True}, "whole number"),
        ({"verdict": "5"}, "whole number"),
        ({"verdict": 5, "id": "own-99"}, "matches no graded answer"),
        ({"verdict": 5, "id": []}, "matches no graded answer"),
        ({"verdict": 5, "turn": 3}, "matches no graded answer"),
        ({"verdict": 5, "answer_sha256": "0"}, "has changed since this line was exported"),
    ],
)
def test_a_verdict_that_cannot_be_used_changes_nothing(directory, tmp_path, change, message):
    lines = [line for line in queued(directory, tmp_path / "q.jsonl") if line["task"] == "imo-mini"]
    before = (directory / "samples.jsonl").read_bytes()
    path = filled(tmp_path / "v.jsonl", [{**lines[0], "verdict": 5}, {**lines[1], **change}])
    with pytest.raises(InputError, match=rf"v\.jsonl:2: .*{message}"):
        take_verdicts(directory, path)
    assert (directory / "samples.jsonl").read_bytes() == before
    assert not (directory / PEOPLE).exists()


def test_two_people_who_differ_are_told(directory, tmp_path):
    (line,) = [line for line in queued(directory, tmp_path / "q.jsonl") if line["id"] == "own-5"]
    path = filled(tmp_path / "v.jsonl", [{**line, "verdict": 5}, {**line, "verdict": 6}])
    with pytest.raises(InputError, match="two different verdicts"):
        take_verdicts(directory, path)
    del line["answer_sha256"]
    with pytest.raises(InputError, match="'answer_sha256' is missing"):
        take_verdicts(directory, filled(tmp_path / "w.jsonl", [line], verdict=5))


def test_a_verdict_on_an_answer_that_was_given_anew_is_passed_over(directory, tmp_path):
    lines = [line for line in queued(directory, tmp_path / "q.jsonl") if line["id"] == "own-5"]
    take_verdicts(directory, filled(tmp_path / "v.jsonl", lines, verdict=0))
    settle = settled_by_people(directory)
    (row,) = [row for row in read_rows(directory) if row.id == "own-5"]
    other = replace(row, completion=replace(row.completion, text="Иное решение."))
    assert settle(other) is other


def test_an_empty_queue_and_a_run_without_judges(directory, tmp_path):
    lines = queued(directory, tmp_path / "q.jsonl")
    take_verdicts(directory, filled(tmp_path / "v.jsonl", lines, verdict=5))
    assert write_queue(directory, tmp_path / "empty.jsonl") == 0
    assert take_verdicts(directory, tmp_path / "empty.jsonl") == ImportedVerdicts(0, 0)
    assert summarize(directory).complete


def test_a_run_that_is_going_on_is_left_alone(directory, tmp_path):
    queued(directory, tmp_path / "q.jsonl")
    manifest = orjson.loads((directory / "manifest.json").read_bytes())
    write_json(directory / "manifest.json", {**manifest, "finished": None})
    with pytest.raises(UsageError, match="resume it"):
        take_verdicts(directory, tmp_path / "q.jsonl")
    with pytest.raises(InputError, match="not a run directory"):
        write_queue(tmp_path, tmp_path / "x.jsonl")


PLUGIN = """
from dataclasses import replace

from evalkit.tasks import Sample, Score, Status, mean_value
from evalkit.tasks.base import Grading

class Essays:
    name, version, title, max_tokens = "essays", "1", "Essays", 64
    metrics = (mean_value(),)
    needs, forms = ("judge",), ("rating",)

    def samples(self, *, split, limit, seed):
        return [Sample.ask(word, f"Сочинение: {word}") for word in ("лес", "море", "поле")]

    def read(self, path):
        return []

    async def score(self, sample, completion, context):
        said = await context.judge.grade("rating", {"question": sample.prompt, "answer": completion.text})
        value = None if said.value is None else (said.value - 1) / 9
        return Score(value, said.status, {"mark": said.value, "said": dict(said.details)})

class Reviewed(Essays):
    name = "reviewed"

    def review(self, completion, score):
        parts = score.parts
        doubt = "escalated" if parts["mark"] == 2 else None
        yield Grading(
            completion.text, (1, 10), parts["mark"], score.status.value, doubt=doubt, judged=parts["said"],
            human="human" in parts,
        )

    def settle(self, score, verdict):
        machine = score.parts["human"]["machine"] if "human" in score.parts else score.parts["mark"]
        parts = {**score.parts, "mark": verdict.value, "human": verdict.as_json(machine)}
        return replace(score, value=(verdict.value - 1) / 9, status=Status.OK, parts=parts)

essays, reviewed = Essays(), Reviewed()
"""


def test_the_task_of_a_plugin_says_itself_what_people_grade(tmp_path):
    """Nothing of these tasks is known to evalkit, and they derive from nothing of it."""
    (tmp_path / "essays.py").write_text(PLUGIN, encoding="utf-8")

    def answer(prompt: str) -> str:
        if not (nonce := re.findall(r"Оценка ([bcdfghjkmnpqrstvwxz]{10})", prompt)):
            return f"Моё {prompt}"
        return "Не знаю." if "лес" in prompt else f"Так.\nОценка {nonce[-1]}: [[{2 if 'море' in prompt else 9}]]"

    directory = tmp_path / "run"
    with LoopbackServer(answer=answer) as server:
        run(
            "openai:m",
            [f"{tmp_path / 'essays.py'}:essays", f"{tmp_path / 'essays.py'}:reviewed"],
            base_url=server.url,
            judge=("openai:one",),
            judge_base_url=server.url,
            output=directory,
        )
    lines = sorted(queued(directory, tmp_path / "q.jsonl"), key=lambda line: line["id"])
    assert [(line["task"], line["id"], line["why"]) for line in lines] == [
        ("reviewed", "лес", "unscored"),
        ("reviewed", "море", "escalated"),
    ]
    assert lines[0]["scale"] == [1, 10]
    assert lines[0]["solution"] == "Моё Сочинение: лес"
    assert [grader["words"] for grader in lines[0]["graders"]] == ["Не знаю."]
    with pytest.raises(InputError, match="whole number from 1 to 10"):
        take_verdicts(directory, filled(tmp_path / "bad.jsonl", lines, verdict=0))
    assert take_verdicts(directory, filled(tmp_path / "v.jsonl", lines, verdict=10, by="Пётр")) == ImportedVerdicts(
        2, 0
    )
    for again in (False, True):
        if again:
            rescore(directory)
        scores = {(row.task, row.id): row.score for row in read_rows(directory)}
        human = {"verdict": 10, "by": "Пётр", "comment": "", "machine": None}
        assert scores["reviewed", "лес"].parts["human"] == human
        assert scores["reviewed", "море"].parts["human"] == {**human, "machine": 2.0}
        assert scores["reviewed", "лес"].value == scores["reviewed", "море"].value == 1
        assert scores["reviewed", "поле"].value == scores["essays", "поле"].value == 8 / 9
        assert scores["essays", "лес"].value is None
    assert write_queue(directory, tmp_path / "none.jsonl") == 0
