"""From plain text to tokens, and what each comma means: a decimal mark, a thousands separator, or a separator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..limits import DEPTH, DIGITS, LENGTH
from ..verdict import TooLarge, Unreadable


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; ``spaced`` when white space stands before it.

    Kinds: ``number`` (digits with a dot, or a period in brackets), ``word``, ``text`` (words set apart),
    ``command``, ``sign`` (any other character, or ``<=`` and its like), ``comma`` (a separator), ``row``.
    """

    kind: str
    text: str
    spaced: bool = False


_TOKEN = re.compile(
    r"""(?P<space>\s*)(?:
      (?P<number>\d+[.,]\d*\(\d+\)|\d+(?:\.\d+)?|\.\d+)
    | (?P<command>\\[A-Za-z]+)
    | (?P<row>\\\\(?:\[[^\]]{0,20}\])?)
    | (?P<brace>\\[{}|])
    | "(?P<text>[^"]*)"
    | (?P<word>[^\W\d_]+)
    | (?P<sign><=|>=|!=|==|:=|\.\.\.|\*\*|[^\s])
    )""",
    re.VERBOSE,
)
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{(\w+)\*?\}(?:\s*\{[|lcr\s]*\})?")
_PART = re.compile(r"[^\W\d_]+|\d+|[^\s]")
_OPENING = frozenset(["(", "[", "{", "\\{"])
_CLOSING = frozenset([")", "]", "}", "\\}"])
_COMMANDS_BEFORE_ELEMENT = frozenset([r"\in", r"\notin", r"\cup", r"\cap", r"\setminus", r"\le", r"\ge", r"\vee"])
_TAKES_SEVERAL = frozenset(["c", "a", "нод", "нок", "gcd", "lcm", "min", "max"])
_DIGITS_IN_A_ROW = re.compile(rf"\d{{{DIGITS}}}")


def tokenise(text: str, *, english: bool = False) -> list[Token]:
    """Return the tokens of a plain expression (see `evalkit.tasks.math.grading.reading.notation.plain`).

    In English text a comma before exactly three digits parts thousands; elsewhere a lone comma between digits is
    a decimal mark.

    Raises:
        TooLarge: the text is too long, has too many digits in a row, or brackets nested too deeply.
        Unreadable: brackets do not match.
    """
    if len(text) > LENGTH or _DIGITS_IN_A_ROW.search(text):
        raise TooLarge(f"more than {LENGTH} characters or {DIGITS} digits in a row")
    tokens = []
    for match in _TOKEN.finditer(_ENVIRONMENT.sub(r'\\\1 "\2" ', text)):
        kind = match.lastgroup or "sign"
        value = match[kind]
        if kind == "text":
            tokens += [Token(_kind_of_part(part), part, True) for part in _PART.findall(value)]
        elif value != '"':
            tokens.append(Token("sign" if kind == "brace" else kind, value, bool(match["space"])))
    return _settle_commas(tokens, english)


def _kind_of_part(part: str) -> str:
    return "text" if part.isalpha() else "number" if part.isdigit() else "sign"


def _settle_commas(tokens: list[Token], english: bool) -> list[Token]:
    """Replace every comma by what it means where it stands."""
    decimal: set[int] = set()
    thousands: set[int] = set()
    opened: list[int] = [-1]
    commas: list[list[int]] = [[]]
    semicolons = [False]
    for index, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in _OPENING:
            opened.append(index)
            commas.append([])
            semicolons.append(False)
            if len(opened) > DEPTH:
                raise TooLarge(f"brackets nested more than {DEPTH} deep")
        elif token.text in _CLOSING:
            if len(opened) == 1:
                raise Unreadable("a bracket is closed that was not opened")
            start = opened.pop()
            inside = commas.pop()
            alone = tokens[start].text != "{" and _is_element(tokens, start, index)
            _settle_group(tokens, inside, semicolons.pop(), alone, english, decimal, thousands)
        elif token.text == ",":
            commas[-1].append(index)
        elif token.text == ";":
            semicolons[-1] = True
    if len(opened) > 1:
        raise Unreadable("a bracket is not closed")
    _settle_group(tokens, commas[0], semicolons[0], False, english, decimal, thousands)
    return _joined(tokens, decimal, thousands)


def _is_element(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether a bracket stands by itself (a point, an interval) and not inside an expression."""
    if start > 0:
        before = tokens[start - 1]
        if before.text.lstrip("\\").lower() in _TAKES_SEVERAL:
            return True
        if before.kind in ("number", "word") or before.text in (")", "]", "}", "^", "_", "+", "-", "*", "/"):
            return before.text == "U"
        if before.kind == "command" and before.text not in _COMMANDS_BEFORE_ELEMENT:
            return False
    if end + 1 < len(tokens):
        after = tokens[end + 1]
        return after.text not in ("^", "+", "-", "*", "/", "!") and (after.kind != "number")
    return True


def _settle_group(
    tokens: Sequence[Token],
    commas: Sequence[int],
    semicolons: bool,
    alone: bool,
    english: bool,
    decimal: set[int],
    thousands: set[int],
) -> None:
    """Settle the commas of one pair of brackets (``alone``), or of the top level."""
    tight = [index for index in commas if _is_tight(tokens, index)]
    if not tight:
        return
    loose = [index for index in commas if index not in tight]
    runs = _runs(tight)
    long_run = any(len(run) > 1 for run in runs)
    if not alone and not loose and len(runs) == 1 and _groups_of_three(tokens, tight):
        # 7,425,000 is one number in any language; 1,234 is one in English, or when pence follow.
        fraction = "." in tokens[tight[-1] + 1].text
        if long_run or english or fraction:
            thousands.update(tight)
            return
    if any("." in tokens[index + side].text for index in tight for side in (-1, 1)) or long_run:
        return
    listed = any(token.kind == "word" and token.text in ("or", "and") for token in tokens)
    crowded = any(not _spaced_after(tokens, index) for index in loose)
    zero = all(tokens[index - 1].text == "0" for index in tight)
    if semicolons or not ((alone and not loose) or crowded or (english and (loose or listed or not zero))):
        decimal.update(tight)


def _is_tight(tokens: Sequence[Token], index: int) -> bool:
    if not 0 < index < len(tokens) - 1:
        return False
    before, after = tokens[index - 1], tokens[index + 1]
    return before.kind == after.kind == "number" and not (tokens[index].spaced or after.spaced)


def _spaced_after(tokens: Sequence[Token], index: int) -> bool:
    return index + 1 >= len(tokens) or tokens[index + 1].spaced


def _runs(tight: Sequence[int]) -> list[list[int]]:
    """Group commas that part the same row of numbers: ``1,2,3``."""
    runs: list[list[int]] = []
    for index in tight:
        if runs and runs[-1][-1] == index - 2:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _groups_of_three(tokens: Sequence[Token], commas: Sequence[int]) -> bool:
    first = tokens[commas[0] - 1].text
    groups = [tokens[index + 1].text for index in commas]
    return (
        len(first) <= 3
        and first.isdigit()
        and not first.startswith("0")
        and all(len(group) == 3 and group.isdigit() for group in groups[:-1])
        and len(groups[-1].partition(".")[0]) == 3
        and "(" not in groups[-1]
    )


def _joined(tokens: Sequence[Token], decimal: set[int], thousands: set[int]) -> list[Token]:
    settled: list[Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if index in decimal or index in thousands:
            mark = "." if index in decimal else ""
            before = settled.pop()
            settled.append(Token("number", before.text + mark + tokens[index + 1].text, before.spaced))
            index += 2
            continue
        settled.append(Token("comma", ",", token.spaced) if token.text == "," else token)
        index += 1
    return settled
