"""Reading prompts in ruIFEval's published form: ``{"key", "prompt", "instruction_id_list", "kwargs"}`` a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import nearest
from ..records import Record, read_samples, shown
from ..types import Sample
from .instructions import INSTRUCTIONS, Kind


def read_prompts(path: Path) -> Iterator[Sample]:
    """Return the samples of a file in its own order; ``metadata["instructions"]`` holds ``{"id", "kwargs"}`` each.

    Keyword arguments that are null count as absent, as in exports that give every instruction the same columns.

    Raises:
        InputError: the file cannot be read, or a line cannot be used (names file, line and field).
    """
    return read_samples(path, _sample, id_field="key")


def _sample(record: Record) -> Sample:
    key, prompt = record.key("key"), record.text("prompt")
    ids = record.field("instruction_id_list", list, "a list of instruction ids")
    kwargs = record.field("kwargs", list, "a list of objects, one for each instruction")
    if not ids:
        raise record.field_error("instruction_id_list", "it is empty, so there is nothing to check")
    if len(ids) != len(kwargs):
        raise record.field_error(
            "kwargs", f"{len(kwargs)} entries for {len(ids)} instructions; give one object for each"
        )
    instructions = [_instruction(record, *pair) for pair in zip(range(len(ids)), ids, kwargs, strict=True)]
    return Sample.ask(str(key), prompt, key=key, instructions=instructions)


def _instruction(record: Record, position: int, id: object, kwargs: object) -> dict[str, Any]:
    if not isinstance(id, str) or id not in INSTRUCTIONS:
        hint = nearest(id, INSTRUCTIONS) if isinstance(id, str) else ""
        raise record.field_error(f"instruction_id_list[{position}]", f"unknown instruction {shown(id)}.{hint}")
    if not isinstance(kwargs, dict):
        raise record.field_error(f"kwargs[{position}]", f"expected an object, found {shown(kwargs)}")
    parameters = INSTRUCTIONS[id].parameters
    given = {name: value for name, value in kwargs.items() if value is not None}
    for name in given:
        if name not in parameters:
            takes = nearest(name, parameters) or " It takes none."
            raise record.field_error(f"kwargs[{position}].{name}", f"{id} has no such argument.{takes}")
    values: dict[str, Any] = {}
    for name, kind in parameters.items():
        field = f"kwargs[{position}].{name}"
        if name not in given:
            raise record.field_error(field, f"{id} needs it ({kind}), and it is missing")
        values[name] = _value(given[name], kind)
        if not kind.accepts(values[name]):
            raise record.field_error(field, f"expected {kind}, found {shown(values[name])}")
    if values.get("nth_paragraph", 0) > values.get("num_paragraphs", 0):
        raise record.field_error(f"kwargs[{position}].nth_paragraph", "it is greater than num_paragraphs")
    return {"id": id, "kwargs": values}


def _value(value: Any, kind: Kind) -> Any:
    """Return a whole number that a column with nulls was exported as a float of, anything else as it is."""
    is_whole = kind in (Kind.COUNT, Kind.POSITION) and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value
