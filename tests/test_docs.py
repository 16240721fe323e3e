"""The documents: no dead link or anchor, and no command or option that does not exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import evalkit
import pytest
from evalkit.cli.main import app
from evalkit.evals.lm_eval.aliases import NOT_NEEDED, TRANSLATED
from typer.main import get_command

ROOT = Path(evalkit.__file__).parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\[[^\]\n]*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead_links(page: Path) -> list[str]:
    dead = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of evalkit: in blocks for a shell, in a pod's manifest, and within a text."""
    text = page.read_text(encoding="utf-8")
    for language, block in _FENCE.findall(text):
        if language not in ("console", "bash", "sh", "yaml"):
            continue
        joined = re.sub(r"\\\n\s*", " ", block)
        if language == "yaml":
            joined = re.sub(r"\n\s+--", " --", joined)
        for line in joined.splitlines():
            found = re.match(r"(?:\$ |srun | +)?(evalkit .*)", line)
            if found:
                yield from split(re.sub(r"\$\(\(.*?\)\)|\$\{\w+\}|\$\w+", "1", found[1]))
    for span in re.findall(r"`(evalkit [^`]*)`", _FENCE.sub("", text)):
        yield from split(span.replace("\n", " "))


def split(line: str) -> Iterator[list[str]]:
    """Split a line into its commands, and each into words, as a shell does."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(";|&<>"):
            if words[:1] == ["evalkit"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


def complaint(words: list[str]) -> str:
    """Say what is wrong with a command, without running it: an unknown command, or an unknown option of it."""
    command: Any = get_command(app)
    borrowed = {*TRANSLATED, *NOT_NEEDED} if words[:1] == ["run"] else set()
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    options = (
        {name for option in command.params for name in (*option.opts, *option.secondary_opts) if name[0] == "-"}
        | {"--help"}
        | borrowed
    )
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    unknown = [name for name in given if name not in options]
    return f"no option {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_is_dead(page: Path) -> None:
    assert dead_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists_with_its_options(page: Path) -> None:
    wrong = {" ".join(words): found for words in commands(page) if (found := complaint(words))}
    assert wrong == {}


def test_every_path_in_the_guide_for_contributors_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml))`", text)
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page of mine\n[here](#a-page-of-mine) [gone](#nowhere) [lost](lost.md)\n\n"
        "```console\n$ evalkit rnu --model x\n$ evalkit report a \\\n    --ouput b; evalkit tasks\n```\n"
        "`evalkit run --x`\n",
        encoding="utf-8",
    )
    assert dead_links(page) == ["#nowhere", "lost.md"]
    assert [complaint(words) for words in commands(page)] == [
        "no command 'rnu'",
        "no option --ouput",
        "",
        "no option --x",
    ]
