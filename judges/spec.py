"""The judge settings of a run, a recipe, a study or a command line, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from ..errors import UsageError, nearest
from ..options import number, one_of, truth, whole_number

NAMES: Final[Mapping[str, str]] = {
    "models": "judge",
    "base_url": "judge_base_url",
    "language": "judge_language",
    "rule": "jury_rule",
    "options": "judge_options",
}
"""The names of the fields in manifests and on the command line, beside the settings of the judged model."""

_OF_JUDGES: Final[Mapping[str, Callable[[str], Any]]] = {
    "temperature": number,
    "max_tokens": whole_number,
    "attempts": whole_number,
    "schema": one_of("auto", "off"),
    "compat": one_of("fastchat"),
    "defences": truth,
}
"""Fields of `JudgeSettings`."""

_OF_JURIES: Final[Mapping[str, Callable[[str], Any]]] = {"quorum": whole_number, "escalate_above": number}
"""Arguments of `Jury`."""


class JudgeSpec(BaseModel):
    """The judge models and their settings, all of which affect verdicts. Without ``models`` there is no judge.

    Attributes:
        models: model strings; several form a jury.
        base_url: address of their server.
        language: language of the forms.
        rule: how the values of a jury are combined.
        options: all other settings: ``temperature``, ``max_tokens``, ``attempts``, ``schema``, ``compat``
            and ``defences`` of each judge (see `JudgeSettings`), ``quorum`` and ``escalate_above`` of a jury (see
            `Jury`). Strings are converted to the right types.

    Raises:
        UsageError: an option is unknown, has an invalid value, or does not fit the number of judges.
        ValidationError: another field is invalid; `of` converts it to a `UsageError`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = ()
    base_url: str | None = None
    language: Literal["ru", "en"] = "ru"
    rule: Literal["mean", "median", "min", "majority"] = "mean"
    options: dict[str, bool | int | float | str] = {}

    @field_validator("options", mode="after")
    @classmethod
    def _as_values(cls, given: dict[str, Any]) -> dict[str, Any]:
        known = {**_OF_JUDGES, **_OF_JURIES}
        values: dict[str, Any] = {}
        for key, value in given.items():
            if key not in known:
                raise UsageError(f"--judge-option: unknown option '{key}'.{nearest(key, known)}")
            try:
                values[key] = known[key](str(value))
            except ValueError as error:
                raise UsageError(f"--judge-option {key}={value}: {error}") from None
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        judges = len(self.models)
        if self.options and not judges:
            raise UsageError("--judge-option requires --judge")
        if self.jury_options and judges == 1:
            first = next(iter(self.jury_options))
            raise UsageError(f"--judge-option {first} applies only to a jury; give several models with --judge")
        quorum = self.jury_options.get("quorum", 0)
        if quorum > judges:
            raise UsageError(f"--judge-option quorum={quorum}: there are only {judges} judges")
        return self

    @classmethod
    def of(cls, judge: JudgeSpec | Sequence[str] = (), **named: Any) -> JudgeSpec:
        """Make a spec of one model or several and the other fields, named as in the spec or as in `NAMES`.

        Raises:
            UsageError: a value is invalid (named as on the command line), or ``judge`` is a spec and further fields
                are given.
        """
        if isinstance(judge, JudgeSpec):
            if named:
                raise UsageError(f"{', '.join(named)}: not allowed together with a JudgeSpec")
            return judge
        fields = {name: field for field, name in NAMES.items()}
        try:
            models = (judge,) if isinstance(judge, str) else judge
            return cls.model_validate({"models": models, **{fields.get(key, key): named[key] for key in named}})
        except ValidationError as error:
            raise wrong_setting(error, NAMES) from None

    @property
    def judge_options(self) -> dict[str, Any]:
        """The options of each judge."""
        return {key: value for key, value in self.options.items() if key in _OF_JUDGES}

    @property
    def jury_options(self) -> dict[str, Any]:
        """The options of a jury, in their documented order."""
        return {key: self.options[key] for key in _OF_JURIES if key in self.options}


def wrong_setting(error: ValidationError, names: Mapping[str, str] | None = None) -> UsageError:
    """Return an error naming the first invalid setting as an option; ``names`` maps fields to option names."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    place[:1] = [(names or {}).get(field, field) for field in place[:1]]
    option = "--" + ".".join(place).replace("_", "-")
    return UsageError(f"{option}: {first['msg']}, got {first['input']!r}")
