"""Options and arguments that several commands share, and the help format of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperArgument, TyperCommand

if TYPE_CHECKING:
    from ..judges.spec import JudgeSpec


def option(metavar: str, help: str, *names: str, **settings: Any) -> Any:
    """Declare an option whose value is shown as ``metavar`` in the help."""
    return typer.Option(*names, metavar=metavar, help=help, **settings)


def output_option(metavar: str, help: str) -> Any:
    """Declare the option ``--output``, ``-o``."""
    return option(metavar, help, "--output", "-o")


def argument(metavar: str, help: str) -> Any:
    """Declare a positional argument."""
    return typer.Argument(metavar=metavar, help=help)


Task = Annotated[str, argument("TASK", "Task name, or path/to/file.py:object.")]
Run = Annotated[Path, argument("RUN", "Run directory.")]
Runs = Annotated[list[Path], argument("RUN", "Run directories.")]
Limit = Annotated[int | None, option("N", "Only the first N samples of each task.")]
Seed = Annotated[int, option("N", "Random seed.")]
Judge = Annotated[list[str], option("MODEL", "Model string of the judge; repeat for a jury.")]
MaybeJudge = Annotated[list[str] | None, option("MODEL", "Model string of the judge; repeat for a jury.")]
JudgeBaseUrl = Annotated[str | None, option("URL", "URL of the judge's server.")]
JudgeApiKey = Annotated[str | None, option("KEY", "API key of the judge's server.", envvar="EVALKIT_JUDGE_API_KEY")]
JudgeLanguage = Annotated[Literal["ru", "en"], typer.Option(help="Language of the judge's prompts.")]
JuryRule = Annotated[
    Literal["mean", "median", "min", "majority"],
    option("RULE", "How a jury's verdicts are combined: mean, median, min or majority."),
]
JudgeOption = Annotated[
    list[str] | None,
    option(
        "KEY=VALUE",
        "temperature, max_tokens, attempts, schema=off, compat=fastchat, defences; for a jury, quorum and"
        " escalate_above. Repeatable.",
    ),
]
Canaries = Annotated[float, option("SHARE", "Decoys (worthless answers) sent to the judge, per graded answer.")]
Budget = Annotated[str | None, option("AMOUNT", "Stop before the cost exceeds this, e.g. 5usd.")]
Sandbox = Annotated[str, option("NAME", "Sandbox for model-written programs; see 'evalkit doctor'.")]
UnsafeCode = Annotated[
    bool, typer.Option("--unsafe-code", help="Allow model-written programs to run without isolation.")
]


class Command(TyperCommand):
    """A command whose help shows arguments as ``RUN...``, without braces and Python types."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for parameter in self.params:
            if isinstance(parameter, TyperArgument):
                parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign]

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


def pairs(values: Sequence[str] | None, option: str, form: str) -> dict[str, str]:
    """Split the values of a repeatable option, each written like ``form`` (as ``KEY=VALUE``).

    Raises:
        UsageError: a value has another form, or a key occurs twice.
    """
    from ..errors import UsageError

    by_key: dict[str, str] = {}
    for text in values or ():
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise UsageError(f"{option} {text}: expected {form}")
        if key in by_key:
            raise UsageError(f"{option} {key} is given twice")
        by_key[key] = value
    return by_key


def judge_spec(
    judge: list[str] | None, base_url: str | None, language: str, rule: str, options: list[str] | None
) -> JudgeSpec:
    """Make the `JudgeSpec` of ``--judge``, ``--judge-base-url``, ``--judge-language`` and the other judge options.

    Raises:
        UsageError: an option has an invalid value.
    """
    from ..judges.spec import JudgeSpec

    return JudgeSpec.of(
        judge or (),
        base_url=base_url,
        language=language,
        rule=rule,
        options=pairs(options, "--judge-option", "KEY=VALUE"),
    )
