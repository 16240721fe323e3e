"""What stands on one side for things of the other: objects, exceptions, what was done to arguments."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

_TEXT_LIMIT = 400


class RemoteObject:
    """Something that the program returned and that is no plain value: equal to itself alone.

    ``ask`` is `Guest.ask`; ``number`` is what the child calls it. Attributes have long names because those of the
    program's object are looked up where an own one is missing.
    """

    def __init__(self, ask: Callable[..., Any], number: int, kind: str) -> None:
        self._evalkit_number = number
        self._evalkit_ask = ask
        self._evalkit_kind = kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._evalkit_ask("get", self._evalkit_number, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_evalkit_"):
            object.__setattr__(self, name, value)
        else:
            self._evalkit_ask("set", self._evalkit_number, name, value)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the program's object."""
        return self._evalkit_ask("call", self._evalkit_number, *arguments, mirror=True, **keywords)

    def __iter__(self) -> Any:
        return self._evalkit_ask("iter", self._evalkit_number)

    def __next__(self) -> Any:
        return self._evalkit_ask("next", self._evalkit_number)

    def __len__(self) -> int:
        return int(self._evalkit_ask("length", self._evalkit_number))

    def __bool__(self) -> bool:
        return self._evalkit_ask("truth", self._evalkit_number) is True

    def __getitem__(self, key: Any) -> Any:
        return self._evalkit_ask("item", self._evalkit_number, key)

    def __contains__(self, key: Any) -> bool:
        return self._evalkit_ask("contains", self._evalkit_number, key) is True

    def __str__(self) -> str:
        return str(self._evalkit_ask("text", self._evalkit_number))

    def __repr__(self) -> str:
        return f"<an object of type {self._evalkit_kind}>"


def describe_exception(error: BaseException) -> list[str]:
    """Return the builtin class, the class and the text of an exception, as `exception_of` takes them."""
    kind = type(error)
    builtin = next((base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"), "Exception")
    try:
        text = str(error)[:_TEXT_LIMIT]
    except Exception:
        text = ""
    return [builtin, kind.__name__[:100], text]


def exception_of(builtin: str, kind: str, text: str) -> Exception:
    """Return an exception of that builtin class, for one of class ``kind`` that the other side raised."""
    found = getattr(builtins, builtin, None)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        found = Exception
    message = text if kind == builtin else f"{kind}: {text}"
    try:
        return found(message)
    except TypeError:
        return Exception(f"{kind}: {text}")  # the few that are not made of one text, such as UnicodeDecodeError


def overwrite(old: Any, new: Any) -> None:
    """Give a list, dict, set or byte array the content of another."""
    if type(old) is not type(new):
        return
    if isinstance(old, (list, bytearray)):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)
