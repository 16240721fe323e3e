"""evalkit: measure a Russian-language LLM, learn from the measurement, show the difference.

What the command line does is a Python call: `run`, `score`, `rescore`, `validate`, `compare`, `train`, `loop`,
`select`, `write_report`, `write_leaderboard`, `write_learning`; `parse_verdict` reads what a judge wrote.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

__all__ = [
    "__version__",
    "compare",
    "loop",
    "parse_verdict",
    "rescore",
    "run",
    "score",
    "select",
    "train",
    "validate",
    "write_leaderboard",
    "write_learning",
    "write_report",
]

if TYPE_CHECKING:
    from .evals.compare import compare_runs as compare
    from .evals.rescore import rescore
    from .evals.run import run
    from .evals.score import score
    from .evals.validate import validate
    from .judges import parse_verdict
    from .reports import write_leaderboard, write_learning, write_report
    from .trainer.loop import loop
    from .trainer.select import select
    from .trainer.train import train

_WHERE = {
    "compare": (".evals.compare", "compare_runs"),
    "loop": (".trainer.loop", "loop"),
    "parse_verdict": (".judges", "parse_verdict"),
    "rescore": (".evals.rescore", "rescore"),
    "run": (".evals.run", "run"),
    "score": (".evals.score", "score"),
    "select": (".trainer.select", "select"),
    "train": (".trainer.train", "train"),
    "validate": (".evals.validate", "validate"),
    "write_leaderboard": (".reports", "write_leaderboard"),
    "write_learning": (".reports", "write_learning"),
    "write_report": (".reports", "write_report"),
}


def __getattr__(name: str) -> Any:
    # Lazily, so that `evalkit --help` does not import pandas.
    if name in _WHERE:
        module, attribute = _WHERE[name]
        return getattr(import_module(module, __name__), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # The lazy names too, for completion in a shell or a notebook.
    return sorted({*globals(), *__all__})
