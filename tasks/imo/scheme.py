"""Marking schemes: what a solution earns points for, fixed before grading and identified by a hash.

In JSON::

    {"checkpoints":  [{"id", "points", "text", "path"?, "group"?}],
     "zero_credit":  ["what earns nothing by itself"],
     "deductions":   [{"id", "text", "minus" | "cap"}],
     "wrong_answer_cap": 3,
     "sha256": "…"}

A checkpoint without a ``path`` belongs to every solution path; one with a ``path`` only to that path. Paths are
alternatives: a solution gets the points of its best path, never the sum. Of the checkpoints of one ``group`` only
the best counts (an estimate and a weaker form of it). A deduction subtracts points (``minus``) or limits them
(``cap``, "at most 5 of 7").

Two schemes of the same quality differ by 0.2 points of 7 on the same proofs, so points from different schemes
are not comparable: `MarkingScheme.sha256` is stored with every score. A file may hold the ``sha256`` of the frozen
scheme; a scheme edited since is rejected.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

FULL: Final = 7
"""The points of a complete solution."""

WRONG_ANSWER_CAP: Final = 3
"""The maximum points for a wrong final answer, unless the scheme sets its own."""

LEVELS: Final = frozenset({0, 1, 6, 7})
"""The points of IMO-ProofBench: wrong, partial progress, almost complete, complete."""

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


class SchemeError(ValueError):
    """An invalid scheme; the message names the field and how to fix it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A step that earns ``points`` (1 to 7); of one ``group`` only the best counts."""

    id: str
    points: int
    text: str
    path: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Deduction:
    """A fault that subtracts ``minus`` points (1 to 7), or limits the points to ``cap`` (0 to 6)."""

    id: str
    text: str
    minus: int | None = None
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class MarkingScheme:
    """The rules for giving 0 to 7 points for one problem."""

    checkpoints: tuple[Checkpoint, ...]
    zero_credit: tuple[str, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    wrong_answer_cap: int = WRONG_ANSWER_CAP

    allowed = frozenset(range(FULL + 1))
    """The points that a grader may give."""

    @property
    def paths(self) -> tuple[str | None, ...]:
        """The solution paths, in the order of their first checkpoints; ``(None,)`` if the scheme names none."""
        named = dict.fromkeys(point.path for point in self.checkpoints if point.path is not None)
        return tuple(named) or (None,)

    def most(self, path: str | None) -> int:
        """Return the maximum points of one path."""
        best: dict[str, int] = {}
        for point in self.checkpoints:
            if point.path in (None, path):
                key = f"group {point.group}" if point.group else f"id {point.id}"
                best[key] = max(best.get(key, 0), point.points)
        return sum(best.values())

    @property
    def sha256(self) -> str:
        """The SHA-256 of the scheme, in hex; it depends on the order of checkpoints, not of fields."""
        return _sha256(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, without those that are None."""
        return {
            "checkpoints": [_json(point, ("id", "points", "text", "path", "group")) for point in self.checkpoints],
            "zero_credit": list(self.zero_credit),
            "deductions": [_json(fault, ("id", "text", "minus", "cap")) for fault in self.deductions],
            "wrong_answer_cap": self.wrong_answer_cap,
        }

    def as_text(self) -> str:
        """Return the text for graders, in the scheme's own language (Russian or English)."""
        words = _WORDS["ru" if _CYRILLIC.search(self.checkpoints[0].text) else "en"]
        lines = [words["checkpoints"]]
        for path in self.paths:
            if path is not None:
                lines.append(words["path"].format(path=path))
            lines += [
                words["checkpoint"].format(point=point)
                + (words["group"].format(point=point) if point.group else "")
                for point in self.checkpoints
                if point.path == path or (point.path is None and path == self.paths[0])
            ]
        if len(self.paths) > 1:
            lines.append(words["best path"])
        if self.zero_credit:
            lines += [words["zero"], *(f"- {text}" for text in self.zero_credit)]
        if self.deductions:
            lines.append(words["deductions"])
            for fault in self.deductions:
                kind = "minus" if fault.minus is not None else "cap"
                lines.append(words[kind].format(fault=fault))
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Levels:
    """Grading guidelines of IMO-ProofBench: what counts as partial and as almost complete."""

    guidelines: str
    wrong_answer_cap: int = 1

    allowed = LEVELS
    """The points that a grader may give."""

    @property
    def sha256(self) -> str:
        """The hash of the guidelines, in hex."""
        return _sha256({"guidelines": self.guidelines, "wrong_answer_cap": self.wrong_answer_cap})

    def as_text(self) -> str:
        """Return the guidelines as published."""
        return self.guidelines


Scheme = MarkingScheme | Levels


def read_scheme(found: Any) -> MarkingScheme:
    """Return the scheme described by a JSON value, after `check`.

    Raises:
        SchemeError: a field is missing or invalid, or the ``sha256`` does not match.
    """
    known = {"checkpoints", "zero_credit", "deductions", "wrong_answer_cap", "sha256"}
    record = _object(found, known, "scheme")
    scheme = MarkingScheme(
        tuple(_checkpoint(item, f"checkpoints[{n}]") for n, item in enumerate(_list(record, "checkpoints"))),
        tuple(_text(item, f"zero_credit[{n}]") for n, item in enumerate(_list(record, "zero_credit"))),
        tuple(_deduction(item, f"deductions[{n}]") for n, item in enumerate(_list(record, "deductions"))),
        _whole(record.get("wrong_answer_cap", WRONG_ANSWER_CAP), 0, FULL - 1, "wrong_answer_cap"),
    )
    check(scheme)
    frozen = record.get("sha256")
    if frozen is not None and frozen != scheme.sha256:
        raise SchemeError(
            f"field 'sha256': the scheme has changed since it was frozen; points given by the old one are not"
            f" comparable. If the change is intended, set it to {scheme.sha256}"
        )
    return scheme


def check(scheme: MarkingScheme) -> None:
    """Check that no path is worth more than 7 points, and that one is worth 7.

    Raises:
        SchemeError: the check fails, or two checkpoints or deductions have the same id.
    """
    ids = [point.id for point in scheme.checkpoints] + [fault.id for fault in scheme.deductions]
    for id in ids:
        if ids.count(id) > 1:
            raise SchemeError(f"field 'id': {id!r} is used twice")
    worth = {path: scheme.most(path) for path in scheme.paths}
    for path, points in worth.items():
        if points > FULL:
            way = "the checkpoints" if path is None else f"the path {path!r}"
            raise SchemeError(f"field 'checkpoints': {way} can earn {points} points; {FULL} is the most")
    if max(worth.values()) < FULL:
        raise SchemeError(
            f"field 'checkpoints': a complete solution must earn {FULL} points, but no path earns more than"
            f" {max(worth.values())}"
        )


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ru": {
        "checkpoints": "За что даются баллы:",
        "path": "Путь «{path}»:",
        "checkpoint": "- [{point.id}] {point.points}: {point.text}",
        "group": " (из пунктов «{point.group}» засчитывается только лучший)",
        "best path": "Баллы разных путей не складываются: засчитывается лучший путь.",
        "zero": "За что баллы не даются:",
        "deductions": "Что снижает оценку:",
        "minus": "- [{fault.id}] минус {fault.minus}: {fault.text}",
        "cap": "- [{fault.id}] не больше {fault.cap} из 7: {fault.text}",
    },
    "en": {
        "checkpoints": "What earns points:",
        "path": 'The path "{path}":',
        "checkpoint": "- [{point.id}] {point.points}: {point.text}",
        "group": ' (of the items "{point.group}" only the best counts)',
        "best path": "Points of different paths are not added up: the best path counts.",
        "zero": "What earns nothing:",
        "deductions": "What lowers the mark:",
        "minus": "- [{fault.id}] minus {fault.minus}: {fault.text}",
        "cap": "- [{fault.id}] at most {fault.cap} of 7: {fault.text}",
    },
}


def _sha256(data: Any) -> str:
    canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _json(item: Checkpoint | Deduction, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(item, name)) is not None}


def _checkpoint(found: Any, where: str) -> Checkpoint:
    record = _object(found, {"id", "points", "text", "path", "group"}, where)
    return Checkpoint(
        _text(record.get("id"), f"{where}.id"),
        _whole(record.get("points"), 1, FULL, f"{where}.points"),
        _text(record.get("text"), f"{where}.text"),
        *(_text(record[name], f"{where}.{name}") if name in record else None for name in ("path", "group")),
    )


def _deduction(found: Any, where: str) -> Deduction:
    record = _object(found, {"id", "text", "minus", "cap"}, where)
    if ("minus" in record) == ("cap" in record):
        raise SchemeError(f"field '{where}': give either 'minus' or 'cap'")
    return Deduction(
        _text(record.get("id"), f"{where}.id"),
        _text(record.get("text"), f"{where}.text"),
        minus=_whole(record["minus"], 1, FULL, f"{where}.minus") if "minus" in record else None,
        cap=_whole(record["cap"], 0, FULL - 1, f"{where}.cap") if "cap" in record else None,
    )


def _object(found: Any, known: set[str], where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise SchemeError(f"field '{where}': expected an object, found {str(found)[:59]!r}")
    for name in found:
        if name not in known:
            raise SchemeError(f"field '{where}': unknown '{name}'; known: {', '.join(sorted(known))}")
    return found


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    found = record.get(name, [])
    if not isinstance(found, list) or (name == "checkpoints" and not found):
        raise SchemeError(f"field '{name}': expected a list{' of checkpoints' * (name == 'checkpoints')}")
    return found


def _text(found: Any, where: str) -> str:
    if not isinstance(found, str) or not found.strip():
        raise SchemeError(f"field '{where}': expected a non-empty string, found {str(found)[:59]!r}")
    return found


def _whole(found: Any, low: int, high: int, where: str) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
        raise SchemeError(f"field '{where}': expected a whole number from {low} to {high}, found {found!r}")
    return found
