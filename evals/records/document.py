"""Base classes of a run's JSON documents: typed fields, with the original file kept unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from ...errors import EvalkitError, InputError

SCHEMA_VERSION: Final = 1


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
    def decode(cls, data: Any, *, source: Path | str) -> Self:
        """Validate the JSON value of a file.

        Raises:
            InputError: it is another kind of file or schema version, a field is missing, or has a wrong value
                (names file and field).
        """
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
            raise InputError(
                f"{source} was written by another version of evalkit (schema_version is not {SCHEMA_VERSION})"
            )
        try:
            document = cls.model_validate(data)
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
