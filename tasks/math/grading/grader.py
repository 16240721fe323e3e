"""The ladder: find the final answer, read it, compare it; cheapest first, the worker process last."""

from __future__ import annotations

import re
import time
from fractions import Fraction
from functools import lru_cache

from .comparing.answers import same as same_meaning
from .comparing.exact import close, read_plain_number
from .comparing.oracle import ExactOracle
from .comparing.symbolic import worth_asking
from .extracting.final_answer import extract, said, statement
from .limits import BUDGET, LENGTH
from .node import Node
from .pool import ask
from .reading.answers import read
from .reading.deciding import deciding
from .reading.words import hedge, meaning, same_day, same_letter, verdict_word, wording
from .verdict import Grade, NoAnswer, TooLarge, Undecided, Unreadable, Verdict

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_ENGLISH = re.compile(
    r"(?<![\\A-Za-z])(?:the|is|are|answer|and|or|of|so|we|therefore|thus|total|which)(?![A-Za-z])"
    r"|\$\d|[1-9],000(?!\d)",
    re.IGNORECASE,
)
_LANGUAGE_SAMPLE = 2000
_ABSURD = frozenset(["none", "null", "nan", "n/a", "undefined", "todo", "tbd", "ответ", "answer"])
_OPTION = re.compile(
    r"(?:(?:вариант|пункт|option|choice)\s*)?[(\[]?\s*([A-Za-zА-Яа-яЁё])\s*[)\].:]?", re.IGNORECASE
)
_OPTION_FIRST = re.compile(r"\(([A-Za-zА-Яа-я])\)(?![A-Za-zА-Яа-я])")
_OPTION_IN_BRACKETS = re.compile(r"\([A-Za-zА-Яа-я]\)\Z")
_TEXT = re.compile(
    r"\\(?:text|textbf|mathrm|mbox|textit|mathbf|operatorname)\s*\{([^{}]*)\}|[$\"«»]|\\[()\[\],;! ]|\*\*"
)
_JOINTS = (" ; ", " или ", " и ", " ≈ ")
_MARK = re.compile(r"(?:ответ|answer): ?[*_]{0,4} ?\Z", re.IGNORECASE)
_ONLY_WORDS = re.compile(r"[^\W\d_]+(?:[ \-][^\W\d_]+)*\Z")


def grade(gold: str, answer: str, *, precision: int | None = None) -> Grade:
    r"""Say whether a model's whole answer ends in the gold answer.

    Args:
        gold: the right final answer, by itself or in a text of its own (``\\boxed{…}``, «Ответ: …»).
        answer: the model's whole answer.
        precision: compare numbers after rounding to this many decimal places. Without it numbers must be equal; one
            written as a decimal also counts when it agrees to 6 places.

    Safe in any thread and under asyncio. What exact arithmetic cannot decide goes to a worker process and ends
    within `limits.BUDGET` seconds.
    """
    expected, problem = _usable(gold)
    if problem:
        return Grade(Verdict.MALFORMED, None, gold, problem)
    found = extract(answer)
    if not found:
        return Grade(Verdict.UNPARSED, None, expected, "no final answer in the text")
    quick = _same_numbers(expected, found, precision)
    if quick is not None:
        return Grade(Verdict.CORRECT if quick else Verdict.WRONG, found[:LENGTH], expected)
    if gold.split(None, 1)[0] in answer and _is_given(gold, answer) and not _says_more(gold, found):
        return Grade(Verdict.CORRECT, found[:LENGTH], expected, "the same text")
    needed = _words_needed(expected)
    if needed == "line":
        found = said(answer).strip() or found
    elif needed == "statement":
        found = statement(said(answer)) or found
    verdict, reason = _compared(expected, found, _is_english(gold, answer), precision, BUDGET)
    return Grade(verdict, found[:LENGTH], expected, reason)


def same(
    gold: str, answer: str, *, english: bool = False, precision: int | None = None, budget: float = BUDGET
) -> tuple[Verdict, str]:
    """Say whether two final answers mean the same, and what there is to say about it.

    ``english`` decides what a lone comma before three digits is: ``1,234`` is 1.234 in Russian. ``budget`` is in
    seconds.
    """
    quick = _same_numbers(gold, answer, precision)
    if quick is not None:
        return (Verdict.CORRECT if quick else Verdict.WRONG), ""
    return _compared(gold, answer, english, precision, budget)


def _compared(gold: str, answer: str, english: bool, precision: int | None, budget: float) -> tuple[Verdict, str]:
    """Compare two answers of which not both are plain numbers."""
    started = time.monotonic()
    if len(answer) > LENGTH:
        return Verdict.LIMIT, f"the final answer has more than {LENGTH} characters"
    if _same_words(gold, answer):
        return Verdict.CORRECT, ""
    try:
        left = _read(gold, english)
        right = read(answer, english=english)
        equal = same_meaning(left, right, ExactOracle(precision))
        return (Verdict.CORRECT if equal else Verdict.WRONG), ""
    except (TooLarge, RecursionError) as error:
        return Verdict.LIMIT, str(error)
    except NoAnswer as error:
        return Verdict.UNPARSED, str(error)
    except Undecided:
        mode, unreadable = "numeric", ""
    except Unreadable as error:
        if _squeezed(gold) == _squeezed(answer):
            return Verdict.CORRECT, "the same text"
        if not worth_asking(gold, answer):
            return Verdict.UNPARSED, str(error)
        mode, unreadable = "symbolic", str(error)
    job = {"gold": gold, "answer": answer, "english": english, "precision": precision}
    verdict, reason, spent = ask(mode, job, budget - (time.monotonic() - started))
    if mode == "numeric" and verdict is Verdict.UNPARSED and worth_asking(gold, answer):
        verdict, reason, _ = ask("symbolic", job, budget - spent)
    return verdict, unreadable if verdict is Verdict.UNPARSED and unreadable else reason


@lru_cache(maxsize=4096)
def _usable(gold: str) -> tuple[str, str]:
    """Return the gold answer found in its text, and what is wrong with it (nothing: an empty string)."""
    in_a_text = "\\boxed" in gold or "####" in gold or len(gold.split()) > 15
    text = (extract(gold) if in_a_text else gold.strip()) or ""
    if not text.strip("$ \\{}().,;:!?*_-\n"):
        return text, "the gold answer is empty"
    if not any(map(str.isalnum, text)) and not re.search(r"[∅∞⌀]", text):
        return text, "the gold answer has neither digits nor letters"
    if wording(text) in _ABSURD or text.strip().lower() in _ABSURD:
        return text, "the gold answer is a placeholder"
    if _gold_number(text):
        return text, ""
    try:
        node = read(text)
    except TooLarge as error:
        return text, f"the gold answer is too large: {error}"
    except Unreadable:
        # It may still be met word for word, or by Math-Verify.
        return text, ""
    return text, "the gold answer has an ellipsis" if node.has("ellipsis") else ""


def _says_more(gold: str, found: str) -> bool:
    """Whether a final answer joins another to the gold one, or doubts or rejects it."""
    return hedge(found) != hedge(gold) or any(joint in found and joint not in gold for joint in _JOINTS)


def _is_given(gold: str, answer: str) -> bool:
    """Whether the answer is the gold answer's text, but for white space: in the last box, or at the end."""
    bare = " ".join(gold.split())
    given = " ".join(answer[-4 * len(gold) - 4 * LENGTH :].split())
    box = given.rfind("\\boxed{")
    if box >= 0:
        inside = given[box + len("\\boxed{") :].lstrip()
        return inside.startswith(bare) and inside[len(bare) :].lstrip().startswith("}")
    return given.endswith(bare) and (given == bare or bool(_MARK.search(given, 0, len(given) - len(bare))))


@lru_cache(maxsize=4096)
def _words_needed(gold: str) -> str:
    """Return which words of an answer tell whether it is right: its ``value``, ``statement`` or ``line``."""
    if meaning(gold) in ("да", "нет"):
        return "line"
    if not _CYRILLIC.search(gold):
        return "value"
    try:
        node = read(gold)
    except (Unreadable, TooLarge):
        return "statement"
    decided = any(
        part.words and (part.words.before or deciding(part.words.all) or not part.has("number", "decimal"))
        for part in (node, *node.args)
    )
    return "statement" if decided else "value"


@lru_cache(maxsize=4096)
def _read(gold: str, english: bool) -> Node:
    return read(gold, english=english)


def _is_english(gold: str, answer: str) -> bool:
    """Whether commas are to be read as in English: no Russian anywhere, and English words, or whole thousands."""
    if "," not in gold and "," not in answer:
        return False
    tail = answer[-_LANGUAGE_SAMPLE:]
    if _CYRILLIC.search(gold) or _CYRILLIC.search(tail):
        return False
    return any(map(_ENGLISH.search, (tail, gold)))


@lru_cache(maxsize=4096)
def _gold_number(gold: str) -> tuple[Fraction, bool] | None:
    return read_plain_number(gold)


def _same_numbers(gold: str, answer: str, precision: int | None) -> bool | None:
    """Compare two plain numbers; None when one is more than that."""
    expected = _gold_number(gold)
    found = read_plain_number(answer) if expected else None
    if expected is None or found is None:
        return None
    return close(expected[0], found[0], expected[1] or found[1], precision)


def _squeezed(text: str) -> str:
    return " ".join(_TEXT.sub(r"\1", text).split())


def _same_words(gold: str, answer: str) -> bool:
    """Compare names, words and option letters."""
    expected = _TEXT.sub(r"\1", gold).strip(" .")
    if _OPTION_IN_BRACKETS.match(expected):
        expected = expected[1]
    if not _ONLY_WORDS.match(expected):
        return False
    found = _TEXT.sub(r"\1", answer).strip(" .")
    if len(expected) == 1:
        option = _OPTION.fullmatch(found) or _OPTION_FIRST.match(found)
        return option is not None and same_letter(expected, option[1])
    if wording(expected) == wording(found) or same_day(expected, found):
        return True
    verdict = meaning(expected)
    return verdict in ("да", "нет") and verdict_word(found) == verdict
