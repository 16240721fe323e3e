"""Pieces of Python as an answer gives them, and how they make one program: what each defines, uses and does.

Pieces are parsed, never run. A piece that does not parse (broken, too long, nested too deeply) is a piece without
statements: it can be a program by itself and gives nothing to others.
"""

from __future__ import annotations

import ast
import builtins
import html
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .blocks import MARGIN, Block, dedented, depth, typed

LONGEST_SOURCE = 50_000
"""The most characters that are parsed: some ten milliseconds."""

_EVERYTHING = "*"
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}
_INPUT = frozenset({"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", 0})
_READERS = frozenset({"input", "stdin", "fileinput"})
_WRITERS = frozenset({"print", "write", "writelines"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INERT = (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top level of a piece: its source, and the names that it gives values, changes and uses."""

    node: ast.stmt
    text: str
    binds: frozenset[str]
    changes: frozenset[str]
    uses: frozenset[str]

    @cached_property
    def reads(self) -> bool:
        """Whether it reads standard input, at once or when it is called."""
        return any(_is_input(node) for node in ast.walk(self.node))

    @cached_property
    def prints(self) -> bool:
        """Whether it prints, at once or when it is called."""
        return any(_name(node) in _WRITERS for node in ast.walk(self.node))

    @property
    def runs(self) -> bool:
        """Whether it does something at once, beyond giving names values."""
        if isinstance(self.node, ast.Expr):
            return isinstance(self.node.value, ast.Call | ast.Await | ast.ListComp | ast.BoolOp | ast.IfExp)
        return not isinstance(self.node, (*_INERT, ast.Assign, ast.AnnAssign, ast.AugAssign))

    @property
    def reads_at_once(self) -> bool:
        """Whether it reads standard input where it stands."""
        return self.reads and not isinstance(self.node, _INERT)

    @property
    def is_stub(self) -> bool:
        """Whether it is a function or class with nothing in it."""
        return isinstance(self.node, _DEFINITIONS) and all(map(_says_nothing, self.node.body))


@dataclass(frozen=True, eq=False)
class Piece:
    """A block's source, ready to be parsed; ``statements`` are empty when it does not parse."""

    text: str
    language: str = ""
    closed: bool = True
    statements: tuple[Statement, ...] = ()

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that it gives values."""
        return frozenset().union(*(statement.binds for statement in self.statements))

    @cached_property
    def uses(self) -> frozenset[str]:
        """The names that it uses."""
        return frozenset().union(*(statement.uses for statement in self.statements))

    @property
    def runs(self) -> bool:
        """Whether it does something when it is loaded."""
        return any(statement.runs for statement in self.statements)

    @property
    def reads_at_once(self) -> bool:
        """Whether it reads standard input when it is loaded."""
        return any(statement.reads_at_once for statement in self.statements)

    @cached_property
    def answers(self) -> bool:
        """Whether it prints whatever the input is, when it is loaded."""
        printing = {name for statement in self.statements if statement.prints for name in statement.binds}
        return any(
            statement.runs
            and (statement.prints or statement.uses & printing)
            and not (isinstance(statement.node, ast.If) and "__name__" not in statement.uses)
            for statement in self.statements
        )

    @cached_property
    def is_trial(self) -> bool:
        """Whether it tries a program out: puts something in the place of standard input, or starts a process."""
        return any(_is_trial(node) for statement in self.statements for node in ast.walk(statement.node))

    @cached_property
    def lines(self) -> frozenset[str]:
        """All its statements, at any depth, without comments and layout."""
        nodes = (node for statement in self.statements for node in ast.walk(statement.node))
        return frozenset(ast.unparse(node) for node in nodes if isinstance(node, ast.stmt))


def pieces_of(blocks: Iterable[Block]) -> list[Piece]:
    """Return the pieces that blocks hold; one that goes on with the block before it is joined to that block."""
    pieces: list[Piece] = []
    before = ""
    for block in blocks:
        text = _repaired(typed(block.text))
        if block.language == "" and text.lstrip().partition("\n")[0].strip().lower() in ("python", "python3", "py"):
            text = text.lstrip().partition("\n")[2]
        if not text.strip():
            continue
        joined = _continued(before, text) if pieces and pieces[-1].statements else None
        if joined is not None:
            pieces.pop()
            text = joined
        before = text
        pieces.append(_piece(text, block))
    return pieces


def parsed(source: str) -> ast.Module | None:
    """Return the syntax tree of a source, or None when it is no Python, too long or nested too deeply."""
    if len(source) > LONGEST_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the model's code are not our concern
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def needed(main: Piece, others: Sequence[Piece]) -> list[tuple[int, Statement]]:
    """Return the statements of other pieces that a piece needs, with the positions of those pieces, in order.

    A name means what its own piece says; else the nearest piece before the main one, else the first one after.
    Statements before it that change the value of such a name belong to it. What nobody defines may come with
    ``import *``.
    """
    position = others.index(main)
    order = [*range(position - 1, -1, -1), *range(position + 1, len(others))]
    givers, changers = _by_name(others, "binds"), _by_name(others, "changes")
    found: set[tuple[int, int]] = set()
    waiting = [(position, name) for name in sorted(main.uses)]
    seen = set(waiting)
    while waiting:
        place, name = waiting.pop()
        if name in main.binds:
            continue
        source = next((other for other in [place, *order] if (other, name) in givers), None)
        if source is not None:
            changing = (key for other in {*range(position), source} for key in changers.get((other, name), ()))
            new = [*givers[source, name], *changing]
        elif name not in _BUILTINS:
            new = [key for other in order for key in givers.get((other, _EVERYTHING), ())]
        else:
            continue
        for other, number in new:
            if (other, number) not in found:
                found.add((other, number))
                used = {(other, word) for word in others[other].statements[number].uses} - seen
                seen |= used
                waiting += sorted(used)
    return [(other, others[other].statements[number]) for other, number in sorted(found)]


def _by_name(pieces: Sequence[Piece], kind: str) -> dict[tuple[int, str], list[tuple[int, int]]]:
    """Return, for a piece's position and a name, the statements (piece and number) that bind or change the name."""
    found: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for place, piece in enumerate(pieces):
        for number, statement in enumerate(piece.statements):
            for name in getattr(statement, kind):
                found.setdefault((place, name), []).append((place, number))
    return found


def assembled(main: Piece, others: Sequence[Piece]) -> str:
    """Return a piece with what it needs of the others: before it, but after it what needs the piece itself."""
    position = others.index(main)
    before: list[str] = []
    after: list[str] = []
    for place, statement in needed(main, others):
        (after if place > position and statement.uses & main.binds else before).append(statement.text)
    future = [text for text in before if text.startswith("from __future__")]
    before = [text for text in before if text not in future]
    return "\n\n".join([*future, *before, main.text, *after])


def _repaired(text: str) -> str:
    """Return a text that does not parse as it was before it became HTML, or with plain blanks, if that parses."""
    ways = (text, html.unescape(text), text.replace("\xa0", " "))
    return next((way for way in ways if parsed(dedented(way)) is not None), text)


def _piece(text: str, block: Block) -> Piece:
    source = dedented(text)
    tree = parsed(source)
    try:
        statements = tuple(_statements(tree, source)) if tree else ()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        statements = ()  # it parses and does not compile, or is nested too deeply
    return Piece(source, block.language, block.closed, statements)


def _continued(before: str, text: str) -> str | None:
    """Return two blocks as one if the second goes on with the body where the first ends, else None."""
    first = next(line for line in text.split("\n") if line.strip())
    margin = min(depth(line) for line in before.split("\n") if line.strip())
    alone = parsed(dedented(text))
    if alone is not None and isinstance(alone.body[0] if alone.body else None, (*_INERT,)):
        return None
    if depth(first) > margin:
        joined = f"{before}\n{text}"
    elif alone is not None and any(isinstance(node, ast.Return) for node in alone.body):
        joined = "\n".join([before, *(" " * margin + MARGIN + line for line in dedented(text).split("\n"))])
    else:
        return None
    return joined if parsed(dedented(joined)) is not None else None


def _statements(tree: ast.Module, source: str) -> Iterator[Statement]:
    lines = source.split("\n")
    end = 0
    for node in tree.body:
        start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
        # Comments go with the statement after them; a second statement on a line stays with the first.
        text = "\n".join(lines[max(start, end) : node.end_lineno]) if start >= end else ast.unparse(node)
        end = node.end_lineno or end
        yield Statement(node, text, *_names(node, text))


def _names(node: ast.stmt, text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the module's names that a statement gives values, those that it changes, and those that it uses."""
    table = symtable.symtable(text, "answer", "exec")
    binds = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    uses = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = list(table.get_children())
    binds |= {child.get_name() for child in waiting if child.get_type() in ("class", "function")} & {
        symbol.get_name() for symbol in table.get_symbols() if symbol.is_namespace()
    }
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        for symbol in inner.get_symbols():
            if symbol.is_global():
                uses.add(symbol.get_name())
                if symbol.is_assigned():
                    binds.add(symbol.get_name())
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        binds = {_EVERYTHING}
    changes: set[str] = set()
    if not isinstance(node, _INERT):
        changes = {name for inner in ast.walk(node) for name in _changed(inner)}
        binds -= changes - _stored(node)
    return frozenset(binds), frozenset(changes), frozenset(uses)


def _stored(node: ast.stmt) -> set[str]:
    """Return the names that a statement gives values, other than by changing the old one (``+=``)."""
    added = {inner.target for inner in ast.walk(node) if isinstance(inner, ast.AugAssign)}
    names = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store))
    return {name.id for name in names if name not in added}


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the name whose value a node changes: by an item or attribute that is set, by a method, by ``+=``."""
    target: ast.AST
    match node:
        case ast.AugAssign(target=ast.Name() as target):
            pass
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            target = node
        case ast.Expr(value=ast.Call(func=ast.Attribute() as target)):
            pass
        case _:
            return
    while isinstance(target, ast.Subscript | ast.Attribute | ast.Call):
        target = target.func if isinstance(target, ast.Call) else target.value
    if isinstance(target, ast.Name):
        yield target.id


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_input(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            return name in _READERS
        case ast.Call(func=ast.Name(id="open"), args=[ast.Constant(value=value), *_]):
            return value in _INPUT
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="read"), args=[ast.Constant(value=0), *_]):
            return True
        case _:
            return False


def _is_trial(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="stdin", ctx=ast.Store()) | ast.Name(id="input" | "subprocess", ctx=ast.Store()):
            return True
        case ast.Name(id="subprocess") | ast.alias(name="subprocess"):
            return True
        case ast.Constant(value="builtins.input" | "sys.stdin"):
            return True
        case _:
            return False


def _says_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            return all(map(_says_nothing, body))
        case _:
            return False
