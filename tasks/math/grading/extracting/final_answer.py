r"""Where the final answer stands in a model's text: in a box, after «Ответ:», or last.

Every step looks at a bounded piece of the text or passes over it once, so that a megabyte costs milliseconds.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from ....text.answers import ANSWER, closing_brace
from ....text.thoughts import split_thoughts
from ..reading.units import UNITS
from ..reading.words import FUNCTIONS, NUMERALS, hedge, meaning
from .clauses import has_clauses, without_clauses, without_remarks
from .formulas import Formula, find_formulas, masked

_BOXES = 32
_BOX_LENGTH = 8192
_TAIL = 6000
_SEGMENT = 2000
_WHOLE = 400
_COPULAS = 20
_JOINT_LENGTH = 12

_SPECIAL_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>(?:\w{1,20}$)?")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*")
_REMARK_BEHIND = re.compile(r"\s{0,4}\$?\$?\s{0,4}(\((?!\d)[^()\n]{1,200}\))")
_END_SPACE = re.compile(r"(?:\s|(?<!\\)\\[,;: ]?|~)+\Z")
_BARE = re.compile(r"[-+−]?\d[\d.,/]{0,40}|[A-Za-zА-Яа-я]\b")
_MARKER = re.compile(
    rf"(?:\b(?:final\s+answer|{ANSWER}|итого|result)\b[*_\s]{{0,6}}(?:is\b|[:：=]|(?:—|–|-)\s|равен\b|будет\b)"
    rf"|^[#*_ \t>]{{0,8}}(?:final\s+answer|{ANSWER}|итого)\b[*_\s]{{0,6}}$"
    rf"|^[#*_ \t>]{{0,8}}(?:{ANSWER}|итого)\b(?=[*_ ]{{0,4}}[\\$\d(\[{{+−-])"
    r"|####)",
    re.IGNORECASE | re.MULTILINE,
)
_JOINING = re.compile(
    r"(?:\s|[$,;.+&*]|\\[()\[\],;: !]|\\q?quad|\\text\s*\{\s*(?:и|или|либо|and|or)\s*\}"
    r"|\b(?:и|или|либо|а также|and|or)\b"
    r"|[a-z]\w{0,2}\s*=|\\[a-z]{1,5}\b)*\\?\Z",
    re.IGNORECASE,
)
_CONNECTIVE = re.compile(r"(?<!\w)(?:и|или|либо|and|or)(?!\w)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.,])[-−–+]?\(?[-−–]?\d+(?:[.,]\d+)*(?:[ \u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d+)?\)?"
    r"(?:\s?[/*^·:]\s?\(?[-−]?\d+(?:[.,]\d+)*\)?)*(?:\s?%|\s?°|!(?!\s+[A-ZА-ЯЁ]))?"
)
_UNIT_AFTER = re.compile(
    r"[ \u00a0]?([A-Za-zА-Яа-я]{1,12})[²³23]?(?:/[а-яa-z]{1,5}[²³]?|\.? (?:в|per) [а-яa-z]{1,8})?"
)
_JOINT = re.compile(r"\s*(?:[,;]\s*(?:и|или|либо|а также|and|or)?|и|или|либо|and|or)\s*")
_SENTENCE_END = re.compile(
    r"(?<!\.)(?<!\\right)(?:[.!?](?=\s+[«\"*(]*[A-ZА-ЯЁ])|(?:[.?]|(?<![\da-z)}!])!)(?=\s*\Z))"
)
_BOUNDED = re.compile(r"(?<!\w)(?:не|бол(?:ее|ьше)|мен(?:ее|ьше)|not)(?!\w)", re.IGNORECASE)
_COUNTED = re.compile(
    r"[-−–+]?\d[\d.,/ \u00a0]*(?: (?!и |или )[А-Яа-яЁё]+){1,4}"
    r"(?:(?:,| и| или) \d[\d.,/]*(?: [А-Яа-яЁё]+){1,3}){0,3}\Z"
)
_TAG = re.compile(r"</?(?:b|strong|i|em|u|p|span|div|br)\s?/?>", re.IGNORECASE)
_BULLET = re.compile(r"\A[ *_]*\n\s*[-•]\s+")
_BETWEEN_SENTENCES = re.compile(r"(?<=[а-яё\d)$][.!?])\s+(?=[А-ЯЁA-Z])")
_QUOTED = re.compile(r"\n[ \t]*>[ \t]?")
_ITEM = re.compile(r"[ \t]*(?:[-•*]|(\d{1,2})[.)])[ \t]+(?=\S)")
_VALUE = re.compile(r"(?:[A-Za-z]\w{0,3}\s?=\s?)?[-−–+]?\d{1,20}(?:[.,/]\d{1,20})?")
_COPULA = re.compile(
    r"(?:\bis\b|\bare\b|\bequals\b|\bbe\b|\bравн[аыо]\b|\bравен\b|\bсоставля[ею]т\b|\bсоставит\b|\bбудет\b|=|—)\s*:?",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\\(?:begin|end)\s*\{\w+\}(?:\{[lcr|]*\})?|\\(?:text|mbox|mathrm|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+|\\."
)
_WORD = re.compile(r"[A-Za-zА-Яа-яЁё]{2,}")
_PICTURE = re.compile("[\U0001f000-\U0001faff\u2600-\u2714\u2716-\u27bf\ufe0f]")
_EDGES = ' \t\r\n*_`"«»“”'
_SHORT_PROSE = frozenset(["is", "as", "at", "be", "by", "he", "if", "it", "my", "no", "of", "so", "to", "we", "us"])
_LITTLE_WORDS = frozenset(
    (
        "включительно",
        "и",
        "или",
        "либо",
        "же",
        "также",
        "а",
        "and",
        "or",
        "на",
        "от",
        "до",
        "в",
        "из",
        "при",
        "где",
        "не",
        "нет",
    )
)


def extract(answer: str) -> str | None:
    r"""Return the final answer that stands in a text, or None if nothing looks like one.

    The last of these wins: the last ``\boxed{…}`` (several that only commas or «и» part are one list), or what
    follows the last «Ответ:», «Итого», ``Answer:``, ``####``. Without either, the text itself if it is nothing but
    an expression, or else the last formula or number in it.
    """
    text = _without_thoughts(answer)
    box = _last_boxes(text)
    marked = _last_marked(text)
    if box and not (marked and marked[0] > box[1] and _is_mathematical(marked[1])):
        remark = _REMARK_BEHIND.match(text, box[1])
        found: str | None = without_remarks(f"{box[2]} {remark[1]}") if remark else box[2]
    else:
        found = marked[1] if marked else _last_expression(text)
    return found if not found or found.isascii() else _PICTURE.sub("", found).strip()


def said(answer: str) -> str:
    """Return the line in which the final answer stands with all its words, after «Ответ:» if there is one."""
    text = _without_thoughts(answer)
    box = _last_boxes(text)
    marked = _last_marked(text)
    if box and not (marked and marked[0] > box[1] and _is_mathematical(marked[1])):
        line_start = text.rfind("\n", max(0, box[0] - _SEGMENT), box[0]) + 1
        line = text[max(line_start, box[1] - _SEGMENT) : box[1]]
        heading = _MARKER.search(line)
        return line[heading.end() :] if heading else line
    after = text[marked[2] : marked[2] + _SEGMENT].lstrip(" \t\r\n*_:#=`") if marked else text.strip()[-_SEGMENT:]
    return after.partition("\n")[0] if marked else after.rpartition("\n")[2]


def statement(line: str) -> str:
    """Return the sentence that ends a line of `said`, without its reasons."""
    sentences = [part for part in _BETWEEN_SENTENCES.split(line.strip()) if part.strip()]
    return _trimmed(without_clauses(sentences[-1], only_reasons=True)) if sentences else ""


def _without_thoughts(answer: str) -> str:
    text, _ = split_thoughts(answer)
    if "\\framebox" in text:
        text = text.replace("\\framebox", "\\fbox")
    if "</answer>" in text:
        before, _, _ = text.rpartition("</answer>")
        _, opened, inside = before.rpartition("<answer>")
        if opened and inside.strip():
            text = inside if "\\boxed" in inside or _MARKER.search(inside) else f"Ответ: {inside.strip()}"
    return _SPECIAL_TOKEN.sub(" ", text) if "<|" in text else text


def _last_boxes(text: str) -> tuple[int, int, str] | None:
    """Return the start, the end and the content of the last box, joined with those that it continues."""
    starts: list[int] = []
    end = len(text)
    while len(starts) < _BOXES:
        end = max(text.rfind("\\boxed", 0, end), text.rfind("\\fbox", 0, end))
        if end < 0:
            break
        starts.append(end)
    boxes: list[tuple[int, int, str]] = []
    for start in reversed(starts):
        if boxes and start < boxes[-1][1]:
            continue
        span = _box_content(text, start)
        if span:
            boxes.append((start, *span))
    if not boxes:
        return None
    first, last, contents = boxes[-1][0], boxes[-1][1], [boxes[-1][2]]
    for start, end, content in reversed(boxes[:-1]):
        between = text[end:first]
        if len(between) > 60 or "\n\n" in between or not _continues(between):
            break
        first = start
        if content not in contents:
            contents.insert(0, content)
    return first, last, " ; ".join(contents) if len(contents) > 1 else contents[0]


def _continues(between: str) -> bool:
    if _JOINING.match(between):
        return True
    return len(between) <= 30 and bool(_CONNECTIVE.search(between)) and "." not in between


def _box_content(text: str, start: int) -> tuple[int, str] | None:
    opening = _BOX.match(text, start)
    if not opening:
        return None
    position = opening.end()
    if text[position : position + 1] != "{":
        word = _BARE.match(text, position)
        return (word.end(), word[0].rstrip(".,;")) if word else None
    limit = min(len(text), position + _BOX_LENGTH)
    end = closing_brace(text, position + 1, limit)
    if end is not None:
        return end + 1, _closed(text[position + 1 : end])
    line_end = text.find("\n", position, limit)
    unclosed = text[position + 1 : line_end if line_end >= 0 else limit]
    return position + 1 + len(unclosed), unclosed.strip(" $.")


def _closed(content: str) -> str:
    r"""Return the content of a box without the space that ends it (``2\ ``) and without clauses."""
    content = content.strip()
    if content.endswith(("\\", "~", ",", ";", ":")):
        content = _END_SPACE.sub("", content)
    return without_clauses(content) if has_clauses(content) and meaning(content) is None else content


def _last_marked(text: str) -> tuple[int, str, int] | None:
    """Return where the last «Ответ:» with something after it begins, that something, and where the mark ends."""
    found: list[tuple[int, int]] = []
    for match in _MARKER.finditer(text):
        found.append((match.start(), match.end()))
        if len(found) > 2 * _BOXES:
            del found[:_BOXES]
    for start, end in reversed(found):
        segment = _segment(text[end : end + _SEGMENT])
        if segment:
            return start, segment, end
    return None


def _segment(after: str) -> str | None:
    """Cut the answer out of what follows «Ответ:»: its first line or display, up to the end of the sentence."""
    after = _TAG.sub("", after)
    if "\n" in after:
        after = _QUOTED.sub("\n", after)
        listed = _listed(after.lstrip(" \t*_:#=`")) or _stacked(after)
        if listed:
            return listed
        after = _BULLET.sub("", after)
    after = after.lstrip(" \t\r\n*_:#=`")
    formulas = find_formulas(after)
    if formulas and not formulas[0].start and "\n" in formulas[0].content:
        return formulas[0].content.strip()
    line = after if after.startswith("\\begin") else after.partition("\n")[0]
    line = _cut_sentence(line).replace('\\"', '"').strip(_EDGES)
    boxed = _last_boxes(line)
    if boxed:
        return boxed[2]
    if has_clauses(line) and meaning(line) is None:
        line = without_clauses(line)
    line = _trimmed(line)
    if not any(map(str.isalnum, line)) and not _is_mathematical(line):
        return None
    if (
        not _is_prose(line)
        or not _is_mathematical(line)
        or _BOUNDED.search(line)
        or hedge(line)
        or _COUNTED.match(line)
    ):
        return line
    return _tail(line)


def _listed(after: str) -> str | None:
    """Join the lines of a list below «Ответ:»; None if there is none, or one of a single item."""
    if not after.startswith(("\n", "\r")):
        return None
    items: list[str] = []
    for line in after.strip().split("\n"):
        item = _ITEM.match(line)
        if not item or (item[1] and int(item[1]) != len(items) + 1):
            break
        items.append(_trimmed(_cut_sentence(line[item.end() :])))
    if len(items) < 2 or not all(map(_is_mathematical, items)) or any(map(_is_prose, items)):
        return None
    return " ; ".join(items)


def _stacked(after: str) -> str | None:
    """Join bare values that stand one below another, from the first line on; None if there are not two of them."""
    values: list[str] = []
    for line in after.strip().split("\n"):
        value = line.strip(_EDGES + "$.,;")
        if not _VALUE.fullmatch(value):
            break
        if value not in values:
            values.append(value)
    return " ; ".join(values) if len(values) > 1 else None


def _trimmed(text: str) -> str:
    """Strip quotes, emphasis and the full stop; three dots stay, for they say that the answer goes on."""
    text = text.strip(_EDGES)
    return text if text.endswith(("...", "\\right.")) else text.rstrip("." + _EDGES)


def _cut_sentence(line: str) -> str:
    end = _SENTENCE_END.search(masked(line, "0"))
    return line[: end.end() if end[0] == "?" else end.start()] if end else line


def _tail(line: str) -> str | None:
    """Return what follows the last "is" or «равно», or else the last formula or number of a sentence."""
    for match in reversed(deque(_COPULA.finditer(masked(line, "0")), maxlen=_COPULAS)):
        tail = line[match.end() :].strip(_EDGES)
        if _is_mathematical(tail) and not _is_prose(tail):
            return tail
    return _last_expression(line)


def _is_mathematical(text: str) -> bool:
    """Whether there is a digit, a formula, or a phrase with a mathematical meaning."""
    return bool(re.search(r"[\d$\\∅π∞√ℝ]|(?<!\w)[a-zA-Z](?!\w)", text)) or meaning(text) is not None


def _is_prose(text: str) -> bool:
    """Whether words stand there that are no units, functions or numerals."""
    bare = _COMMAND.sub(" ", masked(text, " "))
    return any(not _is_known(word.lower()) for word in _WORD.findall(bare))


def _is_known(word: str) -> bool:
    if word in UNITS or word in FUNCTIONS or word in NUMERALS or word in _LITTLE_WORDS:
        return True
    return word.isascii() and len(word) <= 2 and word not in _SHORT_PROSE


def _last_expression(text: str) -> str | None:
    """Return the whole text if it is an expression, or its last formula or number."""
    stripped = text.strip()
    if not stripped:
        return None
    if len(stripped) <= _WHOLE and not _is_prose(stripped):
        return _trimmed(stripped) or None
    if len(stripped) <= _WHOLE and (meaning(stripped) or not _is_mathematical(stripped)):
        return _trimmed(stripped) or None
    return _last_in(stripped[-_TAIL:]) or (_trimmed(stripped) if len(stripped) <= _WHOLE else None)


def _last_in(tail: str) -> str | None:
    formulas = find_formulas(tail)
    numbers = list(_NUMBER.finditer(masked(tail, " ")))
    if formulas and (not numbers or formulas[-1].start > numbers[-1].start()):
        return _joined(tail, formulas)
    if not numbers:
        return None
    start, end = numbers[-1].span()
    for before in reversed(numbers[:-1]):
        if start - before.end() > _JOINT_LENGTH or not _JOINT.fullmatch(tail[before.end() : start]):
            break
        start = before.start()
    unit = _UNIT_AFTER.match(tail, end)
    if unit and unit[1].lower() in UNITS and not (len(unit[1]) == 1 and unit[1].isascii()):
        end = unit.end()
    return tail[start:end].rstrip(".,;: ")


def _joined(tail: str, formulas: Sequence[Formula]) -> str:
    """Return the last formula with those before it that only a comma or «и» parts from it."""
    joined = formulas[-1].content
    for before, after in zip(formulas[-2::-1], formulas[:0:-1], strict=True):
        between = tail[before.end : after.start]
        if len(between) > _JOINT_LENGTH or not _JOINT.fullmatch(between):
            break
        joined = f"{before.content} {between} {joined}"
    return joined.strip()
