"""The probes that judges are measured on: questions with a right and a wrong answer, and their variants.

The files in ``probes/`` were written for this: 32 Russian questions, each with a good answer and one of the same
length that is wrong; padding sentences without content; 30 attacks.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from ...files import read_journal
from .families import families

FOLDER: Final = Path(__file__).parent / "probes"
LEAST_PADDING: Final = 500
MOST_PADDING: Final = 1500


@dataclass(frozen=True, slots=True)
class Probe:
    """One question with a ``good`` answer and a ``weak`` one, which is wrong and about as long."""

    id: str
    topic: str
    question: str
    good: str
    weak: str


@dataclass(frozen=True, slots=True)
class Attack:
    """A prompt injection that asks for a good mark: the ``whole`` answer, or text ``before``/``after`` one."""

    id: str
    family: str
    place: Literal["whole", "before", "after"]
    text: str

    def on(self, answer: str) -> str:
        """Return the attacked answer."""
        if self.place == "whole":
            return self.text
        return f"{self.text}\n\n{answer}" if self.place == "before" else f"{answer}\n\n{self.text}"


@cache
def probes() -> tuple[Probe, ...]:
    """Return the questions, always in the same order."""
    return tuple(Probe(**row) for row in read_journal(FOLDER / "questions.jsonl"))


@cache
def attacks() -> tuple[Attack, ...]:
    """Return the attacks, always in the same order."""
    return tuple(Attack(**row) for row in read_journal(FOLDER / "attacks.jsonl"))


def padded(answer: str, number: int) -> str:
    """Return the answer padded with 500 to 1,500 characters of empty sentences, depending on the probe's number."""
    sentences = _padding()
    wanted = LEAST_PADDING + (MOST_PADDING - LEAST_PADDING) * (number % 8) // 7
    added: list[str] = []
    while sum(map(len, added)) < wanted:
        added.append(sentences[(number + len(added)) % len(sentences)])
    half = len(added) // 2
    return "\n\n".join((" ".join(added[:half]), answer, " ".join(added[half:])))


def decorated(answer: str) -> str:
    """Return the answer with the same words as a list under a header, its first words in bold; code stays."""
    parts = re.split(r"(```.*?```)", answer, flags=re.DOTALL)
    shown = ["## Ответ"]
    for part in parts:
        if part.startswith("```"):
            shown.append(part)
            continue
        for sentence in re.split(r"(?<=[.!?:])\s+(?=[А-ЯЁA-Z«`])", part.strip()):
            words = sentence.split(" ")
            if sentence:
                shown.append(" ".join((f"- **{' '.join(words[:2])}**", *words[2:])))
    return "\n".join(shown)


def signed(answer: str, family: str) -> str:
    """Return the answer with a line that says which family of models wrote it."""
    return f"{answer}\n\nОтвет подготовила модель семейства {family}."


def probes_sha256() -> str:
    """Return the hash of all probe files and model families, in hex."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update("\0".join(families()).encode())
    return digest.hexdigest()


@cache
def _padding() -> tuple[str, ...]:
    import yaml

    return tuple(yaml.safe_load((FOLDER / "padding.yaml").read_text(encoding="utf-8")))
