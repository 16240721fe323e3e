"""What the JSON documents of a run have in common: typed fields, and the file as it is behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from ...errors import EvalkitError, InputError


class Part(BaseModel):
    """An object within a document; it may have more fields than are known here."""

    model_config = ConfigDict(frozen=True, extra="allow")

    def as_json(self) -> dict[str, Any]:
        """Return the fields that the file has."""
        return self.model_dump(mode="json", exclude_unset=True)


class Document(Part):
    """A JSON file of a run.

    `as_json` returns it just as it stood in the file, fields of other versions included, so that nothing is lost
    or moved where one is written again.
    """

    _file: dict[str, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def of(cls, data: dict[str, Any], *, source: Path | str, typed: Mapping[str, Any] | None = None) -> Self:
        """Make a document of a file's ``data``; the fields are read from ``typed`` where that is given.

        Raises:
            InputError: a field is missing or has no such value (names file and field).
        """
        try:
            document = cls.model_validate(data if typed is None else typed)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{source}: field '{place}': {first['msg']}, got {first['input']!r:.80}") from None
        except EvalkitError as error:
            raise InputError(f"{source}: {error}") from None
        document._file = data
        return document

    def as_json(self) -> dict[str, Any]:
        """Return the file as it is."""
        return self._file
