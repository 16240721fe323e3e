"""The one HTML file: it opens from a memory stick, asks for nothing, and text in it can become nothing but text.

Names and numbers are written by jinja2 with autoescape. Prompts and answers travel as gzip in base64, are
unpacked by the page's only script and reach the page as text nodes alone. The Content-Security-Policy permits
this script and the one style sheet by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import jinja2
import yaml
from markupsafe import Markup

from .. import __version__
from ..errors import RunError, UsageError
from ..evals.store import encode, replacing
from . import charts
from .data import report_data

Language = Literal["en", "ru"]

TEMPLATES = Path(__file__).parent / "templates"

# First and last code points of what a reader would not see, or what would turn the text around it: C0 and C1
# controls but tab and line feed, soft hyphen, bidirectional controls, zero-width characters, fillers, lone
# surrogates, interlinear marks, language tags. In samples the script spares the zero-width joiner of an emoji.
INVISIBLE = (
    (0x0, 0x8), (0xB, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
_INVISIBLE = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in INVISIBLE) + "]")


def write_report(runs: Sequence[Path], output: Path, *, language: Language = "en") -> Path:
    """Write one HTML file about one or several runs, and return its path.

    Equal runs give equal bytes. ``output`` may be a folder: the file is then ``report.html`` in it.

    Raises:
        UsageError: no run, the same run twice, or an unknown language.
        InputError: a directory is not a run, or a file in it is damaged.
        RunError: the file cannot be written.
    """
    path = Path(output)
    if path.is_dir():
        path = path / "report.html"
    page = render(report_data(runs), language=language)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {path.parent}: {error.strerror or error}; give another --output") from error
    with replacing(path) as file:
        file.write(page.encode())
    return path


def render(data: Mapping[str, Any], *, language: Language = "en") -> str:
    """Turn `report_data` into the text of an HTML file.

    Raises:
        UsageError: the language is not one of those in ``templates/strings.yaml``.
    """
    strings = _strings(language)
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = (TEMPLATES / "script.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(Numbers(strings).filters())
    environment.globals.update(axis=charts.axis, intervals=charts.intervals, swatch=charts.swatch)
    page = environment.get_template("report.html.j2").render(
        **{key: value for key, value in data.items() if key != "samples"},
        t=strings,
        language=language,
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        config=_config(data, strings, language),
        payload=_pack(data["samples"]),
        sample_count=len(data["samples"]),
    )
    return make_visible(page)


def make_visible(text: str) -> str:
    """Replace characters that a reader would not see by their names, as in ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def _strings(language: str) -> dict[str, Any]:
    languages: dict[str, dict[str, Any]] = yaml.safe_load((TEMPLATES / "strings.yaml").read_text(encoding="utf-8"))
    if language not in languages:
        raise UsageError(f"no report in the language {language!r}; there is {', '.join(sorted(languages))}")
    return languages[language]


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _config(data: Mapping[str, Any], strings: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Collect what the script needs beside the samples."""
    return {
        "language": language,
        "runs": [run["label"] for run in data["runs"]],
        "tasks": [{"name": task["name"], "title": task["title"]} for task in data["tasks"]],
        "invisible": INVISIBLE,
        "strings": {**strings["samples"], "statuses": strings["statuses"]},
    }


def _pack(samples: Sequence[Mapping[str, Any]]) -> str:
    # The answers to one prompt stand together, within the 32 KB that gzip looks back: that is where text repeats.
    return base64.b64encode(gzip.compress(encode(samples), compresslevel=9, mtime=0)).decode()


class Numbers:
    """How numbers and times are written in one language; ``None`` is a dash."""

    def __init__(self, strings: Mapping[str, Any]) -> None:
        self._style = strings["numbers"]
        self._dash = "—"

    def filters(self) -> dict[str, Any]:
        """Return the jinja2 filters by name."""
        return {
            "percent": self.percent,
            "interval": self.interval,
            "count": self.count,
            "duration": self.duration,
            "money": self.money,
            "moment": self.moment,
        }

    def percent(self, share: float | None) -> str:
        """Write a share in [0, 1] as per cent with one decimal: ``52.7%``."""
        return self._dash if share is None else self._decimal(share) + self._style["percent"]

    def interval(self, point: Mapping[str, Any] | None) -> str:
        """Write ``low`` and ``high`` in per cent without the sign: ``48.4–56.9``."""
        if not point or point.get("low") is None or point.get("high") is None:
            return self._dash
        return f"{self._decimal(point['low'])}–{self._decimal(point['high'])}"

    def count(self, number: float | None) -> str:
        """Write a whole number with its thousands apart."""
        return self._dash if number is None else f"{number:,.0f}".replace(",", self._style["thousands"])

    def duration(self, seconds: float | None) -> str:
        """Write seconds with the two largest units that they fill."""
        if seconds is None:
            return self._dash
        units: dict[str, str] = self._style["units"]
        total = round(seconds)
        hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
        if hours:
            return f"{hours} {units['hour']} {minutes} {units['minute']}"
        if minutes:
            return f"{minutes} {units['minute']} {rest} {units['second']}"
        return f"{seconds:.1f}".replace(".", self._style["decimal"]) + f" {units['second']}"

    def money(self, cost: Mapping[str, Any] | None) -> str:
        """Write what is known of a cost by currency; ``≥`` where the cost of some requests is unknown."""
        if not cost or not cost["known_cost"]:
            return self._dash
        amounts = (
            f"{amount:.{2 if amount >= 1 else 4}f}".replace(".", self._style["decimal"])
            + f"\N{NO-BREAK SPACE}{currency}"
            for currency, amount in cost["known_cost"].items()
        )
        return ("≥ " if cost["cost"] is None else "") + ", ".join(amounts)

    def moment(self, text: str | None) -> str:
        """Write an ISO 8601 moment in UTC to the minute; anything else as it stands."""
        if not text:
            return self._dash
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")

    def _decimal(self, share: float) -> str:
        return f"{share * 100:.1f}".replace(".", self._style["decimal"])
