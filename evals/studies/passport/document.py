"""The passport document: measurements of one judge, tied to it by a hash, and thresholds on them."""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from ....errors import InputError, RunError, UsageError, nearest
from ....files import read_json, write_json
from ....tasks.types import Judge
from ...records.manifest import differences, plain
from .measurements import Measurement

SCHEMA_VERSION: Final = 1
SHOWN: Final = ("order_consistency", "retest", "length_auc", "markdown_auc", "attack_success", "coverage")
"""Measurements shown in the one-line summary."""

_SIGNS: Final = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_THRESHOLD: Final = re.compile(r"\s*(?P<name>[\w.]+)\s*(?P<sign>>=|<=|>|<)\s*(?P<bound>[-+]?\d*\.?\d+)\s*")


@dataclass(frozen=True, slots=True)
class Passport:
    """What was measured on a judge.

    ``identity`` is everything that changes its verdicts (model, settings, the forms it was asked by, parser), and
    ``sha256`` the hash of that: a judge of another hash has another passport. ``labelled`` says on which labelled
    set ``agreement`` was measured.
    """

    judge: str
    identity: Mapping[str, Any]
    sha256: str
    family: str | None
    probes_sha256: str
    measured: str
    measurements: tuple[Measurement, ...]
    labelled: Mapping[str, Any] | None = None
    agreement: tuple[Measurement, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def forms(self) -> frozenset[str]:
        """The forms that the judge was asked by."""
        return frozenset(_forms(self.identity))

    def find(self, name: str) -> Measurement:
        """Return a measurement by its name; those on the labelled set are ``labelled.NAME``.

        Raises:
            UsageError: the passport has none of that name.
        """
        named = {one.name: one for one in self.measurements}
        named |= {f"labelled.{one.name}": one for one in self.agreement}
        if name not in named:
            raise UsageError(f"the passport of {self.judge} has no measurement '{name}'.{nearest(name, named)}")
        return named[name]

    def line(self) -> str:
        """Return the passport in one line, to stand beside a score."""
        shown = [one for one in self.measurements if one.name in SHOWN and one.estimate.value is not None]
        shown += [one for one in self.agreement if one.name == "accuracy"]
        return ", ".join(f"{one.name} {one.estimate.value:.2f}{'!' if one.off else ''}" for one in shown)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        measured = {name: [one.as_json() for one in getattr(self, name)] for name in ("measurements", "agreement")}
        return {"schema_version": SCHEMA_VERSION, **asdict(self), **measured}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound that a measurement must keep, as ``order_consistency >= 0.8`` or ``labelled.mae < 0.2``."""

    name: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Read a threshold.

        Raises:
            UsageError: it is not one.
        """
        found = _THRESHOLD.fullmatch(text)
        if found is None:
            raise UsageError(f"'{text}' is not a threshold: give it as 'order_consistency >= 0.8'")
        return cls(found["name"], found["sign"], float(found["bound"]))

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.bound:g}"

    def holds(self, passport: Passport) -> bool:
        """Tell whether the measured value keeps the bound; what was not measured does not.

        Raises:
            UsageError: there is no such measurement.
        """
        value = passport.find(self.name).estimate.value
        if value is None:
            return False
        return bool(_SIGNS[self.sign](value, self.bound))


def judge_identity(judge: Judge, forms: Iterable[str]) -> dict[str, Any]:
    """Return what a judge's verdicts on some forms depend on, the seed of a run left out."""
    return _narrowed(plain(judge.identity), frozenset(forms))


def identity_sha256(identity: Mapping[str, Any]) -> str:
    """Return the hash of an identity, in hex."""
    return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_passport(path: Path, passport: Passport) -> None:
    """Write a passport.

    Raises:
        RunError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, passport.as_json())


def read_passport(path: Path) -> Passport:
    """Read a passport.

    Raises:
        InputError: there is none, it is damaged, or it has been changed by hand.
    """
    try:
        data = read_json(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; evalkit judge passport writes one") from None
    if not isinstance(data, dict) or data.pop("schema_version", None) != SCHEMA_VERSION:
        raise InputError(f"{path} is not a passport of this version of evalkit (schema_version {SCHEMA_VERSION})")
    try:
        for name in ("measurements", "agreement"):
            data[name] = tuple(Measurement.from_json(one) for one in data[name])
        passport = Passport(**data)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): measure the judge again") from None
    if identity_sha256(passport.identity) != passport.sha256:
        raise InputError(f"{path}: its sha256 does not match the judge that it describes: measure the judge again")
    return passport


def require_passport(judge: Judge, path: Path | None, thresholds: Sequence[Threshold] = ()) -> Passport:
    """Return the passport of a judge, or refuse the judge.

    Raises:
        UsageError: there is no passport, or it is that of another judge (every difference is shown).
        InputError: the file is not a passport.
        RunError: a threshold is not met (each is shown).
    """
    if path is None or not path.exists():
        raise UsageError(
            f"the judge {judge.name} has no passport{'' if path is None else f' at {path}'}:"
            " measure it with evalkit judge passport --judge J -o FILE"
        )
    passport = read_passport(path)
    # A run's judge names only the forms that the run needs; others say nothing about it.
    shared = passport.forms & _forms(judge.identity)
    found = differences(_narrowed(passport.identity, shared), judge_identity(judge, shared))
    if found:
        raise UsageError(
            f"{path} is the passport of another judge than {judge.name}; they differ in\n" + "\n".join(found)
        )
    unmet = [threshold for threshold in thresholds if not threshold.holds(passport)]
    if unmet:
        said = "; ".join(f"{one} (measured {_measured(passport, one.name)})" for one in unmet)
        raise RunError(f"the judge {judge.name} does not meet --threshold, by its passport {path}: {said}")
    return passport


def _measured(passport: Passport, name: str) -> str:
    estimate = passport.find(name).estimate
    if estimate.value is None:
        return "nothing"
    bounds = "" if estimate.low is None else f" [{estimate.low:.2f}–{estimate.high:.2f}]"
    return f"{estimate.value:.2f}{bounds}"


def _narrowed(identity: Mapping[str, Any], forms: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in identity.items() if name != "seed"}
    if "forms" in kept:
        kept["forms"] = {name: sha256 for name, sha256 in kept["forms"].items() if name in forms}
    if "members" in kept:
        kept["members"] = [_narrowed(member, forms) for member in kept["members"]]
    return kept


def _forms(identity: Mapping[str, Any]) -> set[str]:
    return set(identity.get("forms", ())).union(*(_forms(member) for member in identity.get("members", ())))
