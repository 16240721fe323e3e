"""One answer with lazily computed analyses, shared between checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from ..blank import has_content
from .fixes import Fixes


class Text:
    """An answer with lazily computed analyses, shared between all the checks of one prompt."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._lemmas: dict[Fixes, str] = {}

    @cached_property
    def blank(self) -> bool:
        """Whether there is nothing but white space."""
        return not self.raw or self.raw.isspace()

    @cached_property
    def invisible(self) -> bool:
        """Whether nothing in it shows, be it white space or letters that are blank."""
        return not has_content(self.raw)

    @cached_property
    def stripped(self) -> str:
        """The answer without white space around it."""
        return self.raw.strip()

    @cached_property
    def lower(self) -> str:
        """The answer in lower case."""
        return self.raw.lower()

    @cached_property
    def word_count(self) -> int:
        r"""The number of words: maximal runs of letters, digits and underscores (``\w+``)."""
        return len(_WORD.findall(self.raw))

    @cached_property
    def language(self) -> str:
        """The ISO 639-1 code of the answer's language; empty when it has no letters."""
        from ..text.identification import identify

        return identify(self.raw)

    @cached_property
    def capital_words(self) -> int:
        """The number of tokens written wholly in capitals."""
        from .capitals import count_capital_words

        return count_capital_words(self.raw)

    def sentence_count(self, fixes: Fixes) -> int:
        """Return the number of sentences under the given repairs."""
        from .sentences import count_sentences

        return count_sentences(self.raw, fixes)

    def lemmas(self, fixes: Fixes) -> str:
        """Return the dictionary forms of the answer's words, joined by single spaces."""
        from .lemmas import lemmatise

        if fixes not in self._lemmas:
            self._lemmas[fixes] = lemmatise(self.raw, fixes)
        return self._lemmas[fixes]

    @cached_property
    def variants(self) -> tuple[Text, ...]:
        """The seven other variants that loose scoring accepts, without duplicates and blank ones.

        They are the answer without asterisks; without its first line, its last line, or both (then stripped);
        and these three without asterisks.
        """
        seen = {self.raw}
        variants = []
        for raw in _loosened(self.raw):
            if raw not in seen and raw and not raw.isspace():
                seen.add(raw)
                variants.append(Text(raw))
        return tuple(variants)


_WORD = re.compile(r"\w+")


def _loosened(raw: str) -> Iterator[str]:
    first, last = raw.find("\n"), raw.rfind("\n")
    shortened = []
    if first >= 0:
        shortened = [raw[first + 1 :].strip(), raw[:last].strip(), raw[first + 1 : last].strip()]
    yield raw.replace("*", "")
    yield from shortened
    yield from (text.replace("*", "") for text in shortened)
