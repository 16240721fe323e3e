"""LLM judges: prompts (forms), verdict parsing, juries, pairwise comparison, and the verdict cache."""

from .parsing import PARSER_VERSION, Verdict, VerdictStatus, parse_verdict

__all__ = ["PARSER_VERSION", "Verdict", "VerdictStatus", "parse_verdict"]
