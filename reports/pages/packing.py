"""Compression of samples: an index for the list and the filters, and shards with the full texts.

A shard is JSON in windows-1251, gzipped, in base85. Russian letters then take one byte before compression, which
makes shards smaller by a sixth; other characters are escaped. A small report embeds its shards; those of a larger
one are classic scripts in a folder beside it, each a single call of ``evalkitShard``: a page opened from disk can
load scripts, but neither modules nor data.
"""

from __future__ import annotations

import base64
import codecs
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from ...errors import RunError
from ...files import encode, replacing
from ..data.outcomes import placed
from .rich_text import rich

LARGEST_FILE: Final = 1_500_000
"""Size limit, in bytes, of a page with embedded samples."""

SHARD_BYTES: Final = 500_000
"""JSON bytes of a shard; more if a single sample is larger."""

MOST_RENDERED: Final = 10_000
"""Limit of rendered texts, which take two milliseconds each; the others are shown as plain text."""

_TEASER = 120

_GZIP = 31
_ESCAPED = "evalkit.json_escapes"

# Base85 of RFC 1924 without the characters that are special in HTML.
_WRITTEN = str.maketrans("<>&", ",./")


@dataclass(frozen=True, slots=True)
class Packed:
    """``index`` and ``shards`` of samples as base85 text; ``has_formulas``: whether any text has a formula."""

    count: int
    index: str
    shards: tuple[str, ...]
    has_formulas: bool

    @property
    def size(self) -> int:
        """The total length of all shards."""
        return sum(map(len, self.shards))


def pack(samples: Iterable[Mapping[str, Any]], outcomes: Iterable[Mapping[str, Any]] = ()) -> Packed:
    """Render and pack samples, with the `outcomes` that counts link to.

    Equal samples and outcomes give equal text.
    """
    index: list[dict[str, Any]] = []
    shards: list[str] = []
    shard: list[bytes] = []
    has_formulas = False
    for sample in _rendered(samples):
        line = encode(sample)
        if shard and sum(map(len, shard)) + len(line) > SHARD_BYTES:
            shards.append(_joined(shard))
            shard = []
        has_formulas = has_formulas or b"<math" in line
        index.append(_entry(sample, len(shards), len(shard)))
        shard.append(line)
    if shard:
        shards.append(_joined(shard))
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, entry in enumerate(index):
        places[entry["task"], entry["id"]].append(at)
    listed = encode({"samples": index, "outcomes": placed(outcomes, places)})
    return Packed(len(index), _packed(listed), tuple(shards), has_formulas)


def shard_folder(page: Path) -> Path:
    """Return the folder in which the shards of a page lie."""
    return page.with_name(f"{page.stem}.data")


def make_folder(folder: Path) -> None:
    """Make a folder for output, with its parents.

    Raises:
        RunError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {folder}: {error.strerror or error}; give another --output") from error


def write_shards(page: Path, shards: Iterable[str]) -> None:
    """Write shards beside a page, and remove those of an earlier page of the same name.

    Raises:
        RunError: a file cannot be written.
    """
    folder = shard_folder(page)
    written = set()
    for number, shard in enumerate(shards):
        path = folder / f"{number:04}.js"
        written.add(path)
        make_folder(folder)
        with replacing(path) as file:
            file.write(f'evalkitShard({number},"{shard}")\n'.encode())
    if folder.is_dir():
        for path in folder.glob("[0-9][0-9][0-9][0-9].js"):
            if path not in written:
                path.unlink()
        if not written and not any(folder.iterdir()):
            folder.rmdir()


def _joined(lines: Iterable[bytes]) -> str:
    # Answers to one prompt are adjacent, within gzip's window of 32 KB, because they repeat each other.
    return _packed(b"[" + b",".join(lines) + b"]")


def _packed(data: bytes) -> str:
    """Return JSON in UTF-8 as the text that the page's ``unpack`` takes."""
    squeezer = zlib.compressobj(level=9, wbits=_GZIP, memLevel=9)
    squeezed = squeezer.compress(data.decode().encode("cp1251", _ESCAPED)) + squeezer.flush()
    return base64.b85encode(squeezed).decode().translate(_WRITTEN)


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPED, _escape)


def _entry(sample: Mapping[str, Any], shard: int, at: int) -> dict[str, Any]:
    """Return the entry of a sample in the index, for the list and the filters.

    An answer is ``[value, status, "101", ids?]``: which instructions were followed, by position in the sample's
    ``ids`` unless it has its own.
    """
    verdicts = [_verdicts(answer) for answer in sample["answers"]]
    ids = next(([one["id"] for one in some] for some in verdicts if some), [])
    answers: list[list[Any] | None] = []
    for answer, some in zip(sample["answers"], verdicts, strict=True):
        if answer is None:
            answers.append(None)
            continue
        brief = [answer.get("value"), answer.get("status"), "".join("01"[bool(one.get("strict"))] for one in some)]
        own = [one["id"] for one in some]
        answers.append([*brief, own] if own != ids and own else brief)
    prompt = sample["messages"][-1]["content"] if sample["messages"] else ""
    teaser = " ".join(prompt[: 2 * _TEASER].split())[:_TEASER]
    place = {"task": sample["task"], "id": sample["id"], "epoch": sample["epoch"], "shard": shard, "at": at}
    return {**place, "teaser": teaser, "ids": ids, "answers": answers}


def _verdicts(answer: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    found = ((answer or {}).get("parts") or {}).get("instructions")
    return [one for one in found if isinstance(one, dict) and "id" in one] if isinstance(found, list) else []


def _rendered(samples: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add HTML beside every text with markup: adjacent, where it compresses best."""
    made = count()

    def html(text: Any) -> str | None:
        if not isinstance(text, str) or next(made) >= MOST_RENDERED:
            return None
        return rich(text)

    def of_message(message: Mapping[str, Any]) -> dict[str, Any]:
        return _with({**message}, "html", html(message.get("content")))

    def of_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
        fields = {**answer}
        if "messages" in fields:
            fields["messages"] = [of_message(message) for message in fields["messages"]]
        if "turns" in fields:
            return _with(fields, "htmls", [html(turn) for turn in fields["turns"]])
        return _with(fields, "html", html(fields.get("text")))

    for sample in samples:
        messages = [of_message(message) for message in sample["messages"]]
        answers = [of_answer(answer) if answer else None for answer in sample["answers"]]
        yield {**sample, "messages": messages, "answers": answers}


def _with(fields: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return fields | {name: value} if value else fields
