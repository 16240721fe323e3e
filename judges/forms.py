"""Forms: the prompt templates of judges, in Russian and in English. To add a form, add two files to ``prompts/``.

A file ``NAME.LANGUAGE.md`` has three parts separated by lines of ``---``: a YAML header, the system message and
the user message. Placeholders are written ``{{name}}``; ``{{nonce}}`` is a code word, unique to the prompt, that
the verdict must repeat. The header has

- ``kind``: the kind of verdict that `parse_verdict` looks for, and its ``scale``: lowest and highest value;
- ``graded``: the placeholder of the answer to grade, or the placeholders of the answers to compare;
- ``hostile``: all placeholders that hold text of the graded models;
- ``criteria``: the criteria of a rubric or a table, if they differ from the parser's defaults.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import UsageError, nearest
from ..tasks.types import Message
from .parsing import Kind
from .parsing.criteria import CRITERIA

FOLDER = Path(__file__).parent / "prompts"
LANGUAGES = ("ru", "en")
NONCE = "nonce"

_BLANK = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Form:
    """One prompt template of a judge; ``sha256`` is the hash of its file, in hex."""

    name: str
    language: str
    kind: Kind
    scale: tuple[Any, ...]
    graded: tuple[str, ...]
    hostile: frozenset[str]
    system: str
    user: str
    sha256: str
    criteria: tuple[str, ...] = CRITERIA

    @property
    def blanks(self) -> frozenset[str]:
        """The placeholders that `fill` requires, without the nonce."""
        return frozenset(_BLANK.findall(self.system + self.user)) - {NONCE}

    def expect(self, fields: Mapping[str, str]) -> None:
        """Check that the fields match the form's placeholders.

        Raises:
            UsageError: a placeholder has no value, or a value has no placeholder.
        """
        if fields.keys() != self.blanks:
            raise UsageError(
                f"the form '{self.name}' has the placeholders {', '.join(sorted(self.blanks))};"
                f" got: {', '.join(sorted(fields))}"
            )

    def fill(self, fields: Mapping[str, str], nonce: str) -> tuple[Message, Message]:
        """Return the system and the user message.

        Placeholders are replaced in one pass: what looks like a placeholder inside a value is left unchanged.
        """
        values = {**fields, NONCE: nonce}
        return (
            Message("system", _BLANK.sub(lambda blank: values[blank[1]], self.system)),
            Message("user", _BLANK.sub(lambda blank: values[blank[1]], self.user)),
        )


def form_names() -> list[str]:
    """Return the names of all forms, sorted."""
    return sorted({path.name.split(".")[0] for path in FOLDER.glob("*.*.md")})


@cache
def load_form(name: str, language: str) -> Form:
    """Return a form in one of the `LANGUAGES`.

    Raises:
        UsageError: no such form or language (the message suggests close names).
    """
    if name not in form_names():
        raise UsageError(f"unknown form '{name}'.{nearest(name, form_names())}")
    path = FOLDER / f"{name}.{language}.md"
    if not path.is_file():
        raise UsageError(
            f"the form '{name}' does not exist in the language '{language}'.{nearest(language, LANGUAGES)}"
        )
    import yaml

    content = path.read_bytes()
    _, head, system, user = re.split(r"^---\n", content.decode("utf-8"), maxsplit=3, flags=re.MULTILINE)
    settings = yaml.safe_load(head)
    graded = settings["graded"]
    return Form(
        name,
        language,
        kind=settings["kind"],
        scale=tuple(settings["scale"]),
        graded=(graded,) if isinstance(graded, str) else tuple(graded),
        hostile=frozenset(settings["hostile"]),
        system=system.strip(),
        user=user.strip(),
        sha256=hashlib.sha256(content).hexdigest(),
        criteria=tuple(settings.get("criteria", CRITERIA)),
    )
