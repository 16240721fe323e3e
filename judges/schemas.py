"""The JSON object that a form asks for where the server can hold a judge to one.

Its reasons come first, so that the judge thinks before it decides; then the prompt's nonce, as the only value that
the field may have; then the verdict. `parse_verdict` reads just this, and nothing of it under another nonce.
"""

from __future__ import annotations

from typing import Any, Final

from .forms import Form
from .parsing import CODE
from .parsing.criteria import OPTIONAL

_KEYS: Final = {
    "корректность": "correctness",
    "полнота": "completeness",
    "строгость": "rigour",
    "структура": "structure",
    "разбор_случаев": "cases",
    "итоговый_ответ": "final_answer",
    "стиль": "style",
}
"""Some servers take ASCII names alone. A criterion of other forms keeps its own."""


def verdict_schema(form: Form, nonce: str) -> dict[str, Any]:
    """Return the JSON schema of one verdict, in the subset that servers with strict schemas share."""
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
            # A scale of two values is a yes or a no.
            return {"rating": _number(form, "integer" if form.scale[1] - form.scale[0] == 1 else "number")}


def _number(form: Form, type_: str | list[str]) -> dict[str, Any]:
    return {"type": type_, "minimum": form.scale[0], "maximum": form.scale[1]}


def _key(criterion: str) -> str:
    return _KEYS.get(criterion, criterion)
