"""lm-eval both ways.

bridge     its tasks here: ``--tasks lm_eval:NAME``
provider   ours there: ``lm_eval --tasks evalkit_NAME``
export     runs as its results and samples files
aliases    its command lines, translated
"""

from __future__ import annotations

from pathlib import Path

FEWSHOT_SEED = 1234
"""lm-eval's default seed for drawing few-shot examples."""


def tasks_folder() -> Path:
    """Return the folder for lm-eval's ``--include_path``, from which it can run evalkit's tasks."""
    return Path(__file__).parent / "tasks"
