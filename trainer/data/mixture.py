"""Prompts of several families (math, code, science, logic, instructions) in the proportions of their weights.

The order is a function of the seed and of a small state that goes into a checkpoint: every prefix of it holds the
proportions as nearly as whole numbers can, and each family's prompts come in a new random order each time around.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...errors import UsageError


@dataclass(frozen=True, slots=True)
class Family:
    """A source of prompts: how many it has, and its share of the mixture relative to the others'."""

    name: str
    size: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """Families with their weights, and the seed of their order.

    Raises:
        UsageError: no families, two of one name, an empty one with a weight, or weights that are no shares.
    """

    families: tuple[Family, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        names = [family.name for family in self.families]
        for family in self.families:
            if names.count(family.name) > 1:
                raise UsageError(f"mixture: two families are named '{family.name}'")
            if not (math.isfinite(family.weight) and family.weight >= 0):
                raise UsageError(f"mixture: the weight of '{family.name}' is a number >= 0, not {family.weight!r}")
            if family.weight > 0 and family.size < 1:
                raise UsageError(f"mixture: '{family.name}' has a weight and no prompts")
        if not any(family.weight > 0 for family in self.families):
            raise UsageError("mixture: at least one family needs a weight above 0")

    def draw(self, drawn: Mapping[str, int], count: int) -> tuple[list[tuple[str, int]], dict[str, int]]:
        """Draw the next prompts.

        Args:
            drawn: how many were drawn of each family before, by its name.
            count: how many to draw.

        Returns:
            (family, index of its prompt) ``count`` times, and how many are then drawn of each family.
        """
        counts = {family.name: drawn.get(family.name, 0) for family in self.families}
        families = [family for family in self.families if family.weight > 0]
        chosen = []
        for _ in range(count):
            # The one that is furthest behind its share, were it to come next (Webster's method of apportionment).
            family = min(families, key=lambda family: (counts[family.name] + 0.5) / family.weight)
            epoch, position = divmod(counts[family.name], family.size)
            chosen.append((family.name, _order(self.seed, family.name, epoch, family.size)[position]))
            counts[family.name] += 1
        return chosen, counts


@lru_cache(maxsize=16)
def _order(seed: int, name: str, epoch: int, size: int) -> list[int]:
    order = list(range(size))
    random.Random(f"{seed}/{name}/{epoch}").shuffle(order)
    return order
