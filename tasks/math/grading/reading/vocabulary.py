"""The vocabulary of expressions: what commands and names stand for, and how nodes are made of them."""

from __future__ import annotations

from fractions import Fraction

from ..node import Node, call, number, symbol

RELATIONS = {
    **{"=": "=", "==": "=", ":=": "=", r"\equiv": "=", "<": "<", ">": ">", r"\lt": "<", r"\gt": ">"},
    **{"<=": "<=", ">=": ">=", "!=": "!=", r"\ne": "!=", r"\neq": "!=", r"\approx": "~", r"\simeq": "~"},
    **dict.fromkeys((r"\le", r"\leq", r"\leqslant", r"\leqq"), "<="),
    **dict.fromkeys((r"\ge", r"\geq", r"\geqslant", r"\geqq"), ">="),
    **{r"\in": "in", r"\notin": "notin"},
}
COMPARISONS = frozenset(sign for sign, meaning in RELATIONS.items() if meaning in ("<", ">", "<=", ">=", "!="))
SET_OPERATIONS = {r"\cup": "union", r"\bigcup": "union", r"\cap": "intersection", r"\setminus": "difference"}
TIMES = frozenset(["*", r"\cdot", r"\times", r"\ast"])
OVER = frozenset(["/", ":", r"\div"])
CONSTANTS = {
    **{
        r"\pi": symbol("pi"),
        "pi": symbol("pi"),
        r"\infty": symbol("oo"),
        "infty": symbol("oo"),
        "oo": symbol("oo"),
    },
    **{"inf": symbol("oo"), "infinity": symbol("oo"), "e": symbol("e"), "i": symbol("i"), r"\imath": symbol("i")},
    **dict.fromkeys((r"\emptyset", r"\varnothing", r"\O"), Node("constant", (), "empty")),
    **dict.fromkeys((r"\ldots", r"\dots", r"\cdots", "..."), Node("ellipsis")),
}
SETS_OF_NUMBERS = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}
GREEK = frozenset(
    r"\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda \mu \nu "  # noqa: SIM905
    r"\xi \rho \sigma \tau \upsilon \phi \varphi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Sigma \Upsilon "
    r"\Phi \Psi \Omega \ell \hbar \partial".split()
)
ACCENTS = frozenset([r"\overline", r"\bar", r"\vec", r"\hat", r"\overrightarrow", r"\tilde"])
FENCES = {r"\lfloor": (r"\rfloor", "floor"), r"\lceil": (r"\rceil", "ceil"), r"\lvert": (r"\rvert", "abs")}
MATRICES = frozenset(["matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array", "vmatrix"])
FRACTIONS = frozenset([r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"])
BINOMIALS = frozenset([r"\binom", r"\dbinom", r"\tbinom", r"\C"])
APPLIED = frozenset("fghFGHPQ")


def named_set(node: Node) -> Node:
    """Return the set of numbers that a plain letter names where a set is expected; ``{2}`` is a set there."""
    if node.kind == "symbol" and node.value in SETS_OF_NUMBERS:
        return Node("constant", (), node.value)
    if node.kind in ("number", "decimal"):
        return Node("set", (node,))
    return node


def letter(name: str) -> Node:
    """Make a variable, or the constant of that name."""
    return CONSTANTS[name] if name in ("e", "i") else symbol(name)


def negated(node: Node) -> Node:
    """Return the negative of an expression."""
    if node.kind in ("number", "decimal"):
        return Node(node.kind, (), -node.value)
    return Node("neg", (node,))


def read_number(text: str) -> Node:
    """Read digits: ``12``, ``1.5``, ``.5``, and periods: ``0,1(6)`` is one sixth."""
    whole, bracket, period = text.replace(",", ".").rstrip(")").partition("(")
    integer, _, decimals = whole.partition(".")
    if bracket:
        start = int(integer + decimals)
        all_digits = int(integer + decimals + period)
        return number(Fraction(all_digits - start, 10 ** len(decimals) * (10 ** len(period) - 1)))
    if decimals:
        return Node("decimal", (), Fraction(f"{integer or 0}.{decimals}"))
    return number(int(integer or "0"))


def in_base(digits: str, base: Node) -> Node:
    """Read digits in a number system: ``1011_2`` is eleven; a name where the base has no such digits."""
    radix = base.value if base.kind == "number" else 0
    if radix.denominator == 1 and 2 <= radix <= 10 and digits.isdigit() and max(map(int, digits)) < radix:
        return number(int(digits, int(radix)))
    return symbol(f"{digits}_{base.value}")


def applied(name: str, *arguments: Node, base: Node | None = None) -> Node:
    """Make a function of its arguments."""
    if name == "sqrt" and len(arguments) == 1:
        return Node("^", (arguments[0], number(Fraction(1, 2))))
    if name == "exp" and len(arguments) == 1:
        return Node("^", (symbol("e"), arguments[0]))
    if name == "lg":
        name, base = "log", number(10)
    if name in ("log", "ln"):
        return call("ln", *arguments) if base is None else call("log", arguments[0], base)
    return call(name, *arguments)
