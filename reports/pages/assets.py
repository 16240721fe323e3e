"""Styles, scripts and the font of pages, and the Content-Security-Policy that allows only these."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parents[1] / "templates"

STYLES: Final = (
    "shared/colours.css", "shared/page.css", "shared/progress.css", "shared/tables.css", "shared/charts.css",
    "report/report.css", "samples/samples.css", "samples/rich.css", "leaderboard/leaderboard.css",
    "learning/learning.css", "shared/print.css",
)  # fmt: skip
"""In this order: of rules with equal specificity the last one applies."""

SCRIPTS: Final = (
    "samples/text.js", "samples/differences.js", "samples/answers.js", "samples/parts.js", "samples/verdicts.js",
    "samples/explorer.js", "samples/shards.js", "samples/outcomes.js", "samples/filters.js", "samples/list.js",
    "samples/detail.js", "samples/moving.js", "samples/start.js", "leaderboard/rows.js", "shared/refresh.js",
)  # fmt: skip
"""In this order: a part may use those before it while it loads."""


def style_text() -> str:
    """Return the one style sheet of all pages."""
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in STYLES)


def script_text(names: Sequence[str] = SCRIPTS) -> str:
    """Return the one script of a page."""
    parts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in names]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def math_font() -> str:
    """Return the CSS rule with the embedded font for formulas."""
    # Without a font that has a MATH table Chromium drops radicals: √(b²−4ac) would read as b²−4ac.
    font = base64.b64encode((TEMPLATES / "shared" / "math.woff2").read_bytes()).decode()
    return (
        f'@font-face {{ font-family: "Report Math"; src: url(data:font/woff2;base64,{font}) format("woff2"); }}\n'
    )


def policy(style: str, script: str, *, has_font: bool, has_shards: bool) -> str:
    """Return the Content-Security-Policy of a page: this style, this script, and its shards, if any."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'" + (" 'self'" if has_shards else ""),
            f"style-src '{_hash(style)}'",
            "img-src data:",
            *(("font-src data:",) if has_font else ()),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
