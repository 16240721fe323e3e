"""Rendering of a self-contained HTML page in which model output is always inert.

Jinja2 with autoescape writes names and numbers. Prompts and answers are compressed, unpacked by the page's only
script and inserted as text nodes, or as the HTML that `rich_text` sanitised. The Content-Security-Policy allows
this script and the style sheet by their hashes, and the shards of a large report beside the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..._version import __version__
from ...files import replacing
from ..language.words import Language, words_in
from .assets import math_font, policy, script_text, style_text
from .environment import environment_in
from .packing import LARGEST_FILE, Packed, make_folder, pack, shard_folder, write_shards
from .rich_text import ATTRIBUTES, HTML, MATHML

# Ranges of invisible code points and of those that reorder text: C0 and C1 controls except tab and line feed, soft
# hyphen, bidirectional controls, zero-width characters, fillers, lone surrogates, interlinear marks, language
# tags. In samples the script keeps the zero-width joiner of emoji.
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
        path = path / Path(template).name.removesuffix(".j2")
    packed = pack(samples, data.get("outcomes", ()))
    page = render_page(template, data, packed, language).encode() if packed.size < LARGEST_FILE else b""
    is_large = not page or len(page) > LARGEST_FILE
    if is_large:
        page = render_page(template, data, packed, language, shard_folder(path).name).encode()
    make_folder(path.parent)
    write_shards(path, packed.shards if is_large else ())
    with replacing(path) as file:
        file.write(page)
    return path


def render_page(
    template: str, data: Mapping[str, Any], packed: Packed, language: Language, folder: str = ""
) -> str:
    """Render a page with its samples, which lie in a ``folder`` beside it if there is one.

    Raises:
        UsageError: an unknown language.
    """
    return _render(
        template,
        language,
        style_text() + (math_font() if packed.has_formulas else ""),
        script_text(),
        has_font=packed.has_formulas,
        has_shards=bool(folder),
        **{key: value for key, value in data.items() if key != "samples"},
        config=_config(data, language, folder),
        payload="\n".join([packed.index, *(() if folder else packed.shards)]),
        sample_count=packed.count,
    )


def render_plain(template: str, language: Language, **context: Any) -> str:
    """Render a page without samples; its only script reloads it.

    Raises:
        UsageError: an unknown language.
    """
    return _render(template, language, style_text(), script_text(("shared/refresh.js",)), **context)


def _render(
    template: str,
    language: Language,
    style: str,
    script: str,
    *,
    has_font: bool = False,
    has_shards: bool = False,
    **context: Any,
) -> str:
    page = environment_in(language).get_template(template)
    return make_visible(
        page.render(
            **context,
            t=words_in(language),
            language=language,
            version=__version__,
            style=Markup(style),
            script=Markup(script),
            policy=policy(style, script, has_font=has_font, has_shards=has_shards),
        )
    )


def make_visible(text: str) -> str:
    """Replace invisible characters by their code points, as in ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def _config(data: Mapping[str, Any], language: Language, folder: str) -> dict[str, Any]:
    """Return the configuration of the page's script."""
    words = words_in(language)
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
        "strings": {**words["samples"], "statuses": words["statuses"]},
    }
