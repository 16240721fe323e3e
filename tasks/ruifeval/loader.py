"""Reading prompts in ruIFEval's published form: ``{"key", "prompt", "instruction_id_list", "kwargs"}`` a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import nearest
from ..records import Record, read_samples, shown
from ..types import Sample
from .instructions import INSTRUCTIONS, Instruction, Kind, Parameter


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
    instruction = INSTRUCTIONS[id]
    given = {name: value for name, value in kwargs.items() if value is not None}
    _no_others(record, instruction, given, position)
    values = {
        parameter.name: _value(record, instruction, parameter, given, position)
        for parameter in instruction.parameters
    }
    if values.get("nth_paragraph", 0) > values.get("num_paragraphs", 0):
        raise record.field_error(f"kwargs[{position}].nth_paragraph", "it is greater than num_paragraphs")
    return {"id": id, "kwargs": values}


def _no_others(record: Record, instruction: Instruction, given: Mapping[str, Any], position: int) -> None:
    names = [parameter.name for parameter in instruction.parameters]
    for name in given:
        if name not in names:
            takes = nearest(name, names) or " It takes none."
            raise record.field_error(f"kwargs[{position}].{name}", f"{instruction.id} has no such argument.{takes}")


def _value(
    record: Record, instruction: Instruction, parameter: Parameter, given: Mapping[str, Any], position: int
) -> Any:
    name = f"kwargs[{position}].{parameter.name}"
    if parameter.name not in given:
        raise record.field_error(name, f"{instruction.id} needs it ({parameter.kind}), and it is missing")
    value = given[parameter.name]
    if parameter.kind in (Kind.COUNT, Kind.POSITION) and isinstance(value, float) and value.is_integer():
        value = int(value)  # columns with nulls are exported as floats
    if not parameter.kind.accepts(value):
        raise record.field_error(name, f"expected {parameter.kind}, found {shown(value)}")
    return value
