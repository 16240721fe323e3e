"""Errors in the published questions and references, and their repairs.

The table is ``errata.yaml``. A repair applies only if id, text and references of the question match, so other files
are never changed by accident.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..types import Sample

_TABLE: Final = Path(__file__).with_name("errata.yaml")
_CODE: Final = re.compile(r"```.*?```", re.DOTALL)
_NO_BREAK_SPACE: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class Erratum:
    """The repair of one question; turns count from 1.

    ``form`` identifies question and references (`form_of`). ``references`` are new reference answers, and ``null``
    has the turn graded without one. ``replace`` are ``{"turn", "old", "new"}`` in the question's words. With
    ``code_spaces`` the no-break spaces in fenced code, where Python refuses them, become plain ones.
    """

    id: int
    form: str
    problem: str
    references: Mapping[int, str | None] = field(default_factory=dict)
    replace: Sequence[Mapping[str, Any]] = ()
    code_spaces: bool = False


@cache
def errata() -> Mapping[str, Erratum]:
    """Return the table by question id."""
    import yaml

    rows = [Erratum(**row) for row in yaml.safe_load(_TABLE.read_text("utf-8"))]
    return {str(row.id): row for row in rows}


def form_of(sample: Sample) -> str:
    """Return a digest of a sample's questions and reference answers."""
    form = [sample.turns, sample.target]
    return hashlib.sha256(json.dumps(form, ensure_ascii=False).encode()).hexdigest()[:16]


def repaired(sample: Sample) -> Sample:
    """Return the sample with its documented errors repaired; ``metadata["erratum"]`` describes them."""
    erratum = errata().get(sample.id)
    if erratum is None or erratum.form != form_of(sample):
        return sample
    turns = list(sample.turns)
    for change in erratum.replace:
        turns[change["turn"] - 1] = turns[change["turn"] - 1].replace(change["old"], change["new"])
    references = None if sample.target is None else list(sample.target)
    if references is not None:
        for turn, reference in erratum.references.items():
            references[turn - 1] = reference
    if erratum.code_spaces:
        turns = [_with_plain_code(turn) for turn in turns]
        references = None if references is None else [text and _with_plain_code(text) for text in references]
    return replace(
        sample,
        turns=tuple(turns),
        target=None if references is None else tuple(references),
        metadata={**sample.metadata, "erratum": erratum.problem},
    )


def _with_plain_code(text: str) -> str:
    return _CODE.sub(lambda code: code[0].replace(_NO_BREAK_SPACE, " "), text)
