"""JSON schemas of verdicts, for servers with structured output.

The explanation comes first, so that the judge reasons before it decides; then the prompt's nonce, as the only
allowed value of its field; then the verdict. `parse_verdict` ignores an object with another nonce. For people,
`as_words` turns it back into words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .forms import Form
from .parsing import CODE
from .parsing.criteria import OPTIONAL
from .parsing.json_reply import Found, Twice, find_objects

_KEYS: Final = {
    "корректность": "correctness",
    "полнота": "completeness",
    "строгость": "rigour",
    "структура": "structure",
    "разбор_случаев": "cases",
    "итоговый_ответ": "final_answer",
    "стиль": "style",
}
"""ASCII keys of the known criteria, which some servers require; other criteria keep their names."""

EXPLANATION: Final = "explanation"
"""The key of a judge's reasons."""

_TITLES: Final = {
    "ru": {
        "rating": "Оценка",
        "points": "Баллы",
        "verdict": "Вердикт",
        "rating_a": "Оценка A",
        "rating_b": "Оценка B",
        **{key: name.replace("_", " ").capitalize() for name, key in _KEYS.items()},
    },
    "en": {},
}
_OPENED = re.compile(r"(?:```|~~~)[^\S\n]*\w{0,10}[^\S\n]*\n\s*$|^\s*\[\s*$")
_CLOSED = re.compile(r"^\s*(?:```|~~~|\]\s*$)")
_BROKEN_OFF = re.compile(rf'\{{\s*"{EXPLANATION}"\s*:\s*"(?P<said>(?:[^"\\]|\\.)*+)(?P<end>"?)', re.DOTALL)


def verdict_schema(form: Form, nonce: str) -> dict[str, Any]:
    """Return the JSON schema of one verdict, in the subset supported by all servers with strict schemas."""
    properties = {
        "explanation": {"type": "string"},
        CODE: {"type": "string", "enum": [nonce]},
        **_verdict(form),
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _verdict(form: Form) -> dict[str, Any]:
    match form.kind:
        case "pair":
            return {"verdict": {"type": "string", "enum": [str(label) for label in form.scale]}}
        case "criteria_table":
            return {_key(name): {"type": "string", "enum": ["A", "B", "tie"]} for name in form.criteria}
        case "rubric":
            return {
                _key(name): _number(form, ["integer", "null"] if name == OPTIONAL else "integer")
                for name in form.criteria
            }
        case "pair_scores":
            return {"rating_a": _number(form, "number"), "rating_b": _number(form, "number")}
        case "points":
            return {"points": _number(form, "integer")}
        case "rating":
            # A scale of two adjacent values is a yes or no question.
            return {"rating": _number(form, "integer" if form.scale[1] - form.scale[0] == 1 else "number")}


def _number(form: Form, type_: str | list[str]) -> dict[str, Any]:
    return {"type": type_, "minimum": form.scale[0], "maximum": form.scale[1]}


def _key(criterion: str) -> str:
    return _KEYS.get(criterion, criterion)


def as_words(text: str, form: Form) -> str:
    """Return what a judge wrote as people read it: its JSON as the explanation and, below it, the verdict.

    Words stay as they are. Of an object that breaks off the explanation is left, as far as it goes.
    """
    if "{" not in text:
        return text
    try:
        known = {EXPLANATION, *_verdict(form)}
        found = [one for one in find_objects(text) if not known.isdisjoint(one.object)]
    except Twice:
        found = []
    if not found:
        broken = _BROKEN_OFF.search(text)
        return text if broken is None else _joined(text[: broken.start()], _unescaped(broken["said"]) + "…", "")
    shown = text[: found[0].start]
    for one, following in zip(found, [*found[1:], None], strict=True):
        shown = _joined(shown, _said(one, form), text[one.end : following.start if following else len(text)])
    return shown


def _said(found: Found, form: Form) -> str:
    titles = _TITLES[form.language]
    said: Mapping[str, Any] = found.object
    verdict = [
        f"{titles.get(key, key.replace('_', ' ').capitalize())}: {'—' if value is None else value}"
        for key, value in said.items()
        if key not in (EXPLANATION, CODE) and not isinstance(value, dict | list)
    ]
    return "\n\n".join(part for part in (str(said.get(EXPLANATION, "")).strip(), "\n".join(verdict)) if part)


def _joined(before: str, said: str, behind: str) -> str:
    """Join what stands around an object with its words, the fence around it left off."""
    parts = _OPENED.sub("", before).rstrip(), said, _CLOSED.sub("", behind).strip()
    return "\n\n".join(part for part in parts if part)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
