"""The families of puzzles, one module each."""

from __future__ import annotations

from ..puzzle import Family
from . import (
    bulls,
    calendar,
    kinship,
    knights,
    ordering,
    sequences,
    statements,
    sudoku,
    syllogisms,
    weighing,
    zebra,
)

_MODULES = (
    *(knights, zebra, syllogisms, kinship, sequences, calendar),
    *(sudoku, weighing, ordering, statements, bulls),
)

FAMILIES: dict[str, Family] = {module.FAMILY.name: module.FAMILY for module in _MODULES}
"""All families by name, in the order in which a test set takes turns at them."""
