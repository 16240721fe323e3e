"""Model strings, and the plugins behind them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from evalkit.errors import UsageError
from evalkit.evals.models.base import ModelOptions, Sampling
from evalkit.evals.models.open import open_model, parse_spec
from evalkit.evals.models.options import read_options, truth, whole_number
from evalkit.tasks.types import Message
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("embedded", ("embedded", "", {})),
        (" embedded:smollm2-135m ", ("embedded", "smollm2-135m", {})),
        ("gguf:/models/a.gguf,context=4096", ("gguf", "/models/a.gguf", {"context": "4096"})),
        (
            "gguf:/models/a, b.gguf,context=1,threads=2",
            ("gguf", "/models/a, b.gguf", {"context": "1", "threads": "2"}),
        ),
        ("gguf:C:\\models\\a.gguf", ("gguf", "C:\\models\\a.gguf", {})),
        ("openai:llama3:8b", ("openai", "llama3:8b", {})),
        ("openai:m,omit=seed+top_p", ("openai", "m", {"omit": "seed+top_p"})),
        ("embedded,context=512", ("embedded", "", {"context": "512"})),
        ("dir/plug.py:opener,key=a=b", ("dir/plug.py:opener", "", {"key": "a=b"})),
    ],
)
def test_model_strings(spec: str, parts: tuple[str, str, dict[str, str]]) -> None:
    assert parse_spec(spec) == parts


@pytest.mark.parametrize("spec", ["", "  ", ":x", "gguf:a,b=1,c", "gguf:a,b=1,b=2"])
def test_malformed_model_strings(spec: str) -> None:
    with pytest.raises(UsageError, match="model "):
        parse_spec(spec)


@given(st.text())
def test_any_text_is_parsed_or_refused(spec: str) -> None:
    try:
        backend, argument, options = parse_spec(spec)
    except UsageError:
        return
    assert backend and all(key for key in options)
    assert argument in spec


@pytest.mark.parametrize(("spec", "near"), [("opnai:gpt", "openai"), ("gguff:x", "gguf"), ("zzz", "embedded")])
def test_an_unknown_backend(spec: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)unknown model .*{near}"):
        open_model(spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("embedded:smollm2-135m,contxt=1", r"has no option 'contxt'\. Did you mean 'context'"),
        ("openai:m,seeed=1", "has no option 'seeed'"),
        ("gguf:{file},threads=0", "option threads=0: a whole number above 0"),
    ],
)
def test_wrong_options(spec: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    with pytest.raises(UsageError, match=said):
        open_model(spec.format(file=tmp_path / "a.gguf"), ModelOptions(base_url="http://127.0.0.1:1/v1"))


PLUGIN = """
from evalkit.tasks.types import Completion

class Echo:
    name, identity, concurrency = "echo", {}, 1
    def __init__(self, options):
        self.mark = options.extra["mark"] + options.extra["given"]
    async def generate(self, messages, sampling):
        return Completion(self.mark + messages[-1].content)
    async def close(self):
        pass

def open_echo(argument, options):
    return Echo(options)
"""


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "echo.py"
    file.write_text(PLUGIN)
    model = open_model(f"{file}:open_echo,mark=!", ModelOptions(extra={"given": "?"}))
    assert asyncio.run(model.generate([Message("user", "привет")], Sampling())).text == "!?привет"
    with pytest.raises(UsageError, match=r"has no 'open_ech'\. Did you mean 'open_echo'"):
        open_model(f"{file}:open_ech")


def test_options_are_converted() -> None:
    known = {"size": whole_number, "fast": truth}
    options = ModelOptions(extra={"size": "12", "fast": "no"})
    assert read_options("x", options, known) == {"size": 12, "fast": False}
    assert read_options("x", ModelOptions(), known) == {}


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "٣", "1e3", " 1"])
def test_no_whole_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="a whole number above 0 is needed"):
        read_options("x", ModelOptions(extra={"size": text}), {"size": whole_number})


def test_a_backend_without_options_says_so() -> None:
    with pytest.raises(UsageError, match="It takes no options"):
        read_options("x", ModelOptions(extra={"size": "1"}), {})
