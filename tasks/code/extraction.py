"""The program out of an answer: blocks put together, bare programs, continuations of a given beginning.

Answers are hostile text: they are parsed where they are short enough, and never run. Whether a program compiles is
for the sandbox to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .blocks import MARGIN, bare_blocks, code_blocks, dedented, depth, is_code, is_fence, is_prose, lines_of
from .pieces import Piece, assembled, needed, pieces_of

_MOST_PIECES = 100
_TOP_LEVEL = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t][^\n]*\n?", re.MULTILINE)
_RETURNS = re.compile(r"^[ \t]*(?:return|yield|raise)\b", re.MULTILINE)


def defines(program: str, name: str) -> bool:
    """Tell whether a program seems to define a name at its top level: by def, class, or assignment."""
    pattern = (
        rf"^(?:(?:async[ \t]+def|def|class)[ \t]+{re.escape(name)}\b|{re.escape(name)}[ \t]*(?::[^=\n]*)?=(?!=))"
    )
    return re.search(pattern, program, re.MULTILINE) is not None


def find_program(answer: str, names: Sequence[str] = ()) -> str | None:
    """Return the program that an answer gives, or None when there is none.

    It is the last complete version: the last piece of Python that defines one of ``names`` (a function without a
    body counts only when there is no other), or, without ``names``, that reads the input and prints. A version cut
    short by the end of the answer is not complete. What it uses and does not define is taken from the other pieces,
    and nothing else of them: examples and tests stay outside. Pieces are the fenced blocks; code outside them
    counts when they hold no program.

    Args:
        answer: the model's text.
        names: the functions or classes of which the program must define at least one.
    """
    fenced = [block for block in code_blocks(answer) if block.is_python]
    inside, outside = (pieces_of(blocks[-_MOST_PIECES:]) for blocks in (fenced, bare_blocks(answer)))
    if names:
        return _defining(inside, names) or _defining(outside, names)
    return _whole(inside) or _whole(outside) or _printing(inside) or _printing(outside)


def bare_program(answer: str) -> str | None:
    """Return the lines outside blocks from the first that is code to the last before prose, or None."""
    bare = bare_blocks(answer)
    return f"{dedented(bare[0].text).rstrip()}\n" if bare else None


def _defining(pieces: Sequence[Piece], names: Sequence[str]) -> str | None:
    """Return the last version of a function or class with what it needs."""
    versions = [piece for piece in pieces if any(defines(piece.text, name) for name in names)]
    full = [piece for piece in versions if not _is_stub(piece, names)]
    complete = [piece for piece in full if piece.statements or piece.closed]
    chosen = next((last[-1] for last in (complete, full, versions) if last), None)
    return None if chosen is None else assembled(chosen, pieces)


def _is_stub(piece: Piece, names: Sequence[str]) -> bool:
    defining = [statement for statement in piece.statements if statement.binds & set(names)]
    return bool(defining) and all(statement.is_stub for statement in defining)


def _whole(pieces: Sequence[Piece]) -> str | None:
    """Return the last piece that does something, reads and prints, with what it needs."""
    own = [piece for place, piece in enumerate(pieces) if not _is_repeated(piece, place, pieces)]
    named = [piece for piece in own if piece.language]
    for chosen in (named, own):
        for piece in reversed(chosen):
            program = _script(piece, own)
            if program is not None:
                return program
    return None


def _printing(pieces: Sequence[Piece]) -> str | None:
    """Return the last piece that prints, else the longest: a program that needs no input, or a wrong one."""
    meant = [piece for piece in pieces if piece.language] or [piece for piece in pieces if piece.runs]
    printing = [piece for piece in meant if "print" in piece.text or ".write" in piece.text]
    if printing:
        return assembled(printing[-1], pieces)
    return max((piece.text for piece in meant), key=len, default=None)


def _is_repeated(piece: Piece, place: int, pieces: Sequence[Piece]) -> bool:
    """Whether all statements of a piece stand in a longer one too, or in the same piece further on."""
    return bool(piece.statements) and any(
        piece.lines < other.lines or (piece.lines == other.lines and later > place)
        for later, other in enumerate(pieces)
        if other is not piece
    )


def _script(main: Piece, pieces: Sequence[Piece]) -> str | None:
    """Return the program that ends in a piece, or None when there is none that reads the input and prints."""
    if not main.statements:
        reads = "input(" in main.text or "stdin" in main.text
        return main.text if main.closed and reads and ("print" in main.text or ".write" in main.text) else None
    if not main.runs or main.is_trial:
        return None
    taken = needed(main, pieces)
    statements = [*(statement for _, statement in taken), *main.statements]
    if not (any(one.reads for one in statements) and any(one.prints for one in statements)):
        return None
    sources = {place for place, statement in taken if statement.reads_at_once}
    if not sources:
        return assembled(main, pieces)
    if any(pieces[place].answers for place in sources):
        return None  # the other piece is the program, and this one explains it
    return _spread(main, pieces)


def _spread(main: Piece, pieces: Sequence[Piece]) -> str:
    """Return a script that is spread over pieces: all that read the input or go on with what was read, in order."""
    read: set[str] = set()
    parts: list[Piece] = []
    for piece in pieces[: pieces.index(main)]:
        if not piece.answers and not piece.is_trial and (piece.reads_at_once or piece.uses & read):
            parts.append(piece)
            read |= piece.binds
    parts.append(main)
    script = Piece("\n".join(part.text for part in parts), statements=sum((part.statements for part in parts), ()))
    return assembled(
        script, [script if piece is main else piece for piece in pieces if piece is main or piece not in parts]
    )


def fragment(answer: str) -> str | None:
    """Return the piece of code that an answer gives: a Python block, or its text if that looks like code.

    Of several blocks it is the last that returns something, else the last. The text of an answer without a block
    ends where prose or a fence begins. Indentation is kept.
    """
    blocks = [block for block in code_blocks(answer) if block.is_python and block.text.strip()]
    lines = lines_of(answer)
    lines = lines[next((place for place, line in enumerate(lines) if line.strip()), 0) :]
    indented = lines[0][:1].isspace() and not is_fence(lines[0])
    if blocks and not indented:
        return next((block for block in reversed(blocks) if _RETURNS.search(block.text)), blocks[-1]).text
    end = next((place for place, line in enumerate(lines) if is_prose(line) or is_fence(line)), len(lines))
    code = "\n".join(lines[:end]).rstrip()
    return code if code and (indented or is_code(lines[0])) else None


def continued(beginning: str, entry_point: str, answer: str) -> str | None:
    """Return the given beginning of a function followed by the answer that continues it, or None without code.

    The continuation ends at the first statement at the margin, as sampling with stop sequences would end it,
    except that helpers which it uses are kept.

    Args:
        beginning: source text that ends inside the body of the entry point (its docstring).
        entry_point: the function that is continued.
        answer: the model's text; the first line may have lost its indentation.
    """
    code = fragment(answer)
    if code is None:
        return None
    if code[:1].isspace() or _lost_its_margin(lines_of(code), len(MARGIN)):
        body, *others = _chunks(code)
    else:
        body, others = code, []
    kept = [beginning.rstrip(), indented_to(body, MARGIN)]
    used = _words(kept[1])
    for chunk in others:
        defined = _TOP_LEVEL.match(chunk)
        if chunk.startswith(("import ", "from ")) or (defined and defined[1] in used and defined[1] != entry_point):
            kept.append(chunk)
            used |= _words(chunk)
    return "\n".join(kept) + "\n"


def indented_to(code: str, margin: str) -> str:
    """Return a piece of code moved to stand at a margin (spaces).

    A first line less indented than lines that already stand right has lost its indentation on the way (answers are
    often stripped): only that line is moved.
    """
    lines = lines_of(code)
    lines = lines[next((place for place, line in enumerate(lines) if line.strip()), 0) :]
    if _lost_its_margin(lines, len(margin)):
        return "\n".join([margin + lines[0].lstrip(), *lines[1:]])
    flat = lines_of(dedented("\n".join(lines)))
    return "\n".join(margin + line if line.strip() else "" for line in flat)


def preceded(preamble: str, program: str) -> str:
    """Return a program with a preamble before it; ``from __future__`` imports stay the first statements."""
    if not preamble.strip():
        return program
    future = "".join(line.rstrip("\n") + "\n" for line in _FUTURE.findall(program))
    return f"{future}{preamble.rstrip()}\n\n{_FUTURE.sub('', program) if future else program}"


def _lost_its_margin(lines: Sequence[str], margin: int) -> bool:
    first, *others = [line for line in lines if line.strip()] or [""]
    depths = [depth(line) for line in others]
    if not depths or depth(first) >= margin or min(depths) < margin:
        return False
    return depths[0] > margin or not first.rstrip().endswith(":")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _chunks(code: str) -> Iterable[str]:
    """Split code before each line at the margin that is not blank."""
    chunk: list[str] = []
    for line in lines_of(code):
        if line[:1] not in ("", " ", "\t", ")", "]", "}") and chunk:
            yield "\n".join(chunk)
            chunk = []
        chunk.append(line)
    yield "\n".join(chunk)
