"""Problems in Russian with known answers, generated for training and for tests.

A family makes problems that are alike but for their numbers, and works the answer out exactly. The families are
split: those of ``train`` and of ``test`` share nothing, so that what is measured is not what was practised.
"""

from .generate import FAMILIES, generate

__all__ = ["FAMILIES", "generate"]
