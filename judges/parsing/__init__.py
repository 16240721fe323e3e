"""Reading verdicts: one parser for ratings, labels, points and tables of criteria."""

from .parse import parse_verdict
from .verdict import CODE, KINDS, PARSER_VERSION, Kind, Verdict, VerdictStatus

__all__ = ["CODE", "KINDS", "PARSER_VERSION", "Kind", "Verdict", "VerdictStatus", "parse_verdict"]
