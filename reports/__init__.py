"""Offline HTML reports of runs and trainings."""

from __future__ import annotations

from .data.learning_files import is_learning
from .data.runs import report_data
from .pages.leaderboard import write_leaderboard
from .pages.learning import write_learning
from .pages.report import write_report

__all__ = ["is_learning", "report_data", "write_leaderboard", "write_learning", "write_report"]
