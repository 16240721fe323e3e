"""Chats for supervised learning: a file of JSON lines, and every message of the assistant in it.

A line is ``{"messages": [{"role", "content"}, …]}`` or ``{"prompt", "response"}``, where the prompt is a text or
messages; other fields are passed over. Each of the assistant's messages is an example of its own, read after what
the model would be given before it: nothing else of the chat is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...tasks.records import Record, read_records
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
    all_examples: list[Example] = []
    for record in islice(read_records(path), limit):
        chat = _chat(record)
        for message in chat:
            try:
                message.content.encode()
            except UnicodeEncodeError as error:
                raise record.error(f"{error.object[error.start]!a} is an unpaired surrogate: fix it") from None
        examples = [
            Example(chat[:turn], message.content, record.place)
            for turn, message in enumerate(chat)
            if message.role == "assistant"
        ]
        if not examples:
            raise record.error("no message of this chat is the assistant's: there is nothing to train on")
        if not examples[0].context:
            raise record.error("field 'messages[0]': the first message cannot be the assistant's")
        all_examples += examples
    return tuple(all_examples)


def _chat(record: Record) -> tuple[Message, ...]:
    if "messages" in record:
        return _messages(record, "messages")
    if "prompt" not in record or "response" not in record:
        raise record.error("a line has 'messages', or 'prompt' and 'response'")
    prompt, response = record["prompt"], record["response"]
    context = (Message("user", prompt),) if isinstance(prompt, str) else _messages(record, "prompt")
    if not isinstance(response, str):
        raise record.error(f"field 'response' is a text, not {type(response).__name__}")
    return (*context, Message("assistant", response))


def _messages(record: Record, name: str) -> tuple[Message, ...]:
    messages: Any = record[name]
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise record.error(f"field '{name}' is a list of messages, each with 'role' and 'content'")
    for number, message in enumerate(messages):
        where = f"field '{name}'[{number}]"
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise record.error(f"{where}: 'content' is a text")
        if message.get("role") not in _ROLES:
            raise record.error(f"{where}: 'role' is {', '.join(_ROLES)}, not {message.get('role')!r}")
    return tuple(Message(message["role"], message["content"]) for message in messages)
