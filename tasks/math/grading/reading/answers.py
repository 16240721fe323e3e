"""From the text of a final answer to its meaning: values, lists, points, intervals, systems, quantities, words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from ..limits import ITEMS, LENGTH
from ..node import Node, call, number, rough
from ..verdict import NoAnswer, TooLarge, Unreadable
from .deciding import remembered
from .expressions import Expressions
from .notation import plain
from .tokens import Token, tokenise
from .units import NOUN, UNITS, Unit, adjective_power
from .words import FUNCTIONS, hedge, meaning, roman_number, run_together, wording

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_WHERE = r"(?:\"?(?:где|при|для|where|for)\"?\s+)?"
_INTEGERS = re.compile(
    rf"(?:[,;(]\s*{_WHERE}([a-zA-Z](?:\s*,\s*[a-zA-Z])*)|\s+{_WHERE}([a-zA-Z]))\s*"
    r"(?:\\in\s*(?:\\mathbb\s*\{?\s*[ZN]\s*\}?|\\?[ZN]\b|\"?целые\"?)"
    r"|-?\s*\"?(?:любое )?цел\w+(?: числ\w+)?\"?)\s*\)?"
)
_OR = frozenset(["или", "or", "либо", r"\vee", r"\lor"])
_AND = frozenset(["и", "and", "также", r"\wedge", r"\land", "&"])
_PREPOSITIONS = frozenset("всукоВСУКО")
_NEGATIONS = frozenset(["не", "ни", "not", "до", "от"])
_OPTION = re.compile(r'\A"\s*\([A-EА-Д]\)\s*"\s*(?=\S)')
_FILLERS = frozenset([":", ".", "is", "at", "the", "answer", "about", "equals", "exactly", "approximately"])
_LABEL = re.compile(r"(?:^|(?<=[\s;,.]))(?:[а-дa-d]|\d)\)\s*")
_ROMAN = re.compile(
    r'"\s*(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\s*"'
    r"|(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})"
)
_RATIO = re.compile(r"[^:;=<>]{1,40}(?::[^:;=<>]{1,40}){2,}")
_OPERATORS = frozenset(["+", "-", "=", "!", "_", "<", ">"])
_SYSTEMS = frozenset(["cases", "either", "aligned", "gathered"])


def read(text: str, *, english: bool = False) -> Node:
    """Read a final answer.

    Raises:
        Unreadable: the grammar does not have it.
        TooLarge: it is beyond the static limits.
    """
    if len(text) > LENGTH:
        raise TooLarge(f"more than {LENGTH} characters")
    flat = plain(text).strip(" ;,:")
    flat = _OPTION.sub("", flat if flat.endswith("...") else flat.rstrip(" .;,"))
    known = meaning(flat)
    if known is not None:
        return Node("constant", (), known) if known in ("empty", "R") else Node("text", (), known)
    hedged = hedge(flat)
    if hedged:
        raise NoAnswer(f"{hedged!r} takes the answer back")
    clock = _CLOCK.match(flat)
    if clock:
        return Node("time", (), (int(clock[1]), int(clock[2])))
    if _LABEL.match(flat):
        return _labelled(flat, english)
    roman = _ROMAN.fullmatch(flat) if flat[:1] in '"IVXLCDM' else None
    if roman and flat.strip('" '):
        return number(roman_number(flat.strip('" ')))
    if flat.startswith("[") and flat.find("]") == len(flat) - 1 and re.search(r"/|\\frac", flat):
        return call("floor", read_tokens(tokenise(flat[1:-1], english=english)))
    if flat.count(":") > 1 and _RATIO.fullmatch(flat):
        return Node("ratio", tuple(read_tokens(tokenise(part, english=english)) for part in flat.split(":")))
    flat, variables = _without_integers(flat)
    node = read_tokens(tokenise(flat, english=english))
    return _family(node, variables) if variables else node


def _labelled(flat: str, english: bool) -> Node:
    """Read ``а) 5; б) 6``: answers to the parts of a problem, in their order."""
    parts = [part.strip(" ;,.") for part in _LABEL.split(flat)]
    nodes = [read_tokens(tokenise(part, english=english)) for part in parts if part]
    return nodes[0] if len(nodes) == 1 else Node("parts", tuple(nodes))


def _without_integers(flat: str) -> tuple[str, frozenset[str]]:
    """Take ``n ∈ Z`` off: what is left, and the variables that run over the integers."""
    variables: set[str] = set()

    def collect(match: re.Match[str]) -> str:
        variables.update(name.strip() for name in (match[1] or match[2]).split(","))
        return ""

    if "\\in" not in flat and "цел" not in flat:
        return flat, frozenset()
    return _INTEGERS.sub(collect, flat), frozenset(variables)


def _family(node: Node, variables: frozenset[str]) -> Node:
    parts = node.args if node.kind in ("list", "set") else (node,)
    return Node("family", tuple(value_of(part) for part in parts), tuple(sorted(variables)))


def read_tokens(tokens: Sequence[Token]) -> Node:
    """Read an answer of one or several parts."""
    either = _split(tokens, _OR)
    if len(either) > 1:
        return _several([_conjunction(part) for part in either], "any")
    return _conjunction(tokens)


def _conjunction(tokens: Sequence[Token]) -> Node:
    """Read parts between semicolons, each of parts between commas and «и»."""
    groups = [_split(group, _AND | {",", "\\\\"}) for group in _split(tokens, frozenset([";"]))]
    if not groups or not all(groups):
        raise Unreadable("an empty answer")
    if len(groups) == 1:
        together = any(token.text in _AND for token in tokens)
        return _several([_piece(piece) for piece in groups[0]], "all" if together else "list")
    nodes = [_several([_piece(piece) for piece in group], "list") for group in groups]
    if all(len(group) == 1 for group in groups) or all(node.kind == "named" for node in nodes):
        return _several(nodes, "list")
    return _several([part for node in nodes for part in (node.args if node.kind == "list" else (node,))], "list")


def _split(tokens: Sequence[Token], separators: frozenset[str]) -> list[Sequence[Token]]:
    """Split at the separators that stand outside brackets and environments; empty parts are dropped."""
    parts: list[Sequence[Token]] = []
    depth, start = 0, 0
    for index, token in enumerate(tokens):
        if token.text in ("(", "[", "{", "\\{", r"\begin"):
            depth += 1
        elif token.text in (")", "]", "}", "\\}", r"\end"):
            depth -= 1
        elif depth == 0 and token.text.lower() in separators and token.text != "И":
            parts.append(tokens[start:index])
            start = index + 1
    parts.append(tokens[start:])
    if len(parts) > ITEMS:
        raise TooLarge(f"more than {ITEMS} answers")
    return [part for part in parts if part]


def _several(nodes: Sequence[Node], how: str) -> Node:
    """Join parts into a system, a list, or conditions that hold together (``all``) or one by one (``any``)."""
    if len(nodes) == 1:
        return nodes[0]
    names = [assigned_name(node) for node in nodes]
    bases = [name.partition("_")[0] for name in names if name]
    if how != "any" and len(bases) == len(nodes) == len(set(bases)):
        return Node("named", tuple(nodes), tuple(bases))
    if any(is_condition(node) for node in nodes):
        return Node(how if how != "list" else "conditions", tuple(nodes))
    flat = [part for node in nodes for part in (node.args if node.kind == "list" else (node,))]
    return Node("list", tuple(value_of(part) for part in flat))


def is_condition(node: Node) -> bool:
    """Whether this is an inequality, or says that something belongs to an interval."""
    return node.kind == "relation" and any(sign not in ("=", "~") for sign in node.value)


def assigned_name(node: Node) -> str | None:
    """Return the name of the variable that a part gives a value to, as ``x = 2`` does."""
    if node.kind == "relation" and node.value == ("=",):
        return name_of(node.args[0])
    return None


def name_of(node: Node) -> str | None:
    """Return the name of a variable, of letters side by side (``AB``), of a function; ``()`` for a point."""
    if node.kind == "symbol":
        return str(node.value)
    if node.kind == "*" and all(arg.kind == "symbol" for arg in node.args):
        return "".join(str(arg.value) for arg in node.args)
    if node.kind == "bracket":
        return "()"
    if node.kind == "call" and len(node.value.partition("_")[0].rstrip("'*")) == 1:
        return f"{node.value}()"
    return None


def value_of(node: Node) -> Node:
    """Return what a variable is said to be, or the part itself."""
    if assigned_name(node) is not None or node.kind == "in":
        return replace(node.args[1], words=node.words) if node.words else node.args[1]
    return node


def _piece(tokens: Sequence[Token]) -> Node:
    """Read one part: an expression, a relation or a set, with its unit."""
    dropped, tokens = _preamble(tokens)
    if len(tokens) > 3 and tokens[0].text == r"\begin" and tokens[1].text in _SYSTEMS:
        return _system(tokens)
    if _closes_last(tokens) and _first_word(tokens[1:-1]) < len(tokens) - 2:
        return Node("set", tuple(_piece(part) for part in _split(tokens[1:-1], frozenset([",", ";"]))))
    border = _first_word(tokens)
    if border == 0:
        return Node("text", (), wording(" ".join(token.text for token in tokens)))
    node = _chain(Expressions(tokens[:border]).whole())
    if border < len(tokens) and node.kind == "relation":
        node = Node("relation", (*node.args[:-1], _quantity(node.args[-1], tokens[border:])), node.value)
    elif border < len(tokens):
        node = _quantity(node, tokens[border:])
    if not dropped and border == len(tokens):
        return node
    words = remembered((token.text for token in dropped), (token.text for token in tokens[border:]))
    return replace(node, words=words) if words else node


def _closes_last(tokens: Sequence[Token]) -> bool:
    """Whether the tokens are a set: they begin with a brace that is closed by the last of them."""
    if not tokens or tokens[0].text not in ("{", "\\{"):
        return False
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.text in ("{", "\\{")) - (token.text in ("}", "\\}"))
        if not depth:
            return index == len(tokens) - 1
    return False


def _preamble(tokens: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """Part the words before the first sign of mathematics from the rest: ``на 12,5 %``, ``площадь равна 5``."""
    while tokens and tokens[-1].text in (".", ",", ";"):
        tokens = tokens[:-1]
    start = 0
    while start < len(tokens) and (_is_prose(tokens[start]) or tokens[start].text in (":", ".")):
        if tokens[start].text == "at" and not (start + 1 < len(tokens) and tokens[start + 1].spaced):
            break
        start += 1
    if len(tokens) > start + 1 and tokens[start].text in _PREPOSITIONS and tokens[start + 1].kind == "number":
        start += 1
    for token in tokens[:start]:
        # "June 20" is not 20, but «площадь равна 20» is.
        foreign = token.text.isascii() and token.text.lower() not in _FILLERS
        assigned = start == len(tokens) or tokens[start].text == "="
        if token.text.lower() in _NEGATIONS or (foreign and not assigned):
            raise Unreadable(f"the word {token.text!r}")
    if start < len(tokens) and tokens[start].text in ("=", r"\approx", r"\simeq"):
        start += 1
    return (tokens[:start], tokens[start:]) if start < len(tokens) else ((), tokens)


def _is_prose(token: Token) -> bool:
    if token.kind not in ("word", "text") or len(token.text) < 2 or token.text.lower() in FUNCTIONS:
        return False
    if not token.text.isascii() or token.kind == "text" or token.text in ("is", "at"):
        return True
    return len(token.text) > 4 and not run_together(token.text)


def _first_word(tokens: Sequence[Token]) -> int:
    """Return where units and nouns begin, or the number of tokens."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.text in ("(", "[", "{", "\\{", r"\begin"):
            depth += 1
        elif token.text in (")", "]", "}", "\\}", r"\end"):
            depth -= 1
        elif depth == 0 and (index == 0 or tokens[index - 1].text != r"\end") and _is_unit(tokens, index):
            return index
    return len(tokens)


def _is_unit(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if token.text == "%":
        return all(other.kind in ("word", "text") for other in tokens[index + 1 :])
    word = token.text.lower()
    if token.kind == "text" and word in UNITS:
        return True
    if token.kind not in ("word", "text") or word in FUNCTIONS:
        return False
    if token.kind == "text":
        return True
    if len(word) == 1:
        volts = token.text in ("В", "А") and index == len(tokens) - 1
        return not word.isascii() and (word in UNITS or volts) and index > 0 and tokens[index - 1].kind != "sign"
    if not word.isascii():
        return True
    after_value = index > 0 and (tokens[index - 1].kind == "number" or tokens[index - 1].text in (")", "}"))
    if word in UNITS and after_value:
        return not any(other.text in _OPERATORS for other in tokens[index + 1 :])
    return len(word) > 4 and not run_together(word)


def _quantity(node: Node, words: Sequence[Token]) -> Node:
    """Give a value its unit; ``1 ч 30 мин`` is a sum."""
    unit, rest = _units(words)
    if unit.scale != 1:
        node = Node("*", (node, number(unit.scale)))
        unit = Unit(unit.factor, unit.dimension)
    if rest:
        more = _piece(rest)
        if more.kind != "quantity" or more.value.dimension != unit.dimension or not unit.dimension:
            raise Unreadable("a sum of different units")
        ratio = Fraction(more.value.factor / unit.factor)
        if node.kind in ("number", "decimal") and more.args[0].kind in ("number", "decimal"):
            node = number(node.value + more.args[0].value * ratio)
        else:
            node = Node("+", (node, Node("*", (more.args[0], number(ratio)))))
    if unit.dimension == ():
        return node
    if node.kind == "degree":
        node = node.args[0]
    return Node("quantity", (node,), unit)


def _units(words: Sequence[Token]) -> tuple[Unit, Sequence[Token]]:
    """Read units up to the next number; return their product and what is left."""
    total: Unit | None = None
    direction, raised = 1, 1
    index = 0
    while index < len(words):
        token = words[index]
        word = token.text.lower()
        index += 1
        if token.kind == "number":
            return total or Unit(), words[index - 1 :]
        if word in _NEGATIONS:
            raise Unreadable(f"the word {word!r}")
        if word in ("/", "в", "за", "per") and (word == "/" or total):
            direction = -1
        elif word == "(":
            while index < len(words) and words[index].text != ")":
                index += 1
            index += 1
        elif word in (".", "\\cdot", "*", "-", "\\"):
            continue
        elif adjective_power(word) > 1:
            raised = adjective_power(word)
        elif token.kind in ("word", "text") or word == "%":
            exponent, index = _exponent(words, index)
            unit = UNITS.get(word, NOUN)
            if unit.dimension is None and direction < 0:
                break
            unit = unit.power(direction * raised * exponent) if unit.scale == 1 else unit
            total = unit if total is None else total.times(unit)
            direction, raised = 1, 1
        else:
            raise Unreadable(f"unexpected {token.text!r} among units")
    if total is not None and raised > 1:
        total = total.power(raised)
    return total or Unit(), ()


def _exponent(words: Sequence[Token], index: int) -> tuple[int, int]:
    """Read ``^2``, ``^{2}`` or a ``2`` that touches the unit; return it (1 without one) and where to go on."""
    if index < len(words) and words[index].text in ("2", "3") and not words[index].spaced:
        return int(words[index].text), index + 1
    if index >= len(words) or words[index].text != "^":
        return 1, index
    texts = [token.text for token in words[index + 1 : index + 5]]
    if texts[:1] == ["{"] and "}" in texts:
        digits, width = "".join(texts[1 : texts.index("}")]), texts.index("}") + 2
    else:
        digits, width = "".join(texts[:1]), 2
    if not re.fullmatch(r"-?\d", digits):
        raise Unreadable("a unit to a strange power")
    return int(digits), index + width


def _system(tokens: Sequence[Token]) -> Node:
    """Read the rows of a system (all hold) or of a choice (one of them holds)."""
    how = "any" if tokens[1].text == "either" else "all"
    if tokens[-2].text != r"\end":
        raise Unreadable("something stands after a system")
    rows: list[list[Token]] = [[]]
    for token in tokens[2:-2]:
        if token.kind == "row":
            rows.append([])
        elif token.text != "&":
            rows[-1].append(token)
    nodes = []
    for row in rows:
        while row and row[-1].text in (",", ";", "."):
            row.pop()
        nodes += [_piece(part) for part in _split(row, frozenset([",", ";"]))]
    return _several(nodes, how)


def _check(operands: Sequence[Node], signs: Sequence[str]) -> None:
    """Refuse ``15 = 12`` and ``12 ≈ 15``: who writes that has said nothing."""
    constant = not any(operand.symbols - {"pi", "e"} for operand in operands)
    for left, right, sign in zip(operands, operands[1:], signs, strict=False):
        if right.kind not in ("number", "decimal"):
            continue
        if left.kind in ("number", "decimal"):
            fits = left.value == right.value if sign == "=" else _rounds(left.value, right.value)
        else:
            value = rough(left) if constant and sign == "~" else None
            fits = value is None or _rounds(value, right.value)
        if not fits:
            raise NoAnswer("numbers that are not equal are said to be")


def _rounds(value: Fraction, rounded: Fraction) -> bool:
    """Whether a number may be written so after rounding or cutting: by less than one unit of its last place.

    A whole number needs no rounding; by one hundredth of its size it may be (``1487 ≈ 1500``).
    """
    if value.denominator == rounded.denominator == 1:
        return value == rounded or (rounded % 10 == 0 and 100 * abs(value - rounded) <= abs(value))
    unit = Fraction(1)
    while rounded and rounded % unit and unit > Fraction(1, 10**20):
        unit /= 10
    return abs(value - rounded) < unit


def _chain(node: Node) -> Node:
    """Shorten ``x = a = b ≈ c`` to ``x = b``: what stands after ≈ is rounded."""
    if node.kind == "degree" and not node.symbols:
        return Node("quantity", node.args, UNITS["градус"])
    if node.kind != "relation" or not set(node.value) <= {"=", "~"}:
        return node
    operands = list(node.args)
    if operands[0].kind == "number" and len(operands) == 2 and operands[1].kind not in ("number", "decimal"):
        operands.reverse()  # 12 = 7 + 5
    _check(operands, node.value)
    if "=" in node.value:
        last = max(index for index, sign in enumerate(node.value) if sign == "=") + 1
        if "~" in node.value and node.value.index("~") < last:
            last = len(operands) - 1
    elif not operands[0].symbols - {"pi", "e", "i"}:
        return operands[0]
    else:
        last = 1
    right = operands[last]
    if len(operands) == 2 and name_of(operands[0]) is None and right.kind == "symbol" and not operands[0].symbols:
        return Node("relation", (right, operands[0]), ("=",))
    right = _chain(right) if right.kind == "degree" else right
    return Node("relation", (operands[0], right), ("=",))
