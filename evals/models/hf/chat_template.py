"""A chat as the model's own tokens: the template applied once, and nothing added around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ....errors import InputError, ModelError
from ....files import read_json
from ....tasks.types import Message

PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """How messages become a prompt.

    ``source`` is the Jinja template; ``None`` joins the bare texts with blank lines, which suits base models.
    ``arguments`` are passed to the template (``enable_thinking``).
    """

    tokenizer: Any
    source: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, Any]:
        """What of it changes an answer."""
        return template_identity(self.source, self.arguments.get("enable_thinking"))

    def render(self, messages: Sequence[Message]) -> str:
        """Return the prompt as text, up to the start of the assistant's answer.

        Raises:
            ModelError: the template refuses these messages (many have no system role, or want strict turns).
        """
        if self.source is None:
            return "\n\n".join(message.content for message in messages)
        from jinja2 import TemplateError

        chat = [message.as_json() for message in messages]
        try:
            prompt = self.tokenizer.apply_chat_template(
                chat, chat_template=self.source, tokenize=False, add_generation_prompt=True, **self.arguments
            )
            return str(prompt)
        except TemplateError as error:
            roles = ", ".join(message.role for message in messages)
            raise ModelError(f"the model's chat template refuses this chat ({roles}): {error}") from None

    def tokens(self, rendered: str) -> list[int]:
        """Return the token ids of a rendered prompt.

        A template writes its own BOS; so the tokenizer may add one to plain text only.
        """
        special = self.source is None
        return list(self.tokenizer(rendered, add_special_tokens=special)["input_ids"])


def chat_template(tokenizer: Any, choice: str | None, *, think: bool | None = None) -> ChatTemplate:
    """Make the chat template of a model.

    Args:
        tokenizer: the model's, of transformers.
        choice: see `choose_template`.
        think: passed on as ``enable_thinking`` unless ``None``.

    Raises:
        InputError: the file cannot be read.
        ModelError: the tokenizer has no template and none was chosen.
    """
    arguments = {} if think is None else {"enable_thinking": think}
    return ChatTemplate(tokenizer, choose_template(tokenizer.chat_template, choice), arguments)


def choose_template(own: str | Mapping[str, str] | None, choice: str | None) -> str | None:
    """Return the source of the template to use, ``None`` for plain text.

    Args:
        own: the model's template, or several by name.
        choice: ``None`` for the model's own, ``plain`` for none, else a Jinja file.

    Raises:
        InputError: the file cannot be read.
        ModelError: the model has no template and none was chosen.
    """
    if choice == PLAIN:
        return None
    if choice is not None:
        try:
            return Path(choice).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"chat_template={choice}: {error.strerror}") from None
    source = own if isinstance(own, str | None) else own.get("default")
    if not source:
        raise ModelError(
            "this model has no chat template, so it is probably a base model: add ',chat_template=plain'"
            " to give it the bare text, or ',chat_template=FILE.jinja'",
            fatal=True,
        )
    return source


def template_in(folder: Path) -> str | Mapping[str, str] | None:
    """Read the chat template of a model's folder without loading the tokenizer.

    Raises:
        InputError: a file of it cannot be read.
    """
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    if not config.is_file():
        return None
    own = read_json(config).get("chat_template")
    if isinstance(own, list):
        return {template["name"]: template["template"] for template in own}
    return own if isinstance(own, str) else None


def template_identity(source: str | None, think: bool | None) -> dict[str, Any]:
    """Return what of a template changes an answer."""
    if source is None:
        return {"chat_template": PLAIN}
    digest = hashlib.sha256(source.encode()).hexdigest()
    return {"chat_template_sha256": digest} | ({} if think is None else {"enable_thinking": think})
