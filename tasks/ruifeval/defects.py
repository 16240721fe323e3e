"""Published prompts whose rules do not match their text, and their repairs.

The table is ``defects.yaml``. A repair applies only if key, text and rules of the prompt match, so other files are
never changed by accident.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..types import Sample
from .fixes import Fix, Fixes

_TABLE: Final = Path(__file__).with_name("defects.yaml")
_QUOTED: Final = re.compile(r"«([^«»]+)»")

# What a repaired argument can be taken from; the prompt's own words are not repeated in the table.
_SOURCES: Final[Mapping[str, Callable[[str], Any]]] = {
    "quoted words": _QUOTED.findall,
    "last quoted words": lambda prompt: _QUOTED.findall(prompt)[-1],
    "first line": lambda prompt: prompt.split("\n", 1)[0].strip(),
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One defective instruction of a prompt.

    ``form`` identifies the prompt (`form_of`), ``position`` the instruction in it (from 0). ``set`` holds repaired
    arguments, ``take`` the places in the prompt to take them from; ``exclude`` drops the instruction. With
    ``switch`` nothing needs to be done here: that repair of the rules covers it.
    """

    key: int
    form: str
    position: int
    problem: str
    set: Mapping[str, Any] = field(default_factory=dict)
    take: Mapping[str, str] = field(default_factory=dict)
    exclude: bool = False
    switch: str | None = None


@cache
def defects() -> tuple[Defect, ...]:
    """Return the table."""
    import yaml

    return tuple(Defect(**row) for row in yaml.safe_load(_TABLE.read_text("utf-8")))


def form_of(sample: Sample) -> str:
    """Return a digest of a sample's prompt, instructions and arguments."""
    form = [sample.prompt, sample.metadata["instructions"]]
    return hashlib.sha256(json.dumps(form, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def repaired(sample: Sample, fixes: Fixes) -> Sample:
    """Return the sample with rules that match its text; ``metadata["excluded"]`` lists dropped instructions."""
    if Fix.PROMPT_DEFECTS not in fixes:
        return sample
    found = [defect for defect in defects() if str(defect.key) == sample.id and defect.switch is None]
    if not found or found[0].form != form_of(sample):
        return sample
    instructions = list(sample.metadata["instructions"])
    excluded = []
    for defect in sorted(found, key=lambda defect: -defect.position):
        if defect.exclude:
            excluded.append({"id": instructions.pop(defect.position)["id"], "problem": defect.problem})
            continue
        old = instructions[defect.position]
        taken = {name: _SOURCES[source](sample.prompt) for name, source in defect.take.items()}
        instructions[defect.position] = {"id": old["id"], "kwargs": {**old["kwargs"], **taken, **defect.set}}
    metadata = {**sample.metadata, "instructions": instructions, "excluded": excluded}
    if not instructions:
        metadata["skip"] = "; ".join(row["problem"] for row in excluded)
    return replace(sample, metadata=metadata)
