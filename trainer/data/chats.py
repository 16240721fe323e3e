"""Chats to be learned as they stand: a file of JSON lines, and every place in it where the assistant speaks.

A line is ``{"messages": [{"role", "content"}, …]}`` or ``{"prompt", "response"}``, where the prompt is a text or
messages; other fields are passed over. Each of the assistant's messages is an example of its own, read after what
the model would be given before it: nothing else of the chat is learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...tasks.records import read_jsonl
from ...tasks.types import Message

_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Example:
    """An answer to be learned, and what is said before it; ``place`` is its file and line."""

    context: tuple[Message, ...]
    answer: str
    place: str


def read_examples(path: Path, limit: int | None = None) -> tuple[Example, ...]:
    """Read the examples of the first ``limit`` chats of a file.

    Raises:
        InputError: the file cannot be read, or a chat in it is none (names line and field).
    """
    found: list[Example] = []
    for number, row in islice(read_jsonl(path), limit):
        place = f"{path}:{number}"
        chat = _chat(row, place)
        for message in chat:
            try:
                message.content.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"{place}: {error.object[error.start]!a} is half a character: correct it"
                ) from None
        examples = [
            Example(chat[:turn], message.content, place)
            for turn, message in enumerate(chat)
            if message.role == "assistant"
        ]
        if not examples:
            raise InputError(f"{place}: no message of this chat is the assistant's: there is nothing to learn")
        if not examples[0].context:
            raise InputError(f"{place}: field 'messages[0]' is the assistant's: somebody has to speak before it")
        found += examples
    return tuple(found)


def _chat(row: Mapping[str, Any], place: str) -> tuple[Message, ...]:
    if "messages" in row:
        return _messages(row["messages"], f"{place}: field 'messages'")
    if "prompt" not in row or "response" not in row:
        raise InputError(f"{place}: a line has 'messages', or 'prompt' and 'response'")
    prompt = row["prompt"]
    asked = (Message("user", prompt),) if isinstance(prompt, str) else _messages(prompt, f"{place}: field 'prompt'")
    if not isinstance(row["response"], str):
        raise InputError(f"{place}: field 'response' is a text, not {type(row['response']).__name__}")
    return (*asked, Message("assistant", row["response"]))


def _messages(given: Any, where: str) -> tuple[Message, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise InputError(f"{where} is a list of messages, each with 'role' and 'content'")
    for number, message in enumerate(given):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise InputError(f"{where}[{number}]: 'content' is a text")
        if message.get("role") not in _ROLES:
            raise InputError(f"{where}[{number}]: 'role' is {', '.join(_ROLES)}, not {message.get('role')!r}")
    return tuple(Message(message["role"], message["content"]) for message in given)
