"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

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
Budget = Annotated[str | None, typer.Option(help="Stop before it costs more than this, as 5usd.")]
Sandbox = Annotated[str, typer.Option(help="Where programs that the model writes run [see: evalkit doctor].")]
UnsafeCode = Annotated[bool, typer.Option("--unsafe-code", help="Allow them to run without isolation.")]
