"""Brackets, sets and matrices: the parts of the grammar that hold elements."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..limits import ITEMS
from ..node import Node, call
from ..verdict import TooLarge, Unreadable
from .cursor import END, Cursor
from .vocabulary import MATRICES


class Groups(Cursor, ABC):
    """A reader of brackets and matrices; what stands inside them is a subclass's business."""

    bars = 0

    @abstractmethod
    def relation(self) -> Node:
        """Read an element."""

    def bracket(self, opening: str) -> Node:
        """Read brackets: a group, a point or an interval, a set."""
        bars, self.bars = self.bars, 0
        builder = opening in ("{", "\\{") and self.skip_set_builder()
        closing = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "\\{": ("\\}", "}")}[opening]
        elements, end = self.elements_until(closing)
        self.bars = bars
        if builder:
            return elements[0] if len(elements) == 1 else Node("all", elements)
        if opening in ("{", "\\{"):
            lone = opening == "{" and len(elements) == 1
            return elements[0] if lone else Node("set", elements)
        if len(elements) == 1 and (opening, end) in (("(", ")"), ("[", "]")):
            return elements[0]
        return Node("bracket", elements, opening + end)

    def skip_set_builder(self) -> bool:
        r"""Skip ``x |`` or ``x \in \mathbb{R} \mid`` if it stands next, and say whether it did."""
        ahead = self.tokens[self.position : self.position + 8]
        if self.next.kind != "word" or len(ahead) < 2 or ahead[1].text not in ("|", r"\mid", r"\in"):
            return False
        bar = next((index for index, token in enumerate(ahead) if token.text in ("|", r"\mid")), None)
        if bar is None:
            return False
        self.position += bar + 1
        return True

    def elements(self, closing: str) -> tuple[Node, ...]:
        """Read elements up to a closing bracket."""
        return self.elements_until((closing,))[0]

    def elements_until(self, closing: tuple[str, ...]) -> tuple[tuple[Node, ...], str]:
        """Read elements parted by commas or semicolons; return them and the bracket that ends them."""
        elements: list[Node] = []
        if self.next.text in closing:
            return (), self.take().text
        while True:
            elements.append(self.relation())
            if len(elements) > ITEMS:
                raise TooLarge(f"more than {ITEMS} elements")
            token = self.take()
            if token.text in closing and token.kind == "sign":
                return tuple(elements), token.text
            if token.text not in (",", ";"):
                raise Unreadable(f"unexpected {token.text!r} in brackets")

    def matrix(self) -> Node:
        """Read the rows of a matrix."""
        environment = self.take().text
        if environment not in MATRICES:
            raise Unreadable(f"the environment {environment}")
        rows: list[Node] = []
        cells: list[Node] = []
        while not self.accept(r"\end"):
            if self.next.kind == "row":
                self.take()
                rows.append(Node("row", tuple(cells)))
                cells = []
            elif not self.accept("&"):
                cells.append(self.relation())
            if len(rows) > ITEMS or len(cells) > ITEMS or self.next is END:
                raise TooLarge(f"a matrix that does not end within {ITEMS} rows and columns")
        self.take()
        if cells:
            rows.append(Node("row", tuple(cells)))
        if not rows or len({len(row.args) for row in rows}) != 1:
            raise Unreadable("a matrix whose rows differ in length")
        node = Node("matrix", tuple(rows))
        return call("det", node) if environment == "vmatrix" else node
