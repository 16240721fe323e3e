"""Reading prompts in ruIFEval's published form: ``{"key", "prompt", "instruction_id_list", "kwargs"}`` a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import InputError, nearest
from ..records import read_jsonl
from ..types import Sample
from .instructions import INSTRUCTIONS, Instruction, Kind, Parameter


def read_prompts(path: Path) -> Iterator[Sample]:
    """Yield the samples of a file in its own order; ``metadata["instructions"]`` holds ``{"id", "kwargs"}`` each.

    Keyword arguments that are null count as absent, as in exports that give every instruction the same columns.

    Raises:
        InputError: the file cannot be read, or a line cannot be used (names file, line and field).
    """
    seen: dict[str, int] = {}
    for number, record in read_jsonl(path):
        try:
            sample = _sample(record)
        except _FieldError as error:
            raise InputError(f"{path}:{number}: {error}") from None
        if sample.id in seen:
            raise InputError(
                f"{path}:{number}: field 'key': {sample.id} was already used on line {seen[sample.id]}"
            )
        seen[sample.id] = number
        yield sample


class _FieldError(Exception):
    """A field of the record at hand cannot be used."""


def _sample(record: Mapping[str, Any]) -> Sample:
    key = _field(record, "key", int | str, "a whole number or a string")
    if isinstance(key, bool) or key == "":
        raise _FieldError(f"field 'key': expected a whole number or a string, found {key!r}")
    prompt = _field(record, "prompt", str, "a string")
    if not prompt.strip():
        raise _FieldError("field 'prompt': it is empty")
    ids = _field(record, "instruction_id_list", list, "a list of instruction ids")
    kwargs = _field(record, "kwargs", list, "a list of objects, one for each instruction")
    if not ids:
        raise _FieldError("field 'instruction_id_list': it is empty, so there is nothing to check")
    if len(ids) != len(kwargs):
        raise _FieldError(
            f"field 'kwargs': {len(kwargs)} entries for {len(ids)} instructions; give one object for each"
        )
    instructions = [_instruction(*pair) for pair in zip(range(len(ids)), ids, kwargs, strict=True)]
    return Sample.ask(str(key), prompt, key=key, instructions=instructions)


def _field(record: Mapping[str, Any], name: str, kind: Any, expected: str) -> Any:
    if name not in record:
        raise _FieldError(f"field '{name}' is missing")
    if not isinstance(record[name], kind):
        raise _FieldError(f"field '{name}': expected {expected}, found {_shown(record[name])}")
    return record[name]


def _instruction(position: int, id: object, kwargs: object) -> dict[str, Any]:
    if not isinstance(id, str) or id not in INSTRUCTIONS:
        hint = nearest(id, INSTRUCTIONS) if isinstance(id, str) else ""
        raise _FieldError(f"field 'instruction_id_list[{position}]': unknown instruction {_shown(id)}.{hint}")
    if not isinstance(kwargs, dict):
        raise _FieldError(f"field 'kwargs[{position}]': expected an object, found {_shown(kwargs)}")
    instruction = INSTRUCTIONS[id]
    given = {name: value for name, value in kwargs.items() if value is not None}
    _no_others(instruction, given, position)
    values = {
        parameter.name: _value(instruction, parameter, given, position) for parameter in instruction.parameters
    }
    if values.get("nth_paragraph", 0) > values.get("num_paragraphs", 0):
        raise _FieldError(f"field 'kwargs[{position}].nth_paragraph': it is greater than num_paragraphs")
    return {"id": id, "kwargs": values}


def _no_others(instruction: Instruction, given: Mapping[str, Any], position: int) -> None:
    names = [parameter.name for parameter in instruction.parameters]
    for name in given:
        if name not in names:
            takes = nearest(name, names) or " It takes none."
            raise _FieldError(f"field 'kwargs[{position}].{name}': {instruction.id} has no such argument.{takes}")


def _value(instruction: Instruction, parameter: Parameter, given: Mapping[str, Any], position: int) -> Any:
    place = f"field 'kwargs[{position}].{parameter.name}'"
    if parameter.name not in given:
        raise _FieldError(f"{place}: {instruction.id} needs it ({parameter.kind}), and it is missing")
    value = given[parameter.name]
    if parameter.kind in (Kind.COUNT, Kind.POSITION) and isinstance(value, float) and value.is_integer():
        value = int(value)  # columns with nulls are exported as floats
    if not parameter.kind.accepts(value):
        raise _FieldError(f"{place}: expected {parameter.kind}, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
