"""LiveCodeBench's test cases: JSON text, or JSON text that was pickled, compressed and written in base 64.

A pickle is a program for a machine that can do anything, so none is ever loaded here. The published ones hold a
single string; its opcodes are read one by one, and a pickle with any other opcode is refused.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import zlib
from typing import Any

LARGEST = 2**29
"""Bytes that packed test cases may have when unpacked."""

_FRAMING = frozenset({"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"})
_STRINGS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})


def unpacked(text: str) -> Any:
    """Return the JSON value in a text that is JSON, or base 64 of zlib of JSON or of a pickled string of JSON.

    Raises:
        ValueError: it is none of these, is larger than `LARGEST`, or is a pickle of more than one string.
    """
    if text.lstrip()[:1] in ("[", "{"):
        return _json(text)
    try:
        compressed = base64.b64decode(text, validate=True)
        stream = zlib.decompressobj()
        data = stream.decompress(compressed, LARGEST)
    except (binascii.Error, ValueError, zlib.error):
        raise ValueError("it is neither JSON nor base64-encoded compressed JSON") from None
    if stream.unconsumed_tail:
        raise ValueError(f"it is larger than {LARGEST} bytes when unpacked")
    if not stream.eof:
        raise ValueError("its compressed data is cut off")
    return _json(_pickled_string(data) if data[:1] == b"\x80" else data)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("its decompressed content is not JSON") from None


def _pickled_string(data: bytes) -> str:
    import pickletools

    found: list[str] = []
    opcodes = pickletools.genops(io.BytesIO(data))
    while True:
        try:
            opcode, argument, _ = next(opcodes)
        except StopIteration:
            break
        except ValueError as error:
            raise ValueError(f"its pickled string is broken: {error}") from None
        if opcode.name in _STRINGS and isinstance(argument, str):
            found.append(argument)
        elif opcode.name not in _FRAMING:
            raise ValueError(
                f"it is a pickle with the opcode {opcode.name}; pickles can run code and are not loaded."
                " Convert the file to plain JSON on a machine that may run it"
            )
    if len(found) != 1:
        raise ValueError("it is a pickle of something other than a string; only JSON text can be read")
    return found[0]
