"""Numbers, names, functions and commands: the parts of the grammar without operators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction

from ..node import Node, call, number, symbol
from ..verdict import Unreadable
from .groups import Groups
from .tokens import Token
from .vocabulary import (
    ACCENTS,
    APPLIED,
    BINOMIALS,
    CONSTANTS,
    FENCES,
    FRACTIONS,
    GREEK,
    SETS_OF_NUMBERS,
    applied,
    in_base,
    letter,
    read_number,
)
from .words import FUNCTIONS, latin_letter, run_together


class Atoms(Groups):
    """A reader of numbers, names, functions and commands; operators between them are a subclass's business."""

    @abstractmethod
    def sum(self) -> Node:
        """Read terms."""

    @abstractmethod
    def product(self) -> Node:
        """Read factors."""

    @abstractmethod
    def signed(self) -> Node:
        """Read a factor with its sign."""

    @abstractmethod
    def power(self) -> Node:
        """Read a factor with its exponent."""

    @abstractmethod
    def exponent(self) -> Node:
        """Read an exponent."""

    @abstractmethod
    def starts_factor(self) -> bool:
        """Whether a factor stands next."""

    def primary(self) -> Node:
        """Read a number, a name, a function, a bracket, a fraction, a root, a matrix."""
        self.descend()
        node = self.atom(self.take())
        self.depth -= 1
        return node

    def atom(self, token: Token) -> Node:
        """Read what begins with this token and needs no sign around it."""
        if token.kind == "number":
            return self.number(token)
        if token.kind == "word":
            return self.word(token)
        if token.text == "..." or (token.kind == "command" and token.text in CONSTANTS):
            return CONSTANTS[token.text]
        if token.kind == "command":
            return self.command(token.text)
        if token.kind == "sign":
            if token.text in ("(", "[", "{", "\\{"):
                return self.bracket(token.text)
            if token.text in ("|", "\\|"):
                self.bars += 1
                inside = self.sum()
                self.bars -= 1
                self.expect(token.text)
                return call("abs", inside)
        raise Unreadable(f"unexpected {token.text!r}")

    def number(self, token: Token) -> Node:
        r"""Read a number, or a mixed number: ``2 1/3``, ``2\\frac13``."""
        node = read_number(token.text)
        if self.accept("_"):
            return in_base(token.text, self.subscript())
        if node.kind != "number" or "(" in token.text:
            return node
        fraction = self.proper_fraction()
        return node if fraction is None else number(node.value + fraction)

    def proper_fraction(self) -> Fraction | None:
        """Read the fraction of a mixed number, if one stands here; otherwise go nowhere."""
        start, depth = self.position, self.depth
        if self.next.text in FRACTIONS:
            self.take()
            try:
                top, bottom = self.argument(), self.argument()
            except Unreadable:
                self.depth = depth
                top = bottom = Node("symbol")
        else:
            ahead = self.tokens[start : start + 4]
            after = ahead[3].text if len(ahead) == 4 else ""
            if not (len(ahead) >= 3 and ahead[0].kind == ahead[2].kind == "number" and ahead[1].text == "/"):
                return None
            if not ahead[0].spaced or after in ("^", "!"):
                return None
            self.position += 3
            top, bottom = read_number(ahead[0].text), read_number(ahead[2].text)
        if top.kind == bottom.kind == "number" and 0 < top.value < bottom.value:
            return Fraction(top.value / bottom.value)
        self.position = start
        return None

    def word(self, token: Token) -> Node:
        """Read a word: a function, a constant, or letters that are variables multiplied."""
        word = token.text
        name = word.lower() if word.lower() in FUNCTIONS and len(word) > 1 else ""
        if name:
            return self.function(FUNCTIONS[name])
        if word in CONSTANTS:
            return CONSTANTS[word]
        if len(word) == 1:
            return self.variable(latin_letter(word))
        if not word.isascii():
            raise Unreadable(f"the word {word!r}")
        parts = run_together(word)
        if parts:
            self.insert(parts[1:])
            return self.word(Token("word", parts[0]))
        if len(word) > 4:
            raise Unreadable(f"the word {word!r}")
        # Letters side by side are factors: an exponent, a factorial or an index belongs to the last of them alone.
        self.split(token)
        return self.variable(latin_letter(word[0]))

    def split(self, token: Token) -> None:
        """Leave the letters after the first of a token that was taken to be read by themselves."""
        self.insert(token.text[1:])

    def insert(self, words: Iterable[str]) -> None:
        """Put words before what is to be read next."""
        new = [Token("word", word) for word in words]
        self.tokens = [*self.tokens[: self.position], *new, *self.tokens[self.position :]]

    def variable(self, name: str) -> Node:
        r"""Read what may follow a variable's name: an index, primes, arguments; ``C_n^k`` is a binomial."""
        leads = self.position == 1
        marks, index = self.marks(), ""
        if self.accept("_"):
            start = self.position
            index = self.index()
            if name in ("C", "A") and self.next.text == "^":
                self.position = start
                lower = self.argument()
                self.expect("^")
                upper = self.argument()
                ways = call("binomial", lower, upper)
                return ways if name == "C" else Node("*", (ways, call("factorial", upper)))
        name += marks + self.marks()
        full = f"{name}_{index}" if index else name
        if name[0] in APPLIED and self.next.text == "(":
            condition = self.condition()
            if condition:
                return symbol(full + condition)
        if leads and self.next.text == "(" and self.defines():
            self.take()
            return call(full, *self.elements(")"))
        if len(name) == 1 and name.isupper() and self.next.text == "(" and self.several_ahead():
            self.take()
            elements = self.elements(")")
            return (
                call("binomial", *elements)
                if name == "C" and len(elements) == 2
                else Node("bracket", elements, "()")
            )
        if name[0] in APPLIED and self.next.text == "(" and not self.next.spaced:
            self.take()
            return call(full, *self.elements(")"))
        return letter(full)

    def marks(self) -> str:
        """Read the primes and stars of a name: ``f''``, ``x^*``."""
        found = ""
        while True:
            ahead = [token.text for token in self.tokens[self.position : self.position + 4]]
            if ahead[:1] == ["'"]:
                self.position += 1
                found += "'"
            elif ahead[:2] == ["^", "*"] or ahead[:2] == ["^", r"\ast"]:
                self.position += 2
                found += "*"
            elif ahead in (["^", "{", "*", "}"], ["^", "{", "'", "}"]):
                self.position += 4
                found += ahead[2]
            else:
                return found

    def index(self) -> str:
        """Read what stands below a name, be it a word, a command or a formula: it is a part of the name."""
        token = self.take()
        if token.text != "{":
            if token.kind == "word" and len(token.text) == 2 and not token.text.isupper():
                self.split(token)
                return token.text[0]
            if token.kind not in ("word", "number", "text", "command", "sign"):
                raise Unreadable("a name without its index")
            return token.text
        depth, parts = 1, []
        while depth:
            token = self.take()
            if token.kind == "end":
                raise Unreadable("an index that does not end")
            depth += (token.text == "{") - (token.text == "}")
            parts.append(token.text)
        return "".join(part for part in parts if part not in "{}")

    def condition(self) -> str:
        """Read ``(A|B)``, the bracket of a conditional probability; nothing if another one stands here."""
        texts = [token.text for token in self.tokens[self.position : self.position + 12]]
        inside = texts[: texts.index(")") + 1] if ")" in texts else []
        if sum(text in ("|", r"\mid", r"\vert") for text in inside) != 1:
            return ""
        self.position += len(inside)
        return "".join("|" if text.startswith("\\") else text for text in inside)

    def defines(self) -> bool:
        """Whether the bracket that opens here is closed right before a sign of equality, as in ``S(5) = 3``."""
        depth = 0
        for place in range(self.position, len(self.tokens)):
            text = self.tokens[place].text
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if not depth:
                return [token.text for token in self.tokens[place + 1 : place + 2]] == ["="]
        return False

    def several_ahead(self) -> bool:
        """Whether the bracket that opens here holds several elements, as a point's does."""
        depth = 0
        for token in self.tokens[self.position :]:
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            if not depth:
                return False
            if depth == 1 and token.text in (",", ";"):
                return True
        return False

    def command(self, command: str) -> Node:
        """Read a LaTeX command and its arguments."""
        name = command[1:]
        if command in FRACTIONS:
            return Node("*", (self.argument(), Node("inv", (self.argument(),))))
        if command == r"\sqrt":
            return self.root()
        if command in BINOMIALS:
            return call("binomial", self.argument(), self.argument())
        if command in GREEK:
            return self.variable(name)
        if name in FUNCTIONS:
            return self.function(FUNCTIONS[name])
        if command in FENCES:
            closing, function = FENCES[command]
            inside = self.sum()
            self.expect(closing)
            return call(function, inside)
        if command in ACCENTS:
            vector = self.variable(name + str(self.argument().key))
            if self.next.text == "(" and self.several_ahead():
                self.take()
                return Node("bracket", self.elements(")"), "()")
            return vector
        if command == r"\mathbb":
            braced = self.accept("{")
            set_name = SETS_OF_NUMBERS.get(self.take().text)
            if braced:
                self.expect("}")
            if set_name is None:
                raise Unreadable("an unknown set of numbers")
            return Node("constant", (), set_name)
        if command in (r"\sum", r"\prod"):
            return self.big_operator(name)
        if command == r"\begin":
            return self.matrix()
        raise Unreadable(f"the command {command}")

    def argument(self) -> Node:
        r"""Read a command's argument: a group, or a single sign (``\frac12`` is one half)."""
        token = self.next
        if token.kind == "number" and len(token.text) > 1 and "." not in token.text:
            # LaTeX takes one digit; the rest stays to be read.
            rest = Token("number", token.text[1:])
            self.tokens = [*self.tokens[: self.position], Token("number", token.text[0]), rest,
                           *self.tokens[self.position + 1 :]]  # fmt: skip
        if token.kind == "number":
            return read_number(self.take().text)
        if token.kind == "word":
            self.take()
            if len(token.text) > 1:
                self.split(token)
            return letter(latin_letter(token.text[0]))
        return self.primary()

    def root(self) -> Node:
        """Read a root; its degree may stand in square brackets."""
        degree = number(2)
        if self.accept("["):
            degree = self.sum()
            self.expect("]")
        elif self.next.kind == "word" and self.next.text == "из":
            self.take()
        # Unlike LaTeX, √13 takes the whole number.
        token = self.next
        if token.kind == "word" and len(token.text) > 1:
            raise Unreadable("a root that may be of one letter or of all")
        inside = read_number(self.take().text) if token.kind == "number" else self.primary()
        return Node("^", (inside, Node("inv", (degree,))))

    def function(self, name: str) -> Node:
        """Read a function's base and exponent, then its argument in brackets or up to the next sign."""
        base: Node | None = None
        exponent: Node | None = None
        for _ in range(2):
            if base is None and (self.accept("_") or (name == "log" and self.base_ahead())):
                base = self.subscript()
            elif exponent is None and self.accept("^"):
                exponent = self.exponent()
        arguments = self.elements(")") if self.accept("(") else (self.run_of_factors(),)
        if not arguments:
            raise Unreadable("a function of nothing")
        if exponent is not None and exponent.key == number(-1).key and name in ("sin", "cos", "tan", "cot"):
            return applied("a" + name, *arguments)
        node = applied(name, *arguments, base=base)
        return node if exponent is None else Node("^", (node, exponent))

    def base_ahead(self) -> bool:
        """Whether a logarithm's base stands next, as in ``log2(8)``."""
        ahead = self.tokens[self.position + 1 : self.position + 2]
        return self.next.kind == "number" and not self.next.spaced and bool(ahead) and ahead[0].text == "("

    def subscript(self) -> Node:
        """Read a logarithm's base, which takes a whole number even without braces."""
        return read_number(self.take().text) if self.next.kind == "number" else self.argument()

    def run_of_factors(self) -> Node:
        """Read a function's argument without brackets: factors side by side, up to another function."""
        factors = [self.signed()]
        while self.starts_factor() and not self.next_is_function() and self.next.text not in ("(", "[", "\\{"):
            if self.next.kind == "number":
                break
            factors.append(self.power())
        return factors[0] if len(factors) == 1 else Node("*", tuple(factors))

    def next_is_function(self) -> bool:
        """Whether the next token is a function's name."""
        return self.next.text.lstrip("\\").lower() in FUNCTIONS and len(self.next.text) > 1

    def big_operator(self, name: str) -> Node:
        r"""Read ``\sum_{k=1}^{n} …`` up to the next plus or minus."""
        self.expect("_")
        self.expect("{")
        variable = self.variable(latin_letter(self.take().text))
        self.expect("=")
        first = self.sum()
        self.expect("}")
        self.expect("^")
        last = self.exponent()
        if variable.kind != "symbol":
            raise Unreadable("a sum over no variable")
        return Node("big", (self.product(), variable, first, last), name)
