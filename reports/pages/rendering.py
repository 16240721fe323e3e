"""The one HTML file: it opens from a memory stick, asks for nothing, and text in it can become nothing but text.

Names and numbers are written by jinja2 with autoescape. Prompts and answers travel as gzip in base64, are
unpacked by the page's only script and reach the page as text nodes, or as what `rich_text` made of them. The
Content-Security-Policy permits this script and the one style sheet by their hashes, and nothing else but the shards
of a large report, which lie beside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from ..._version import __version__
from ...errors import RunError
from ...files import replacing
from ..charts import axes, curves, intervals
from ..language.numbers import Numbers
from ..language.words import Language, words_in
from .packing import LARGEST_FILE, Packed, pack, shard_folder, write_shards
from .rich_text import ATTRIBUTES, HTML, MATHML

TEMPLATES = Path(__file__).parents[1] / "templates"
SCRIPTS = ("script_text.js", "script_answers.js", "script_samples.js", "script_tables.js", "script_refresh.js")

MOST_OUTLINES: Final = 6
"""Models on a radar: more could not be told apart by eye."""

REFRESH_SECONDS: Final = 10
"""How often a page about work that goes on loads itself afresh."""

# First and last code points of what a reader would not see, or what would turn the text around it: C0 and C1
# controls but tab and line feed, soft hyphen, bidirectional controls, zero-width characters, fillers, lone
# surrogates, interlinear marks, language tags. In samples the script spares the zero-width joiner of an emoji.
INVISIBLE = (
    (0x0, 0x8), (0xB, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
_INVISIBLE = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in INVISIBLE) + "]")


def write_page(
    template: str, data: Mapping[str, Any], samples: Iterable[Mapping[str, Any]], output: Path, language: Language
) -> Path:
    """Render a page with its samples and write it, with shards beside it if it is large; return its path.

    Raises:
        UsageError: an unknown language.
        RunError: a file cannot be written.
    """
    path = Path(output)
    if path.is_dir():
        path = path / template.removesuffix(".j2")
    packed = pack(samples, data.get("outcomes", ()))
    page = _render(template, data, packed, language, "").encode() if packed.size < LARGEST_FILE else b""
    is_large = not page or len(page) > LARGEST_FILE
    if is_large:
        page = _render(template, data, packed, language, shard_folder(path).name).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {path.parent}: {error.strerror or error}; give another --output") from error
    write_shards(path, packed.shards if is_large else ())
    with replacing(path) as file:
        file.write(page)
    return path


def render(data: Mapping[str, Any], *, language: Language = "en") -> str:
    """Turn `report_data` into the text of an HTML file that holds all its samples.

    Raises:
        UsageError: an unknown language.
    """
    return _render("report.html.j2", data, pack(data["samples"], data["outcomes"]), language, "")


def render_plain(template: str, language: Language, **context: Any) -> str:
    """Render a page that shows no samples; its only script is the one that loads it afresh.

    Raises:
        UsageError: an unknown language.
    """
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = script_text(("script_refresh.js",))
    page = (
        _environment(language)
        .get_template(template)
        .render(
            **context,
            t=words_in(language),
            language=language,
            version=__version__,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script, has_font=False, has_shards=False),
        )
    )
    return make_visible(page)


def _render(template: str, data: Mapping[str, Any], packed: Packed, language: Language, folder: str) -> str:
    strings = words_in(language)
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    if packed.has_formulas:
        style += _math_font()
    script = script_text()
    page = (
        _environment(language)
        .get_template(template)
        .render(
            **{key: value for key, value in data.items() if key != "samples"},
            t=strings,
            language=language,
            version=__version__,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script, has_font=packed.has_formulas, has_shards=bool(folder)),
            config=_config(data, strings, language, folder),
            payload="\n".join([packed.index, *(() if folder else packed.shards)]),
            sample_count=packed.count,
        )
    )
    return make_visible(page)


@cache
def _environment(language: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = words_in(language)
    numbers = Numbers(words)
    environment.filters.update(numbers.filters())
    environment.globals.update(
        axis=partial(intervals.axis, numbers=numbers),
        intervals=intervals.intervals,
        swatch=axes.swatch,
        plot=partial(_plot, words=words["board"], numbers=numbers),
        radar=partial(_radar, numbers=numbers),
        curve_chart=partial(curves.curve_chart, strings=words, numbers=numbers),
        histogram_chart=partial(curves.histogram_chart, numbers=numbers),
        scale_of=axes.scale_of,
        scale_around_zero=axes.scale_around_zero,
        MOST_OUTLINES=MOST_OUTLINES,
        REFRESH_SECONDS=REFRESH_SECONDS,
    )
    return environment


def _plot(
    board: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], *, words: Mapping[str, Any], numbers: Numbers
) -> Markup:
    """Draw a board's scores against what they cost."""
    plot = board["plot"]
    dots = [
        intervals.Dot(
            entries[point["entry"]]["runs"][0],
            point["x"],
            point["y"],
            entries[point["entry"]]["label"],
            point["best"],
        )
        for point in plot["points"]
    ]
    x_title = plot["currency"] or words["tokens_an_answer"]
    y_title = board["metric_title"] + (", %" if board["unit"] == "share" else "")
    return intervals.scatter(dots, numbers, x_title=x_title, y_title=y_title, unit=board["unit"])


def _radar(
    dimension: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], scale: axes.Scale, *, numbers: Numbers
) -> Markup:
    """Draw the best models of a board by category."""
    outlines = [
        intervals.Outline(
            entries[row["entry"]]["runs"][0],
            entries[row["entry"]]["label"],
            tuple(cell["value"] if cell else None for cell in row["cells"]),
        )
        for row in dimension["rows"][:MOST_OUTLINES]
    ]
    return intervals.radar(outlines, dimension["labels"], numbers, scale)


def script_text(names: Sequence[str] = SCRIPTS) -> str:
    """Return the page's one script, put together of its parts."""
    parts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in names]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def make_visible(text: str) -> str:
    """Replace characters that a reader would not see by their names, as in ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def _math_font() -> str:
    # Without a font that has a MATH table Chromium drops radicals: √(b²−4ac) would read as b²−4ac.
    font = base64.b64encode((TEMPLATES / "math.woff2").read_bytes()).decode()
    return (
        f'@font-face {{ font-family: "Report Math"; src: url(data:font/woff2;base64,{font}) format("woff2"); }}\n'
    )


def _policy(style: str, script: str, *, has_font: bool, has_shards: bool) -> str:
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


def _config(data: Mapping[str, Any], strings: Mapping[str, Any], language: Language, folder: str) -> dict[str, Any]:
    """Collect what the script needs beside the samples."""
    return {
        "language": language,
        "runs": [run["label"] for run in data["runs"]],
        "tasks": [{"name": task["name"], "title": task["title"]} for task in data["tasks"]],
        "invisible": INVISIBLE,
        "folder": folder,
        "elements": {
            "html": {name: sorted(ATTRIBUTES.get(name, ())) for name in sorted(HTML)},
            "mathml": {name: sorted(ATTRIBUTES.get(name, ())) for name in sorted(MATHML)},
        },
        "strings": {**strings["samples"], "statuses": strings["statuses"]},
    }
