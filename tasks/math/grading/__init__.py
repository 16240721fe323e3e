"""Whether a model's answer to a mathematical problem is the right one.

`grade` is the whole of it: it finds the final answer in the text, reads it in Russian and English notation, in
LaTeX and as typed, and compares it with the gold answer.
"""

from __future__ import annotations

from .echo import given_back
from .extracting.final_answer import extract
from .grader import grade, same
from .pool import close_workers
from .verdict import Grade, Verdict

__all__ = ["Grade", "Verdict", "close_workers", "extract", "given_back", "grade", "same"]
