"""Values as JSON, with exact builtin types on both sides and no way to run code by decoding.

``None``, booleans, numbers below 2^63, floats, strings and lists stand for themselves; everything else is an object
with one key, its tag. Handles of things that cannot be copied are made and resolved by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

_SMALL = 1 << 63
_SCALARS = (type(None), bool, float, str)


class NotPlainError(TypeError):
    """A value is not plain data and gets no handle."""


def refuse(value: Any) -> Any:
    """Raise for a value that is not plain: the hook of `encode` and `decode` where no handles exist."""
    raise NotPlainError(f"a value of type {type(value).__name__} is not plain data")


def encode(value: Any, handle: Callable[[Any], Any] = refuse) -> Any:
    """Return the JSON value that stands for ``value``; ``handle`` gives one for what is not plain.

    Subclasses of the builtin types become those types.

    Raises:
        NotPlainError: something inside is not plain and ``handle`` is `refuse`.
        RecursionError: it is nested too deeply, or holds itself.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is int:
        return value if -_SMALL < value < _SMALL else {"int": hex(value)}
    if kind is list:
        return [encode(item, handle) for item in value]
    if kind is tuple:
        return {"tuple": [encode(item, handle) for item in value]}
    if kind is dict:
        return {"dict": [[encode(key, handle), encode(item, handle)] for key, item in value.items()]}
    return _encode_other(value, handle)


def _encode_other(value: Any, handle: Callable[[Any], Any]) -> Any:
    if isinstance(value, (int, float, str, list, tuple, dict)):
        base = next(base for base in (int, float, str, list, tuple, dict) if isinstance(value, base))
        # The base's own reading, whatever the subclass overrides.
        return encode(_plain(base, value), handle)
    if isinstance(value, (set, frozenset)):
        tag = "set" if isinstance(value, set) else "frozenset"
        return {tag: [encode(item, handle) for item in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes" if isinstance(value, bytes) else "bytearray": bytes(value).hex()}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, range):
        return {"range": [encode(bound) for bound in (value.start, value.stop, value.step)]}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, Fraction):
        return {"fraction": [hex(value.numerator), hex(value.denominator)]}
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        item = value.item()
        if type(item) in (bool, int, float, complex, str, bytes):
            return encode(item, handle)
    return handle(value)


def _plain(base: type, value: Any) -> Any:
    if base is int:
        return int.__int__(value)
    if base is float:
        return float.__float__(value)
    if base is str:
        return str.__str__(value)
    if base is dict:
        return dict(dict.items(value))
    return list(list.__iter__(value)) if base is list else tuple(tuple.__iter__(value))


def decode(data: Any, handle: Callable[[Any], Any] = refuse) -> Any:
    """Return the value that a JSON value stands for; ``handle`` resolves objects with an unknown tag.

    Raises:
        ValueError, TypeError, ArithmeticError, RecursionError: it stands for nothing.
    """
    if type(data) is list:
        return [decode(item, handle) for item in data]
    if type(data) is not dict:
        return data
    if len(data) != 1:
        raise ValueError("a tagged value has one key")
    ((tag, content),) = data.items()
    decoder = _DECODERS.get(tag)
    return handle(data) if decoder is None else decoder(content, handle)


def _decode_range(content: Any, handle: Callable[[Any], Any]) -> Any:
    start, stop, step = (decode(bound) for bound in content)
    return range(start, stop, step)


_DECODERS: dict[str, Callable[[Any, Callable[[Any], Any]], Any]] = {
    "int": lambda content, _: int(content, 16),
    "tuple": lambda content, handle: tuple([decode(item, handle) for item in content]),
    "dict": lambda content, handle: {decode(key, handle): decode(item, handle) for key, item in content},
    "set": lambda content, handle: {decode(item, handle) for item in content},
    "frozenset": lambda content, handle: frozenset([decode(item, handle) for item in content]),
    "bytes": lambda content, _: bytes.fromhex(content),
    "bytearray": lambda content, _: bytearray.fromhex(content),
    "complex": lambda content, _: complex(*content),
    "range": _decode_range,
    "decimal": lambda content, _: Decimal(content),
    "fraction": lambda content, _: Fraction(*(int(part, 16) for part in content)),
}
