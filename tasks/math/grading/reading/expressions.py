"""The grammar of expressions: LaTeX and infix notation mixed, as models write them."""

from __future__ import annotations

from fractions import Fraction

from ..limits import DEPTH
from ..node import Node, call, number, symbol
from ..verdict import TooLarge, Unreadable
from .atoms import Atoms
from .vocabulary import (
    ACCENTS,
    BINOMIALS,
    COMPARISONS,
    CONSTANTS,
    FENCES,
    FRACTIONS,
    GREEK,
    OVER,
    RELATIONS,
    SET_OPERATIONS,
    TIMES,
    named_set,
    negated,
)
from .words import FUNCTIONS

_SUM_SIGNS = frozenset(["+", "-", r"\pm", r"\mp"])
_POSTFIX = frozenset(["!", "%", r"\degree", "^", "**"])


class Expressions(Atoms):
    """A reader of expressions, by recursive descent.

    Raises:
        Unreadable: the grammar does not have what stands there.
        TooLarge: nested too deeply, or too many elements.
    """

    def whole(self) -> Node:
        """Read all the tokens as one relation, set or expression."""
        node = self.relation()
        if self.position < len(self.tokens):
            raise Unreadable(f"unexpected {self.next.text!r}")
        return node

    def relation(self) -> Node:
        r"""Read ``a < b <= c``, ``x \\in S`` or a lone operand."""
        # "Not less than 3" leaves its subject out.
        operands = [symbol("x") if self.next.text in COMPARISONS else self.operand()]
        signs = []
        while self.next.text in RELATIONS and self.next.kind != "text":
            signs.append(RELATIONS[self.take().text])
            operands.append(self.operand())
        if not signs:
            return operands[0]
        if signs == ["in"]:
            return Node("in", (operands[0], named_set(operands[1])))
        if "in" in signs or "notin" in signs:
            raise Unreadable("membership inside a chain of relations")
        return Node("relation", tuple(operands), tuple(signs))

    def operand(self) -> Node:
        """Read a side of a relation: a sum, or sets that are united, intersected, subtracted."""
        node = self.sum()
        if self.accept(r"\choose"):
            return call("binomial", node, self.sum())
        while True:
            operation = SET_OPERATIONS.get(self.next.text)
            if self.next.text == "\\{":
                # What was meant is \setminus, with the backslash read as part of the bracket: ``(0; 2)\{1}``.
                node = Node("difference", (named_set(node), self.sum()))
                continue
            if self.next.text == "U" and node.kind in ("bracket", "set", "union"):
                operation = "union"
            elif self.next.text in {"\\", r"\backslash"}:
                operation = "difference"
            if operation is None:
                return node
            self.take()
            right = self.sum()
            node, right = named_set(node), named_set(right)
            flat = node.args if node.kind == operation and operation != "difference" else (node,)
            node = Node(operation, (*flat, right))

    def sum(self) -> Node:
        """Read terms that are added, subtracted or ±."""
        terms = [self.product()]
        while self.next.text in _SUM_SIGNS:
            if self.accept("+"):
                terms.append(self.product())
            elif self.accept("-"):
                terms.append(negated(self.product()))
            elif self.accept(r"\pm"):
                terms.append(Node("pm", (self.product(),), 1))
            elif self.accept(r"\mp"):
                terms.append(Node("pm", (self.product(),), -1))
            else:
                break
        return terms[0] if len(terms) == 1 else Node("+", tuple(terms))

    def product(self) -> Node:
        """Read factors that are multiplied, divided, or stand side by side."""
        factors = [self.signed()]
        while True:
            if self.next.text in TIMES:
                self.take()
                factors.append(self.signed())
            elif self.next.text in OVER:
                self.take()
                factors.append(Node("inv", (self.signed(),)))
            elif self.starts_factor():
                if self.next.kind == "number" and self.tokens[self.position - 1].kind == "number":
                    raise Unreadable("two numbers side by side")
                factors.append(self.power())
            else:
                break
        return factors[0] if len(factors) == 1 else Node("*", tuple(factors))

    def starts_factor(self) -> bool:
        """Whether the next token can begin a factor that no sign of multiplication stands before."""
        token = self.next
        if token.kind in ("number", "word"):
            return token.text != "U"
        if token.kind == "command":
            known = token.text in CONSTANTS or token.text in FRACTIONS or token.text in GREEK
            named = token.text in (r"\sqrt", r"\sum", r"\prod", r"\begin", r"\mathbb") or token.text in BINOMIALS
            return known or named or token.text in FENCES or token.text in ACCENTS or token.text[1:] in FUNCTIONS
        return token.text in ("(", "[", "{") or (token.text == "|" and not self.bars)

    def signed(self) -> Node:
        """Read a factor with any signs before it."""
        negative = False
        while self.next.text in _SUM_SIGNS:
            if self.accept("-"):
                negative = not negative
            elif self.accept("+"):
                continue
            elif self.next.text in (r"\pm", r"\mp") and self.next.kind == "command":
                sign = 1 if self.take().text == r"\pm" else -1
                return Node("pm", (self.power(),), sign)
            else:
                break
        node = self.power()
        return negated(node) if negative else node

    def power(self) -> Node:
        """Read a primary with its factorial, degree and exponent."""
        base = self.primary()
        for _ in range(DEPTH):
            if self.next.text not in _POSTFIX:
                break
            if self.accept("!"):
                base = call("double_factorial" if self.accept("!") else "factorial", base)
                if self.next.text == "!":
                    raise Unreadable("three exclamation marks")
            elif self.accept("%"):
                base = Node("*", (base, number(Fraction(1, 100))))
            elif self.accept(r"\degree"):
                base = Node("degree", (base,))
            elif self.accept("^", "**"):
                base = Node("degree", (base,)) if self.accept(r"\degree") else Node("^", (base, self.exponent()))
            else:
                break
        else:
            raise TooLarge("too many exponents and factorials in a row")
        return base

    def exponent(self) -> Node:
        """Read an exponent: a group, or one signed primary (``10^-3``)."""
        if self.accept("-"):
            return negated(self.exponent_base())
        self.accept("+")
        return self.exponent_base()

    def exponent_base(self) -> Node:
        """Read a primary and the exponents on it: ``2^3^4`` is read from the right."""
        self.descend()
        base = self.primary()
        if self.accept("^", "**"):
            base = Node("^", (base, self.exponent()))
        self.depth -= 1
        return base
