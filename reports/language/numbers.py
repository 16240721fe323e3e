"""Formatting of numbers and times in one language; unknown values are a dash."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, log10
from typing import Any, Final

_FILTERS: Final = (
    "percent", "value", "interval", "difference", "reach", "p_value", "decimal", "count", "duration", "money",
    "moment", "significant",
)  # fmt: skip
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Numbers:
    """Formats numbers and times in one language; ``None`` is a dash."""

    def __init__(self, strings: Mapping[str, Any]) -> None:
        self._style = strings["numbers"]
        self._dash = "—"

    def filters(self) -> dict[str, Any]:
        """Return the jinja2 filters by name."""
        named = {name: getattr(self, name) for name in _FILTERS}
        return {**named, "money_amount": lambda cost: sum(cost.values())}

    def _localized(self, text: str) -> str:
        """Replace the decimal point and the minus sign of a formatted number by those of the language."""
        return text.replace("-", "−").replace(".", self._style["decimal"])

    def percent(self, share: float | None) -> str:
        """Write a share in [0, 1] as per cent with one decimal: ``52.7%``."""
        return self._dash if share is None else self._decimal(share) + self._style["percent"]

    def value(self, point: Mapping[str, Any] | None, unit: str = "share") -> str:
        """Write the ``value`` of a point in its unit: ``52.7%``, or ``8.21`` for other numbers."""
        number = point.get("value") if point else None
        return self.percent(number) if unit == "share" else self.decimal(number)

    def interval(self, point: Mapping[str, Any] | None, unit: str = "share") -> str:
        """Write ``low`` and ``high``, shares in per cent without the sign: ``48.4–56.9``."""
        if not point or point.get("low") is None or point.get("high") is None:
            return self._dash
        write = self._decimal if unit == "share" else self.decimal
        return f"{write(point['low'])}–{write(point['high'])}"

    def difference(self, point: Mapping[str, Any] | None, unit: str = "share") -> str:
        """Write a difference with its sign and interval, shares in percentage points: ``+3.1 [−0.4, +6.6]``."""
        if not point or point.get("value") is None:
            return self._dash
        value, low, high = (self._signed(point.get(name), unit) for name in ("value", "low", "high"))
        return f"{value} [{low}, {high}]" if point.get("low") is not None else value

    def reach(self, difference: float, unit: str = "share") -> str:
        """Write the size of a difference, of shares in percentage points: ``17.2 points``."""
        if unit != "share":
            return self.decimal(difference)
        return f"{self._decimal(difference)}{self._style['points']}"

    def p_value(self, p: float | None) -> str:
        """Write a p-value with three decimals, the smallest as ``<0.001``."""
        if p is None:
            return self._dash
        return ("<" if p < 0.001 else "") + self._localized(f"{max(p, 0.001):.3f}")

    def decimal(self, number: float | None, digits: int = 2) -> str:
        """Write a number with some decimals."""
        return self._dash if number is None else self._localized(f"{number:.{digits}f}")

    def _signed(self, number: float | None, unit: str) -> str:
        if number is None:
            return self._dash
        text = f"{number * 100:+.1f}" if unit == "share" else f"{number:+.2f}"
        zero = not text.strip("+-0.")
        return self._localized(text.lstrip("+-") if zero else text)

    def significant(self, number: float | None, *, share: bool = False) -> str:
        """Write a number with three significant digits, shares in per cent, tiny ones with a power of ten."""
        if number is None:
            return self._dash
        number = number * 100 if share else number
        unit = self._style["percent"] if share else ""
        size = abs(number)
        if size >= 1000:
            return self.count(number) + unit
        if 0 < size < 0.001:
            digits, _, power = f"{number:.1e}".partition("e")
            text = f"{digits.removesuffix('.0')}·10{str(int(power)).translate(_RAISED)}"
        else:
            text = f"{number:.3g}" if size < 100 else f"{number:.0f}"
        return self._localized(text) + unit

    def tick(self, number: float, step: float, *, share: bool = False, terse: bool = False) -> str:
        """Write the label of a tick on an axis with this ``step``, with as many decimals as the step needs.

        A ``terse`` label has no trailing zeros, and no per cent sign.
        """
        number, step = (number * 100, step * 100) if share else (number, step)
        unit = self._style["percent"] if share and not terse else ""
        if number and step < 0.0005:
            return self.significant(number) + unit
        decimals = max(0, -floor(log10(step) + 1e-9))
        decimals += round(step * 10**decimals, 6) % 1 > 0
        text = f"{number:.{decimals}f}"
        if terse and decimals:
            text = text.rstrip("0").rstrip(".")
        return self._localized(text) + unit

    def count(self, number: float | None) -> str:
        """Write a whole number with separated thousands."""
        if number is None:
            return self._dash
        return f"{number:,.0f}".replace("-", "−").replace(",", self._style["thousands"])

    def duration(self, seconds: float | None) -> str:
        """Write a duration in its two largest units."""
        if seconds is None:
            return self._dash
        units: dict[str, str] = self._style["units"]
        total = round(seconds)
        hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
        if hours:
            return f"{hours} {units['hour']} {minutes} {units['minute']}"
        if minutes:
            return f"{minutes} {units['minute']} {rest} {units['second']}"
        return f"{self.decimal(seconds, 1)} {units['second']}"

    def money(self, cost: Mapping[str, Any] | None) -> str:
        """Write the known cost by currency; ``≥`` where the cost of some requests is unknown."""
        if not cost or not cost["known_cost"]:
            return self._dash
        amounts = (
            f"{self.decimal(amount, 2 if amount >= 1 else 4)}\N{NO-BREAK SPACE}{currency}"
            for currency, amount in cost["known_cost"].items()
        )
        return ("≥ " if cost["cost"] is None else "") + ", ".join(amounts)

    def moment(self, text: str | None) -> str:
        """Write an ISO 8601 time in UTC to the minute; other texts unchanged."""
        if not text:
            return self._dash
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")

    def _decimal(self, share: float) -> str:
        return self.decimal(share * 100, 1)
