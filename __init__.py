"""evalkit: measure a Russian-language LLM, learn from the measurement, show the difference.

What the command line does is a Python call: `run`, `score`, `write_report`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "run", "score", "write_report"]

if TYPE_CHECKING:
    from .evals.run import run
    from .evals.score import score
    from .reports import write_report

_WHERE = {"run": ".evals.run", "score": ".evals.score", "write_report": ".reports"}


def __getattr__(name: str) -> Any:
    # Lazily, so that `evalkit --help` does not import pandas.
    if name in _WHERE:
        return getattr(import_module(_WHERE[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
