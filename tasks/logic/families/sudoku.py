"""Sudoku of 4×4, 6×6 and 9×9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from zlib import crc32

from ...random import Dice
from ..answers import Answer
from ..puzzle import Family, Puzzle, Split, last_line
from ..search import ConstraintProblem

# Size, rows of a box, and how many cells are given.
_LEVELS: Final = {1: (4, 2, 8), 2: (4, 2, 5), 3: (6, 2, 15), 4: (9, 3, 42), 5: (9, 3, 33)}
_BOX_NAMES: Final = {4: "2×2", 6: "2×3 (2 строки и 3 столбца)", 9: "3×3"}


@dataclass(frozen=True, slots=True)
class Facts:
    """A grid of ``size`` rows, row by row: digits from 1, and 0 where the cell is empty."""

    size: int
    box_rows: int
    cells: tuple[int, ...]


def solve(facts: Facts) -> list[tuple[int, ...]]:
    """Return every way to fill in the grid."""
    problem = _rules(facts.size, facts.box_rows)
    solutions = problem.solutions(domains=_domains(facts.size, facts.cells))
    return [tuple(value + 1 for value in solution) for solution in solutions]


def answer(facts: Facts, solution: tuple[int, ...]) -> Answer:
    """Return the rows of digits."""
    return Answer("grid", _rows(facts.size, solution))


def fingerprint(size: int, cells: tuple[int, ...]) -> str:
    """Return the filled grid with its digits renamed so that the first row is in order."""
    names = {digit: str(place) for place, digit in enumerate(cells[:size], 1)}
    return "".join(names[digit] for digit in cells)


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Fill a grid by chance and empty cells while the solution stays the only one.

    A filled grid belongs to one split for all the ways to rename its digits.
    """
    size, box_rows, given = _LEVELS[difficulty]
    while True:
        full = _filled(dice, size, box_rows)
        mark = fingerprint(size, full)
        if crc32(mark.encode()) % 2 == (split == "test"):
            break
    problem = _rules(size, box_rows)
    cells = list(full)
    left = size * size
    for cell in dice.shuffled(range(size * size)):
        if left == given:
            break
        cells[cell] = 0
        domains = _domains(size, cells)
        # The solution stays the only one if none has another digit here.
        domains[cell] ^= 1 << (full[cell] - 1)
        if problem.solutions(1, domains=domains):
            cells[cell] = full[cell]
        else:
            left -= 1
    facts = Facts(size, box_rows, tuple(cells))
    options = tuple(str(digit) for digit in range(1, size + 1))
    return Puzzle(_text(facts), answer(facts, full), facts, options, frozenset({mark}))


def _filled(dice: Dice, size: int, box_rows: int) -> tuple[int, ...]:
    """Return a filled grid: some cells by chance, the others as the solver finds them."""
    problem = _rules(size, box_rows)
    domains = list(problem.domains)
    for cell in dice.shuffled(range(size * size))[:size]:
        everything, domains[cell] = domains[cell], 1 << dice.below(size)
        if not problem.solutions(1, domains=domains):
            domains[cell] = everything
    (found,) = problem.solutions(1, domains=domains, values=dice.shuffled(range(size)))
    return tuple(value + 1 for value in found)


@cache
def _rules(size: int, box_rows: int) -> ConstraintProblem:
    problem = ConstraintProblem(size * size, size)
    box_columns = size // box_rows
    for unit in range(size):
        top, left = unit // box_rows * box_rows, unit % box_rows * box_columns
        problem.all_different([unit * size + column for column in range(size)])
        problem.all_different([row * size + unit for row in range(size)])
        problem.all_different(
            [(top + row) * size + left + column for row in range(box_rows) for column in range(box_columns)]
        )
    return problem


def _domains(size: int, cells: Sequence[int]) -> list[int]:
    """Return the digits that each cell may have: its own where it is filled, all where it is empty."""
    return [1 << (digit - 1) if digit else (1 << size) - 1 for digit in cells]


def _rows(size: int, cells: tuple[int, ...]) -> tuple[str, ...]:
    return tuple("".join(map(str, cells[start : start + size])) for start in range(0, size * size, size))


def _text(facts: Facts) -> str:
    size = facts.size
    grid = "\n".join(" ".join(row).replace("0", ".") for row in _rows(size, facts.cells))
    return "\n".join(
        [
            f"Заполните судоку {size}×{size}: в каждой строке, в каждом столбце и в каждом блоке "
            f"{_BOX_NAMES[size]} каждая цифра от 1 до {size} встречается ровно один раз. "
            "Точкой обозначена пустая клетка.",
            grid,
            "Ответ запишите одной строкой: строки сетки сверху вниз, цифры внутри строки без пробелов, строки "
            "через пробел.",
            last_line("строки через пробел"),
        ]
    )


FAMILY = Family("sudoku", "Судоку", generate, solve, answer)
