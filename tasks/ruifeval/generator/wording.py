"""The texts that prompts are made of: themes, wordings, frames, and the small grammar that joins them.

The texts live in ``themes.yaml``, ``wording.yaml`` and ``parameters.yaml`` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ...text.nouns import Noun

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")

_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Theme:
    """What a prompt can be about; the fields are explained in ``themes.yaml``."""

    name: str
    about: str
    texts: tuple[str, ...]
    tasks: tuple[str, ...]
    lists: tuple[str, ...]
    questions: tuple[str, ...]
    keywords: tuple[str, ...]
    forbidden: tuple[str, ...]


@cache
def load(name: str) -> Any:
    """Return the contents of a YAML file beside this one; read once, not to be changed."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(__file__).with_name(name).read_text(encoding="utf-8"), Loader=loader)


@cache
def themes(split: Split) -> tuple[Theme, ...]:
    """Return the themes of a split."""
    lists = [field.name for field in fields(Theme) if field.name not in ("name", "about")]
    return tuple(
        Theme(entry["name"], entry["about"], *(tuple(entry[name]) for name in lists))
        for entry in load("themes.yaml")[split]
    )


def genres(split: Split) -> Sequence[str]:
    """Return the requests that any theme of the split can complete."""
    found: Sequence[str] = load("themes.yaml")["genres"][split]
    return found


def wordings(instruction_id: str, split: Split, variant: str) -> Sequence[str]:
    """Return the ways to word an instruction; ``variant`` is a relation, ``one``, ``many`` or ``always``."""
    found: Sequence[str] = load("wording.yaml")["instructions"][instruction_id][split][variant]
    return found


def frames(split: Split, kind: str) -> Sequence[str]:
    """Return the ways to put a request and its instructions together."""
    found: Sequence[str] = load("wording.yaml")["frames"][split][kind]
    return found


def render(template: str, values: Mapping[str, str], *, formal: bool) -> str:
    """Fill in a template: ``{ты|вы}`` by the form of address, ``{name}`` from the values.

    Raises:
        KeyError: the template names a value that is not there.
    """

    def fill(brace: re.Match[str]) -> str:
        informal, bar, polite = brace[1].partition("|")
        if not bar:
            return values[informal]
        return polite if formal else informal

    return _BRACES.sub(fill, template)


def counted(number: int, noun: str, *, in_words: bool) -> tuple[str, str]:
    """Return a number with its noun in the genitive and in the accusative: «трёх слов», «три слова».

    The number is written in words if ``in_words`` and it is one of the ``numerals``, in figures otherwise. The
    nouns of ``wording.yaml`` are masculine or neuter and inanimate, so that their accusative is the nominative.
    """
    forms = Noun(*load("wording.yaml")["nouns"][noun])
    genitive, accusative = forms.bound(number), forms.count(number)
    numeral = load("wording.yaml")["numerals"].get(number) if in_words else None
    if numeral is None:
        return genitive, accusative
    return genitive.replace(str(number), numeral[1], 1), accusative.replace(str(number), numeral[0], 1)


def listed(words: Sequence[str]) -> str:
    """Return the words in guillemets, the last two joined by «и»: ``«а», «б» и «в»``."""
    quoted = [f"«{word}»" for word in words]
    return " и ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
