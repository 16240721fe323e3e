"""A built page as tests read it: its elements, its scripts, the samples packed into it, and its words."""

from __future__ import annotations

import base64
import gzip
from html.parser import HTMLParser
from typing import Any

import orjson
from evalkit.reports.language.words import words_in

STRINGS = {language: words_in(language) for language in ("en", "ru")}


class Parsed(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.text += data
        elif self.raw:
            tag, attributes, before = self.raw[-1]
            self.raw[-1] = (tag, attributes, before + data)


def unpack(page: str) -> list[dict[str, Any]]:
    """Return the samples that a page holds, without what was rendered of them."""
    return [plain(sample) for shard in payload(page)[1:] for sample in shard]


def unpacked(text: str) -> Any:
    """Return the value that was packed into an index or a shard."""
    packed = base64.b85decode(text.translate(str.maketrans(",./", "<>&")))
    return orjson.loads(gzip.decompress(packed).decode("cp1251"))


def payload(page: str) -> list[Any]:
    """Return the index of the samples, and then the shards."""
    (text,) = [text for _, attributes, text in Parsed(page).raw if attributes.get("id") == "payload"]
    return [unpacked(line) for line in text.split("\n")]


def plain(value: Any) -> Any:
    """Return a JSON value without rendered texts."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in ("html", "htmls")}
    return value
