"""What stands around a final answer in its sentence: reasons, conditions, remarks in brackets."""

from __future__ import annotations

import re

from ..reading.units import UNITS
from ..reading.words import FUNCTIONS, HEDGE, NUMERALS, REJECTION, takes_back
from .formulas import masked

_LENGTH = 2000
_LETTER = re.compile(r"[а-яёa-z]", re.IGNORECASE)
_CONJUNCTION = re.compile(
    r"\s[-—–]\s|\\pm|\bт\.|(?<![а-яёa-z])(?:при|если|когда|где|в случае|достиг|получа|так как|потому|поскольку|ибо"
    r"|ведь|для|откуда|проверк|согласно|because|since|where|when|if|at)(?![a-z])",
    re.IGNORECASE,
)
_MARKS = frozenset(",;(≈±—–")
_WORDS_IN_LATEX = re.compile(r"(\\(?:text|mbox|textrm|mathrm|textit|textbf)\s*\{)([^{}]*)\}")
_LATEX_SPACE = re.compile(r"(?<!\\)\\(?:q?quad(?![A-Za-z])|[,;: ])|~")
_INTEGER = (
    r"(?:люб(?:ое|ого|ых|ом)|произвольн\w+|всех|все|кажд\w+|некотор\w+|-|—|–|:"
    r"|цел(?:ое|ого|ых|ые|ом)|число|числа|чисел|числах?)"
)
_INTEGERS = re.compile(
    rf"[,;]?\s*(?:\(\s*)?(?:(?:где|для|при)\s+)?(?:{_INTEGER}\s+){{0,4}}\$?(?<![A-Za-z\\])([a-z])(?![A-Za-z(])\$?"
    rf"(?P<after>(?:\s*{_INTEGER}(?![а-яё])){{0,5}})(?:\s*\))?(?=\s*[.,;]?\s*\Z)"
)
_ENUMERATED = re.compile(
    r"[,;]\s*(?:где\s+)?\$?([a-z])\s*=\s*0\s*[,;]\s*(?:±|\\pm)\s*1\s*(?:[,;]\s*(?:±|\\pm)\s*2\s*)?[,;]?\s*"
    r"(?:\.{2,3}|…|\\[lc]?dots)\.?\$?"
)
_REMARK = re.compile(r"\s*\(([^()]*)\)")
_REMARKABLE = re.compile(r"[а-яё]{2}|т\.|≈|\\approx|\b(?:see|or|approx)\b", re.IGNORECASE)
_ALTERNATIVE = re.compile(
    r"\s*(?:(или|либо|or)|(и|а также|and|плюс)|(≈|\\approx)|то есть|т\.\s?е\.|иначе говоря|что равно)(?!\w)[\s,:]*",
    re.IGNORECASE,
)
_BEGINS_AS_VALUE = re.compile(r"[-−$\d\\(√π]")
_SAME = re.compile(r"\s*[,;]?\s*(?<!\w)(?:то есть|т\.\s?е\.|иначе говоря,?)\s*(?=[-−$\d\\])", re.IGNORECASE)
_EXTRANEOUS = re.compile(
    r"\s*[;,.]\s*(?:а\s+)?(?:(?:корень|корни|число|значение|значения|решение)\s+)?[^;]{0,60}?(?<!\w)"
    r"(?:посторонн\w+|не подход\w+|не удовлетвор\w+|отбрас\w+|исключ\w+)[^;]{0,60}\Z",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"[,;]?\s*(?<!\w)(?:так как|потому что|поскольку|ибо|ведь|т\.\s?к\.|что и (?:требовалось|нужно|надо)|проверк\w*"
    r"|откуда|согласно|см\.(?=\s*[а-я])|(?:больше|других) нет|because|since)(?!\w)"
    r"|\s[-—–]\s(?=[а-яё]{3,} [а-яё]{2,})",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"[,;]?\s+(?:и\s+|причем\s+|причём\s+)?(?:(?:он[аои]?|это)\s+)?"
    r"(?:при(?!\w)(?!\s+делении)|если|когда|в случае|где"
    r"|достига\w+|получа\w+ при|where|when|if|at(?=\s+\$?[a-z]))(?!\w)",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r";|(?<!\w)(?:если не(?=\s+[-−\d$])|иначе"
    r"|в противном|в остальных|а при|а если|но при|но если|и [-−\d$][^,]{0,30} при|или)(?!\w)"
    r"|[,]\s*\$?[-−\d\\][^,]*(?:при|если|когда|where|when|if)(?!\w)",
    re.IGNORECASE,
)
_GENERAL = re.compile(r"\s*[,;]\s*(?:(?:а|и|причем|причём)\s+)?([А-Яа-яЁё]{2,})")
_ADDED = re.compile(
    r"\s*[,;]\s*(?:(?:и|а|да|плюс|еще|ещё|также|потом|затем|вдобавок|дополнительно|вместе|с"
    r"|не считая|помимо|против)\s+)++[-−$\d\\]",
    re.IGNORECASE,
)
"""Words that only add another value."""
_LEADING = re.compile(
    r"(?:при|если|когда|так как|поскольку|ибо|пусть|в случае|if|when|since|because)(?!\w)[^;]*?,\s*"
    r"(?:то\s+|(?=[а-яёa-z]{4}))",
    re.IGNORECASE,
)
_MATHEMATICAL = re.compile(r"[\d$\\∅π∞√ℝ]|(?<!\w)[a-zA-Z](?!\w)")
_COPULAS = frozenset(
    ("равно", "равна", "равен", "равны", "составляет", "составляют", "составит", "будет", "будут", "есть")
)
_JOINTS = frozenset(("или", "либо", "также", "ровно"))
_WORD = re.compile(r"[А-Яа-яЁё]+")


def has_clauses(line: str) -> bool:
    """Whether `without_clauses` might find something to take off: a cheap test, true of most sentences."""
    if len(line) > _LENGTH:
        return False
    if not _MARKS.isdisjoint(line):
        return bool(_LETTER.search(line))
    return len(line.split(None, 2)) > 2 and bool(_CONJUNCTION.search(line))


def without_clauses(line: str, *, only_reasons: bool = False) -> str:
    """Return the sentence of an answer without what explains it.

    Reasons (``так как …``), conditions (``при x = 3``), remarks in brackets and clauses after a comma go, unless
    they take the answer back or name another: then the sentence stays as it is, for the reader to refuse.
    ``only_reasons`` leaves clauses that no conjunction begins.
    """
    if len(line) > _LENGTH:
        return line
    # Runs of spaces would cost the patterns below time that grows with their square.
    line = " ".join(_LATEX_SPACE.sub(" ", line).split())
    if not only_reasons:
        line = _integers(without_remarks(_SAME.sub(" или ", line)))
        extraneous = _EXTRANEOUS.search(line)
        if extraneous and _is_mathematical(line[: extraneous.start()]) and not REJECTION.match(extraneous[0]):
            line = line[: extraneous.start()]
    shown = _shown(line)
    if not only_reasons:
        leading = _LEADING.match(shown)
        if leading and _is_mathematical(shown[leading.end() :]) and not _ANOTHER.search(shown):
            line, shown = line[leading.end() :], shown[leading.end() :]
    reason = _REASON.search(shown)
    # «12 — наименьшее число» names the answer, «12 — неверный ответ» takes it back.
    named = reason is not None and reason[0].strip() in ("-", "—", "–")
    if reason and reason.start() and not (named and takes_back(shown[reason.start() :])):
        line, shown = line[: reason.start()], shown[: reason.start()]
    condition = next((match for match in _CONDITION.finditer(shown) if _answers(shown[: match.start()])), None)
    refused = condition is not None and _takes_back(shown[condition.start() :], _ANOTHER)
    if condition and not refused:
        line, shown = line[: condition.start()], shown[: condition.start()]
    if not (only_reasons or refused):
        clause = next((match for match in _GENERAL.finditer(shown) if _explains(shown, match)), None)
        if clause and not takes_back(shown[clause.start() :]):
            line = line[: clause.start()]
    return re.sub(r"\\(?:text|mbox|textrm)\s*\{\s*\Z", "", line)


def _shown(line: str) -> str:
    """Return the line with formulas as zeros and without the commands around words, all positions kept."""
    text = masked(line, "0")
    if "\\" not in text:
        return text
    return _WORDS_IN_LATEX.sub(lambda match: " " * len(match[1]) + match[2] + " ", text)


def _is_mathematical(text: str) -> bool:
    return bool(_MATHEMATICAL.search(text)) or any(word.lower() in NUMERALS for word in _WORD.findall(text))


def _answers(before: str) -> bool:
    """Whether an answer stands before a condition, so that the condition is not the answer itself."""
    return bool(re.search(r"\d|[π∞√∅]|=", before)) or any(
        word.lower() in NUMERALS for word in _WORD.findall(before)
    )


def _takes_back(clause: str, another: re.Pattern[str]) -> bool:
    return bool(HEDGE.search(clause) or another.search(clause))


def _explains(shown: str, match: re.Match[str]) -> bool:
    """Whether a clause begins here, and not another part of the answer."""
    word = match[1].lower()
    known = (
        bool(_ADDED.match(shown, match.start()))
        or word in UNITS
        or word in FUNCTIONS
        or word in NUMERALS
        or word in _COPULAS
        or word in _JOINTS
    )
    return not known and _answers(shown[: match.start()])


def _integers(line: str) -> str:
    r"""Write ``где n — целое число`` and ``n = 0, ±1, ±2, …`` as ``n \in \mathbb{Z}``."""
    if "цел" in line:
        match = next((found for found in _INTEGERS.finditer(line) if "цел" in found[0]), None)
        if match and _is_mathematical(line[: match.start()]):
            return line[: match.start()] + rf", {match[1]} \in \mathbb{{Z}}"
    return (
        _ENUMERATED.sub(r"$, \1 \\in \\mathbb{Z}" if "$" in line else r", \1 \\in \\mathbb{Z}", line)
        if "0" in line
        else line
    )


def without_remarks(line: str) -> str:
    """Return a line without remarks in brackets; ``(или 3/4)`` is another way to say the same, or another answer.

    Remarks that take the answer back stay.
    """

    def settle(match: re.Match[str]) -> str:
        inside = match[1]
        if not _REMARKABLE.search(inside) or not match.start():
            return match[0]
        other = _ALTERNATIVE.match(inside)
        rest = inside[other.end() :] if other else ""
        if other and _is_mathematical(rest) and (other[1] or _BEGINS_AS_VALUE.match(rest)):
            joint = "и" if other[2] else "≈" if other[3] else "или"
            return match[0] if HEDGE.search(rest) else f" {joint} {rest}"
        return match[0] if takes_back(inside) else ""

    return _REMARK.sub(settle, line) if "(" in line else line
