"""Worthless answers among the real ones: which, how many, what is said of a judge that falls for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from evalkit.cli import main as cli
from evalkit.errors import UsageError
from evalkit.evals.judging.canaries import (
    CANARIES,
    CanaryGrading,
    GradedCanary,
    canaries_of,
    canaries_wanted,
    read_canaries,
    summary_of,
    warning_of,
)
from evalkit.evals.merge import merge
from evalkit.evals.records.plan import plan_tasks
from evalkit.evals.records.spec import RunSpec
from evalkit.evals.rescore import judge_again, rescore
from evalkit.evals.run import run
from evalkit.tasks.types import Status
from evalkit.tests.support.chat_server import LoopbackServer
from evalkit.tests.support.scripted import verdict
from typer.testing import CliRunner

REAL = "Развёрнутый и дельный ответ."


def says(rating: Callable[[str], int | str]) -> Callable[[str], str]:
    """Return a judge's answers: its rating in the verdict line that the prompt asks for."""
    return lambda prompt: verdict(prompt, rating(prompt))


def fair(prompt: str) -> int:
    return 7 if REAL in prompt else 1


def gullible(prompt: str) -> int:
    return 7 if REAL in prompt else 10


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the subject says to the questions shipped with the package, as a model string."""
    (item,) = plan_tasks(RunSpec.of(model="-", tasks=("rumtbench-mini",)))
    rows = [{"prompt": turn, "response": REAL} for sample in item.samples() for turn in sample.turns]
    file = tmp_path_factory.mktemp("subject") / "answers.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return f"replay:{file}"


def graded(answers: str, server: LoopbackServer, output: Path, **changes: Any) -> dict[str, Any]:
    settings = {"judge": ("openai:j",), "judge_base_url": server.url, "output": output, **changes}
    return orjson.loads((run(answers, ["rumtbench-mini"], **settings) / "results.json").read_bytes())


def test_a_small_run_sends_one_and_resume_and_rescore_ask_nobody(tmp_path: Path, answers: str) -> None:
    told: list[str] = []
    with LoopbackServer(answer=says(fair)) as server:
        found = graded(answers, server, tmp_path / "run", notify=told.append)
        assert len(server.requests) == 48 + 2 == found["judging"]["requests"]
        assert told == ["judge calls: 50 (up to 150 with retries)"]
        canaries = found["judging"]["canaries"]
        assert canaries == {
            "sent": 1, "fooled": 0, "unread": 0, "rate": 0.0, "interval": [0.0, pytest.approx(0.793, abs=0.001)],
            "limit": 0.01, "trusted": True,
        }  # fmt: skip
        assert found["tasks"][0]["metrics"][0]["value"] == 7.0
        (row,) = read_canaries(tmp_path / "run")
        assert [one.form.partition("-reference")[0] for one in row.gradings] == ["rating", "rating-turn-2"]
        (tmp_path / "run" / CANARIES).unlink()
        assert graded(answers, server, tmp_path / "run")["judging"]["canaries"] == canaries
        before, after = rescore(tmp_path / "run")
        assert before.judging == after.judging
        assert len(server.requests) == 50


def test_a_judge_that_falls_for_them_is_not_trusted_and_the_run_fails(tmp_path: Path, answers: str) -> None:
    command = ["run", "--model", answers, "--tasks", "rumtbench-mini", "--judge", "openai:j", "--no-report"]
    with LoopbackServer(answer=says(gullible)) as server:
        command += ["--judge-base-url", server.url]
        lone = CliRunner().invoke(cli.app, [*command, "--output", str(tmp_path / "lone")])
        assert lone.exit_code == 0, lone.output
        assert "it gave good marks to 1 of 1 canaries" in lone.output
        many = CliRunner().invoke(cli.app, [*command, "--output", str(tmp_path / "many"), "--canaries", "0.15"])
        assert many.exit_code == 1
        assert "the judge cannot be trusted: it gave good marks to 4 of 4 canaries" in many.output
        none = CliRunner().invoke(cli.app, [*command, "--output", str(tmp_path / "none"), "--canaries", "0"])
        assert none.exit_code == 0
        assert "worthless" not in none.output
        refused = CliRunner().invoke(cli.app, [*command, "--output", str(tmp_path / "no"), "--canaries", "2"])
        assert isinstance(refused.exception, Exception)
        assert "share within [0, 1]" in str(refused.exception)
        with pytest.raises(UsageError, match=r"share within \[0, 1\]"):
            judge_again(tmp_path / "none", tmp_path / "no", judge=["openai:j"], canaries=-1)
    many_results = orjson.loads((tmp_path / "many" / "results.json").read_bytes())
    assert many_results["judging"]["canaries"]["trusted"] is False
    assert many_results["tasks"][0]["metrics"][0]["value"] == 7.0
    assert orjson.loads((tmp_path / "none" / "results.json").read_bytes())["judging"]["canaries"] is None


def test_another_judge_gets_canaries_of_its_own_and_shards_put_theirs_together(
    tmp_path: Path, answers: str
) -> None:
    with LoopbackServer(answer=says(fair)) as server, LoopbackServer(answer=says(gullible)) as other:
        parts = [tmp_path / f"part{number}" for number in (1, 2)]
        for number, part in enumerate(parts, start=1):
            graded(answers, server, part, shard=f"{number}/2")
        verdicts = parts[0] / "verdicts.jsonl"
        # A kill came between a verdict and the end of its line: it must not be glued to the other shard's first.
        verdicts.write_bytes(verdicts.read_bytes().removesuffix(b"\n"))
        merge(parts, tmp_path / "whole")
        whole = orjson.loads((tmp_path / "whole" / "results.json").read_bytes())
        assert whole["judging"]["canaries"]["sent"] == 2
        shutil.rmtree(parts[0])
        told: list[str] = []
        _, after = judge_again(
            tmp_path / "whole", tmp_path / "again", judge=["openai:other"], judge_base_url=other.url, canaries=0.1,
            notify=told.append,
        )  # fmt: skip
        assert told[0] == f"judge calls: {len(other.requests)} (up to 156 with retries)"
        assert (after.canaries.sent, after.canaries.fooled) == (2, 2)
        assert rescore(tmp_path / "whole")[1].as_json()["judging"] == whole["judging"]


def test_a_judge_that_is_gone_leaves_them_unread(tmp_path: Path, answers: str) -> None:
    with LoopbackServer(
        answer=says(fair), faults=lambda number, prompt: None if REAL in prompt else "400:no"
    ) as server:
        canaries = graded(answers, server, tmp_path / "run")["judging"]["canaries"]
    assert canaries["unread"] == canaries["sent"] == 1
    assert canaries["rate"] is canaries["interval"] is None
    assert canaries["trusted"]


def test_which_and_how_many_depend_on_the_seed_and_the_size() -> None:
    def planned(task: str, **settings: Any) -> Any:
        return plan_tasks(RunSpec.of(model="-", tasks=(task,), **settings))[0]

    def first(seed: int) -> list[tuple[str, str, str]]:
        return [
            (one.sample.id, one.attack, one.probe) for one in islice(canaries_of(planned("imo-mini"), seed), 40)
        ]

    assert first(0) == first(0) != first(1)
    assert len({attack for _, attack, _ in first(0)}) == 27  # those of which code alone sees that they say nothing
    mini = planned("rumtbench-mini")
    assert [canaries_wanted(mini, share=share, epochs=1) for share in (0, 0.001, 0.02, 0.5)] == [0, 1, 1, 12]
    assert canaries_wanted(mini, share=0.02, epochs=10) == 5
    assert canaries_wanted(planned("ruifeval-mini"), share=0.5, epochs=1) == 0


def outcomes(fooled: int, caught: int, unread: int = 0) -> list[GradedCanary]:
    shares = [[1.0, 0.0]] * fooled + [[0.3]] * caught + [[None, 0.2]] * unread
    return [
        GradedCanary(
            "t", "1", "a", "p", "", tuple(CanaryGrading("rating", 0, share, share, Status.OK) for share in some)
        )
        for some in shares
    ]


@pytest.mark.parametrize(
    ("fooled", "caught", "trusted"),
    [
        (0, 0, True),
        (1, 0, True),
        (2, 0, False),
        (1, 500, True),
        (2, 98, True),
        (3, 97, False),
        (5, 995, True),
        (20, 980, False),
    ],
)
def test_the_rule_wants_evidence(fooled: int, caught: int, trusted: bool) -> None:
    summary = summary_of(outcomes(fooled, caught, unread=1))
    assert summary is not None
    assert summary.trusted is trusted
    assert (warning_of(summary) is None) == (fooled == 0)
    assert summary_of([]) is None
