"""All solutions of a finite constraint problem: backtracking with propagation, nothing left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class ConstraintProblem:
    """Variables with the values 0 … ``size - 1`` and constraints between pairs of them."""

    def __init__(self, variables: int, size: int) -> None:
        self.size = size
        self.domains = [(1 << size) - 1] * variables
        self._tables: list[dict[int, list[int]]] = [{} for _ in range(variables)]

    def restrict(self, variable: int, allowed: Callable[[int], bool]) -> None:
        """Keep only the allowed values of one variable."""
        self.domains[variable] &= sum(1 << value for value in range(self.size) if allowed(value))

    def relate(self, one: int, other: int, allowed: Callable[[int, int], bool]) -> None:
        """Demand that the values of two different variables are allowed together."""
        values = range(self.size)
        forward = [sum(1 << b for b in values if allowed(a, b)) for a in values]
        backward = [sum(1 << a for a in values if allowed(a, b)) for b in values]
        for source, target, masks in ((one, other, forward), (other, one, backward)):
            known = self._tables[source].get(target)
            self._tables[source][target] = (
                [a & b for a, b in zip(known, masks, strict=True)] if known is not None else masks
            )

    def all_different(self, variables: Sequence[int]) -> None:
        """Demand that no two of the variables have the same value."""
        masks = [((1 << self.size) - 1) ^ (1 << value) for value in range(self.size)]
        for one in variables:
            for other in variables:
                if one != other:
                    known = self._tables[one].get(other, masks)
                    self._tables[one][other] = [a & b for a, b in zip(known, masks, strict=True)]

    def solutions(
        self,
        limit: int | None = None,
        *,
        domains: Sequence[int] | None = None,
        values: Sequence[int] | None = None,
    ) -> list[tuple[int, ...]]:
        """Return the values of the variables in every solution, or in the first ``limit`` found.

        ``domains`` are bit masks of the values allowed, in place of the problem's own; ``values`` is the order in
        which values are tried.
        """
        domains = list(self.domains if domains is None else domains)
        found: list[tuple[int, ...]] = []
        if all(domains) and self._settle(domains, [v for v, mask in enumerate(domains) if _single(mask)]):
            self._search(domains, found, limit, values or range(self.size))
        return found

    def _search(
        self, domains: list[int], found: list[tuple[int, ...]], limit: int | None, values: Sequence[int]
    ) -> None:
        open_variables = [v for v, mask in enumerate(domains) if not _single(mask)]
        if not open_variables:
            found.append(tuple(mask.bit_length() - 1 for mask in domains))
            return
        variable = min(open_variables, key=lambda v: domains[v].bit_count())
        for value in values:
            if domains[variable] >> value & 1:
                branch = list(domains)
                branch[variable] = 1 << value
                if self._settle(branch, [variable]):
                    self._search(branch, found, limit, values)
                    if limit is not None and len(found) >= limit:
                        return

    def _settle(self, domains: list[int], settled: list[int]) -> bool:
        """Carry the consequences of settled variables; False when some variable has no value left."""
        while settled:
            variable = settled.pop()
            value = domains[variable].bit_length() - 1
            for other, masks in self._tables[variable].items():
                before = domains[other]
                after = before & masks[value]
                if after != before:
                    if not after:
                        return False
                    domains[other] = after
                    if _single(after):
                        settled.append(other)
        return True


def _single(mask: int) -> bool:
    return mask & (mask - 1) == 0
