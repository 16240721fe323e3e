"""From ``best_of(n=4)`` to the solver."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Final

from ...errors import UsageError
from .base import Solver
from .candidates import BestOf, MultiAgent, Vote
from .single import ChainOfThought, Single

MOST_DRAFTS: Final = 256
_DRAFTING: Final[dict[str, Callable[[int], Solver]]] = {"best_of": BestOf, "vote": Vote, "multi_agent": MultiAgent}
_DRAFTS: Final = 4
_NAME: Final = re.compile(r"(\w+)(?:\((?:n=)?(\d{1,6})\))?")

SOLVERS: Final = ("single", "cot", *(f"{name}(n={_DRAFTS})" for name in _DRAFTING))


def open_solver(text: str) -> Solver:
    """Return the solver of that name: ``single``, ``cot``, ``best_of(n=4)``, ``vote(8)``, ``multi_agent``.

    Raises:
        UsageError: no such solver, or a number of drafts that makes no sense.
    """
    found = _NAME.fullmatch(text.replace(" ", ""))
    name, number = (found[1], found[2]) if found else (text, None)
    if name in ("single", "cot") and number is None:
        return Single() if name == "single" else ChainOfThought()
    if name in _DRAFTING:
        drafts = int(number) if number is not None else _DRAFTS
        if not 2 <= drafts <= MOST_DRAFTS:
            raise UsageError(f"--solver {text}: n must be between 2 and {MOST_DRAFTS}")
        return _DRAFTING[name](drafts)
    names = ["single", "cot", *_DRAFTING]
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"--solver {text}: there is {', '.join(SOLVERS)}. {hint}".rstrip())
