"""ruIFEval: verifiable instructions in Russian, strict and loose."""

from .task import RuIFEval, ruifeval, ruifeval_fixed, ruifeval_mini

__all__ = ["RuIFEval", "ruifeval", "ruifeval_fixed", "ruifeval_mini"]
