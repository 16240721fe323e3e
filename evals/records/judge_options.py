"""Settings of a judge or a jury that need no option of their own: ``--judge-option KEY=VALUE``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...errors import UsageError, nearest
from ..models.hf.loading import one_of
from ..models.options import truth, whole_number

if TYPE_CHECKING:
    from ...judges.cache import VerdictCache
    from ...judges.judge import JudgeModel, ModelJudge
    from ...judges.jury import Jury


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError("a number from 0 on is needed")
    return value


_JUDGE: Final[Mapping[str, Callable[[str], Any]]] = {
    "temperature": _number,
    "max_tokens": whole_number,
    "attempts": whole_number,
    "schema": one_of("auto", "off"),
    "compat": one_of("fastchat"),
    "defences": truth,
}
"""Fields of `JudgeSettings`."""

_JURY: Final[Mapping[str, Callable[[str], Any]]] = {"quorum": whole_number, "escalate_above": _number}
"""Arguments of `Jury`."""


def read_judge_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with their values converted; ``given`` has texts, or values that were converted before.

    Raises:
        UsageError: an option is unknown (nearest names are given), or has no such value.
    """
    known = {**_JUDGE, **_JURY}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise UsageError(f"--judge-option: there is no option '{key}'.{nearest(key, known)}")
        try:
            values[key] = known[key](str(value))
        except ValueError as error:
            raise UsageError(f"--judge-option {key}={value}: {error}") from None
    return values


def check_judge_options(options: Mapping[str, Any], judges: int) -> None:
    """See that options fit a number of judges.

    Raises:
        UsageError: there is no judge, one judge with options of a jury, or fewer than the quorum.
    """
    if options and not judges:
        raise UsageError("--judge-option: there is no --judge")
    of_juries = [key for key in _JURY if key in options]
    if of_juries and judges == 1:
        raise UsageError(f"--judge-option {of_juries[0]}: only a jury has it; name several judges with --judge")
    if options.get("quorum", 0) > judges:
        raise UsageError(f"--judge-option quorum={options['quorum']}: there are only {judges} judges")


def open_judge_with(
    options: Mapping[str, Any],
    models: Sequence[JudgeModel],
    *,
    cache: VerdictCache,
    language: str,
    seed: int,
    rule: str,
    forms: Iterable[str] | None = None,
) -> ModelJudge | Jury:
    """Do `judges.open.open_judge` with options that were read."""
    from ...judges.judge import JudgeSettings
    from ...judges.open import open_judge

    settings = JudgeSettings(
        language=language, seed=seed, **{key: value for key, value in options.items() if key in _JUDGE}
    )
    of_juries = {key: value for key, value in options.items() if key in _JURY}
    return open_judge(models, settings, cache=cache, rule=rule, forms=forms, **of_juries)
