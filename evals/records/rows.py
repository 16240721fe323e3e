"""The rows of a run: the typed form of a line of ``samples.jsonl``, and its validation.

`decode` reads all formats that were ever written and rejects invalid lines, so that no other code needs to check.
The checks are written by hand for speed: a report may read a hundred thousand rows.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from ... import files
from ...errors import InputError
from ...tasks.text.language import LanguageFidelity
from ...tasks.types import Completion, Message, Role, Score, Status, Usage

ROWS: Final = "samples.jsonl"
"""The rows of a run, in its directory."""

Key = tuple[str, str, int]
"""(task, sample id, epoch): what identifies one result within a run."""

_STATUSES: Final[Mapping[str, Status]] = {status.value: status for status in Status}
_MOST: Final = 2**53
"""The largest count: beyond it a JSON number is no longer exact everywhere."""
_LONGEST: Final = sys.float_info.max
_SHOWN: Final = 60
_MISSING: Final = object()
_UNKNOWN: Final = Usage()
_OF_COMPLETION: Final = ("text", "reasoning", "finish_reason", "turns", "loglikelihoods")
_OF_CANDIDATE: Final = ("text", "reasoning", "finish_reason", "usage")
_OF_LANGUAGE: Final = frozenset(one.name for one in fields(LanguageFidelity))
# Named once, since a union of types is rebuilt wherever it is written.
_NUMBER: Final = (int, float)
_LIST: Final = (list, tuple)
_SHOWN_TYPES: Final = (str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """One of the drafts that an answer was made of, with its verdict.

    Of ``completion`` a row keeps the text, the reasoning, the reason to end and the usage. ``answer`` is its final
    answer, if the task names one.
    """

    completion: Completion
    score: Score
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One finished (task, sample, epoch) of a run.

    Attributes:
        task: the task's name.
        id: the sample's.
        epoch: how often the sample was asked before, from 0.
        score: the verdict.
        messages: what was asked, the user's messages of all turns included.
        continuations: (context, continuation) pairs whose log-likelihoods were asked for instead.
        target: the reference for the scorer.
        sampling: the sampling settings of the sample.
        completion: the answer; None where there is none.
        answer: the final answer that votes are counted by, None where the task names none.
        language: ``{"answer", "reasoning"}``, each the fields of a `LanguageFidelity` or None; None if unmeasured.
        scored_s: the seconds that scoring took.
        metadata: the sample's own.
        chosen: which of the candidates is the answer, None where it was made of all of them.
        candidates: the solver's drafts.
    """

    task: str
    id: str
    epoch: int
    score: Score
    messages: tuple[Message, ...] = ()
    continuations: tuple[tuple[str, str], ...] = ()
    target: Any = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    completion: Completion | None = None
    answer: str | None = None
    language: Mapping[str, Any] | None = None
    scored_s: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    chosen: int | None = None
    candidates: tuple[ScoredCandidate, ...] = ()

    @property
    def key(self) -> Key:
        """What identifies the row within its run."""
        return self.task, self.id, self.epoch

    @property
    def usage(self) -> Usage | None:
        """The tokens of the answer; None where there is no answer."""
        return None if self.completion is None else self.completion.usage

    @property
    def latency(self) -> float | None:
        """The seconds that the answer took; None if unknown."""
        return None if self.completion is None else self.completion.latency

    def as_json(self) -> dict[str, Any]:
        """Return the fields as they stand in the file, in its order."""
        answer = self.completion
        line = {
            "task": self.task,
            "id": self.id,
            "epoch": self.epoch,
            "messages": [message.as_json() for message in self.messages],
            "continuations": self.continuations,
            "target": self.target,
            "sampling": self.sampling,
            "completion": None if answer is None else {name: getattr(answer, name) for name in _OF_COMPLETION},
            "score": self.score.as_json(),
            "answer": self.answer,
            "language": self.language,
            "usage": self.usage,
            "timing": {"latency": self.latency, "scored_s": self.scored_s},
            "metadata": self.metadata,
        }
        if self.candidates:
            line["chosen"] = self.chosen
            line["candidates"] = [
                {name: getattr(one.completion, name) for name in _OF_CANDIDATE}
                | {"answer": one.answer, "score": one.score.as_json()}
                for one in self.candidates
            ]
        return line


def encode(row: SampleRow) -> bytes:
    """Return the line of ``samples.jsonl``, its end included."""
    return files.encode(row.as_json()) + b"\n"


def decode(data: Any, *, source: Path | str, line: int) -> SampleRow:
    """Make a row from the JSON value of its line.

    Older lines lack ``continuations``, ``target``, ``sampling``, ``answer``, ``language`` and the
    log-likelihoods. Unknown fields are ignored.

    Raises:
        InputError: the line is invalid (names file, line and field).
    """
    try:
        return _row(data)
    except _WrongError as wrong:
        raise InputError(f"{source}:{line}: {wrong}") from None


def read_rows(directory: Path) -> Iterator[SampleRow]:
    """Yield the finished rows of a run directory, also of a running one; an incomplete last line is skipped.

    Raises:
        InputError: a line is damaged or invalid (names file, line and field).
    """
    path = directory / ROWS
    for number, data in files.read_numbered(path):
        yield decode(data, source=path, line=number)


class _WrongError(ValueError):
    """Says which field is not what a run writes."""


def _wrong(field: str, expected: str, value: Any) -> NoReturn:
    if value is _MISSING:
        raise _WrongError(f"field '{field}' is missing")
    shown = repr(value)[:_SHOWN] if isinstance(value, _SHOWN_TYPES) else f"a {type(value).__name__}"
    raise _WrongError(f"field '{field}': expected {expected}, found {shown}")


# Below, `place` leads to an object's fields; it is put together with a name only for a message.


def _row(data: Any) -> SampleRow:
    if not isinstance(data, dict):
        raise _WrongError("expected a JSON object")
    timing = _object(data, "timing")
    completion = data.get("completion", _MISSING)
    answered = None
    if completion is not None:
        latency = _number(timing, "latency", "timing.", _LONGEST, "seconds or null")
        answered = _completion(_object(data, "completion"), "completion.", _usage(data, ""), latency)
    language, candidates = data.get("language"), data.get("candidates")
    return SampleRow(
        _text(data, "task"),
        _text(data, "id"),
        _count(data, "epoch"),
        _score(data, ""),
        tuple([_message(one) for one in _list(data, "messages")]),
        tuple([_pair(one) for one in _list(data, "continuations")]) if data.get("continuations") else (),
        data.get("target"),
        _object(data, "sampling") if "sampling" in data else {},
        answered,
        _text_or_none(data, "answer"),
        None if language is None else _language(_object(data, "language")),
        _number(timing, "scored_s", "timing.", _LONGEST, "seconds or null") or 0.0,
        _object(data, "metadata"),
        _chosen(data),
        () if candidates is None else tuple([_candidate(one) for one in _list(data, "candidates")]),
    )


def _completion(data: dict[str, Any], place: str, usage: Usage, latency: float | None) -> Completion:
    return Completion(
        _text(data, "text", place),
        _text_or_none(data, "reasoning", place),
        _text_or_none(data, "finish_reason", place),
        usage,
        latency,
        _texts(_list(data, "turns", place), f"{place}turns") if data.get("turns") else (),
        tuple([_likelihood(one) for one in _list(data, "loglikelihoods", place)])
        if data.get("loglikelihoods")
        else (),
    )


def _candidate(data: Any) -> ScoredCandidate:
    if not isinstance(data, dict):
        _wrong("candidates", "objects", data)
    completion = _completion(data, "candidates.", _usage(data, "candidates."), None)
    return ScoredCandidate(completion, _score(data, "candidates."), _text_or_none(data, "answer", "candidates."))


def _score(data: dict[str, Any], place: str) -> Score:
    score = _object(data, "score", place)
    value, status = score.get("value", _MISSING), score.get("status", _MISSING)
    known = _STATUSES.get(status) if isinstance(status, str) else None
    if known is None:
        _wrong(f"{place}score.status", "a status", status)
    if isinstance(value, bool) or (value is not None and not (isinstance(value, _NUMBER) and 0.0 <= value <= 1.0)):
        _wrong(f"{place}score.value", "a number in [0, 1] or null", value)
    parts, explanation = _object(score, "parts", "score."), _text(score, "explanation", "score.")
    try:
        return Score(value, known, parts, explanation)
    except ValueError as error:
        raise _WrongError(f"field '{place}score': {error}") from None


def _usage(data: dict[str, Any], place: str) -> Usage:
    if data.get("usage") is None:
        return _UNKNOWN
    usage = _object(data, "usage", place)
    return Usage(
        None if usage.get("prompt_tokens") is None else _count(usage, "prompt_tokens", "usage."),
        None if usage.get("completion_tokens") is None else _count(usage, "completion_tokens", "usage."),
    )


def _message(data: Any) -> Message:
    if not isinstance(data, dict):
        _wrong("messages", "objects", data)
    return Message(cast(Role, _text(data, "role", "messages.")), _text(data, "content", "messages."))


def _pair(data: Any) -> tuple[str, str]:
    if not isinstance(data, _LIST) or len(data) != 2:
        _wrong("continuations", "pairs of context and continuation", data)
    context, continuation = _texts(data, "continuations")
    return context, continuation


def _likelihood(data: Any) -> tuple[float, bool]:
    if not isinstance(data, _LIST) or len(data) != 2 or not isinstance(data[1], bool):
        _wrong("completion.loglikelihoods", "pairs of a logarithm and whether it is the greedy one", data)
    value, is_greedy = data
    if value is None:  # so JSON writes the logarithm of nothing
        return -math.inf, is_greedy
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not -math.inf < value < math.inf:
        _wrong("completion.loglikelihoods", "a logarithm", value)
    return value, is_greedy


def _language(data: dict[str, Any]) -> dict[str, Any]:
    for name, one in data.items():
        if one is None:
            continue
        if not isinstance(one, dict) or one.keys() != _OF_LANGUAGE:
            _wrong(f"language.{name}", f"an object of {', '.join(sorted(_OF_LANGUAGE))}", one)
        _count(one, "letters", "language.")
        _number(one, "cyrillic_share", "language.", 1.0, "a share or null")
        _number(one, "foreign_share", "language.", 1.0, "a share or null")
        _text_or_none(one, "language", "language.")
    return data


def _chosen(data: dict[str, Any]) -> int | None:
    if data.get("chosen") is None:
        return None
    chosen, candidates = _count(data, "chosen"), data.get("candidates")
    if not isinstance(candidates, _LIST) or chosen >= len(candidates):
        _wrong("chosen", "the number of one of the candidates", chosen)
    return chosen


def _object(data: dict[str, Any], name: str, place: str = "") -> dict[str, Any]:
    value = data.get(name, _MISSING)
    if not isinstance(value, dict):
        _wrong(place + name, "an object", value)
    return value


def _list(data: dict[str, Any], name: str, place: str = "") -> Sequence[Any]:
    value = data.get(name, _MISSING)
    if not isinstance(value, _LIST):
        _wrong(place + name, "a list", value)
    return cast(Sequence[Any], value)


def _text(data: dict[str, Any], name: str, place: str = "") -> str:
    value = data.get(name, _MISSING)
    if not isinstance(value, str):
        _wrong(place + name, "a text", value)
    return value


def _text_or_none(data: dict[str, Any], name: str, place: str = "") -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        _wrong(place + name, "a text or null", value)
    return value


def _texts(values: Sequence[Any], field: str) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str):
            _wrong(field, "texts", value)
    return tuple(values)


def _count(data: dict[str, Any], name: str, place: str = "") -> int:
    value = data.get(name, _MISSING)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        _wrong(place + name, "a whole number from 0 on", value)
    return value


def _number(data: dict[str, Any], name: str, place: str, most: float, expected: str) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 <= value <= most:
        _wrong(place + name, expected, value)
    return cast(float, value)
