"""The help of every command: no Python types, no truncated summary, help for each option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from evalkit.cli.main import app
from evalkit.cli.tables import new_table, print_table
from evalkit.evals.doctor import examine
from typer.main import get_command
from typer.testing import CliRunner


def leaf_commands(command: Any, *words: str) -> Iterator[tuple[str, ...]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from leaf_commands(child, *words, name)
    if not hasattr(command, "commands"):
        yield words


COMMANDS = list(leaf_commands(get_command(app)))


def shown_help(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="evalkit", env={"COLUMNS": "100"})
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_described_without_python_types(words: tuple[str, ...]) -> None:
    text = shown_help(words)
    assert re.findall(r"<(?:list|str|int|float|path|Path)\b[^>]*>", text) == []
    assert not re.search(r"[{}]", text.splitlines()[0])
    command: Any = get_command(app)
    for word in words:
        command = command.commands[word]
    assert [parameter.name for parameter in command.params if not parameter.help] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_option_breaks_at_a_hyphen(words: tuple[str, ...]) -> None:
    for columns in (60, 80, 100, 120):
        result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": str(columns)})
        assert not re.search(r"--[a-z-]*-\n", result.output), result.output


def test_the_doctor_gives_every_sandbox_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [("namespace", True, ""), ("docker", False, "there is no docker command")]
    monkeypatch.setattr("evalkit.evals.sandbox.describe_sandbox", lambda: states)
    lines = list(examine())
    assert "  + namespace: ready" in lines
    assert "  - docker: there is no docker command" in lines


@pytest.mark.parametrize("words", [(), ("judge",)], ids=["evalkit", "evalkit judge"])
def test_the_list_of_commands_truncates_no_summary(words: tuple[str, ...]) -> None:
    assert "..." not in shown_help(words).partition("Commands:")[2]


def test_square_brackets_in_tables_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = new_table("model [bold]", "state")
    table.add_row("[red]m", "pip install 'evalkit-ru[vllm]'")
    print_table(table)
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("model [bold]", "[red]m", "'evalkit-ru[vllm]'"))
