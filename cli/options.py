"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ..judges.spec import JudgeSpec

Judge = Annotated[list[str], typer.Option(help="The model that grades, a model string; several are a jury.")]
MaybeJudge = Annotated[
    list[str] | None, typer.Option(help="The model that grades, a model string; several are a jury.")
]
JudgeBaseUrl = Annotated[str | None, typer.Option(help="Address of the judge's server.")]
JudgeApiKey = Annotated[
    str | None, typer.Option(envvar="EVALKIT_JUDGE_API_KEY", help="Key for it.", show_envvar=True)
]
JudgeLanguage = Annotated[Literal["ru", "en"], typer.Option(help="Language of the judge's prompts.")]
JuryRule = Annotated[
    Literal["mean", "median", "min", "majority"], typer.Option(help="How the values of a jury become one.")
]
JudgeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="temperature, max_tokens, attempts, schema=off, compat=fastchat, defences; a jury's quorum and"
        " escalate_above. Several may be given.",
    ),
]
Canaries = Annotated[
    float, typer.Option(help="Worthless answers to grade among the real ones, as a share of them; 0 for none.")
]
Budget = Annotated[str | None, typer.Option(help="Stop before it costs more than this, as 5usd.")]
Sandbox = Annotated[str, typer.Option(help="Where programs that the model writes run [see: evalkit doctor].")]
UnsafeCode = Annotated[bool, typer.Option("--unsafe-code", help="Allow them to run without isolation.")]


def pairs(given: list[str] | None, option: str, form: str) -> dict[str, str]:
    """Split what was given for an option, each like ``form`` (as ``KEY=VALUE``).

    Raises:
        UsageError: one is not, or a key is given twice.
    """
    from ..errors import UsageError

    found: dict[str, str] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise UsageError(f"{option} {text}: give it as {form}")
        if key in found:
            raise UsageError(f"{option} {key} is given twice")
        found[key] = value
    return found


def judge_spec(
    judge: list[str] | None, base_url: str | None, language: str, rule: str, options: list[str] | None
) -> JudgeSpec:
    """Return what ``--judge``, ``--judge-base-url``, ``--judge-language``, ``--jury-rule``, ``--judge-option`` say.

    Raises:
        UsageError: they say something wrong.
    """
    from ..judges.spec import JudgeSpec

    return JudgeSpec.of(
        judge or (),
        base_url=base_url,
        language=language,
        rule=rule,
        options=pairs(options, "--judge-option", "KEY=VALUE"),
    )
