"""The SVG elements that figures are made of."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape


def coordinate(value: float) -> str:
    """Format a coordinate with up to two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return an SVG element; text children are escaped.

    Attributes keep their order: ``text_anchor`` becomes ``text-anchor``, ``class_`` becomes ``class``. Numbers are
    formatted as coordinates, None is omitted.
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else coordinate(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(map(escape, children))
    return Markup(f"<{tag}{named}>{inside}</{tag}>" if children else f"<{tag}{named}/>")


def text(
    x: float | str, y: float | str, words: str, anchor: str | None = None, *, kind: str | None = None
) -> Markup:
    """Return a text element; ``anchor`` is start, middle or end."""
    return element("text", words, class_=kind, x=x, y=y, text_anchor=anchor)


def figure(kind: str, width: float, height: float, parts: Iterable[str]) -> Markup:
    """Return an SVG of ``width`` × ``height`` units, hidden from screen readers; ``kind`` are its classes."""
    size = f"0 0 {coordinate(width)} {coordinate(height)}"
    return element("svg", Markup().join(parts), class_=kind, viewBox=size, aria_hidden="true")


def corners(points: Iterable[tuple[float, float]]) -> str:
    """Format the points of a polygon."""
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
