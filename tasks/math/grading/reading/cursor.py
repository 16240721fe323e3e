"""A place in a row of tokens, and how deep in brackets it is."""

from __future__ import annotations

from collections.abc import Sequence

from ..limits import DEPTH
from ..verdict import TooLarge, Unreadable
from .tokens import Token

END = Token("end", "")


class Cursor:
    """A reader of one row of tokens, from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.position] if self.position < len(self.tokens) else END

    def take(self) -> Token:
        """Return the next token and go on."""
        token = self.next
        self.position += 1
        return token

    def accept(self, *texts: str) -> bool:
        """Skip the next token if it is one of these."""
        token = self.next
        if token.text in texts and token.kind != "text" and token is not END:
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Skip the next token, which must be this one."""
        if not self.accept(text):
            raise Unreadable(f"expected {text!r}, found {self.next.text!r}")

    def descend(self) -> None:
        """Count a level of nesting."""
        self.depth += 1
        if self.depth > DEPTH:
            raise TooLarge(f"nested more than {DEPTH} deep")
