"""Showing: runs in, one offline HTML out."""

from __future__ import annotations

from .data import report_data
from .leaderboard import write_leaderboard
from .learning import write_learning
from .learning_files import is_learning
from .render import write_report

__all__ = ["is_learning", "report_data", "write_leaderboard", "write_learning", "write_report"]
