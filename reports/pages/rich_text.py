"""Model output as sanitised HTML: Markdown, formulas as MathML, highlighted code.

Text is rendered in Python and sanitised with the allow-lists below, which the page's script applies again. The raw
text, which was scored, stays available.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

# Markdown parsers take quadratic time on some texts; beyond these limits a text is shown as plain text.
LONGEST_TEXT: Final = 20_000
MOST_BRACKETS: Final = 400
LONGEST_FORMULA: Final = 1_000
MOST_FORMULAS: Final = 200
LONGEST_CODE: Final = 10_000

MATHML: Final = frozenset(
    {
        "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded",
        "mphantom", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts",
        "mtable", "mtr", "mtd", "menclose",
    }
)  # fmt: skip
HTML: Final = frozenset(
    {
        "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h5", "h6", "table",
         "thead", "tbody", "tr", "th", "td", "span",
    }
)  # fmt: skip
ATTRIBUTES: Final = {
    "ol": {"start"},
    "span": {"class"},
    "math": {"display"},
    "mo": {"stretchy", "fence", "separator", "form", "largeop", "movablelimits", "symmetric"},
    "mi": {"mathvariant"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mfrac": {"linethickness"},
    "mspace": {"width"},
    "mtable": {"columnalign", "rowspacing", "columnspacing"},
    "mtd": {"columnalign", "columnspan"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "munderover": {"accent", "accentunder"},
}

_MARKED_UP = re.compile(r"[*_`#|$\\]|^[ \t]*+(?:[-+>]|\d++[.)])[ \t]|^[ \t]*+(?:---|===)|~~", re.MULTILINE)
# Amounts of money are not formulas: recognised by a digit after the closing dollar or a space inside.
_CLOSERS: Final = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}


def rich(text: str) -> str | None:
    r"""Return a text as sanitised HTML, or None if it has no markup.

    Texts longer than `LONGEST_TEXT` characters give None. Formulas stand between ``$…$``, ``$$…$$``,
    ``\(…\)`` or ``\[…\]``; one that cannot be parsed is shown as source. Links and images
    are reduced to their text. Equal texts give equal HTML.
    """
    if len(text) > LONGEST_TEXT or not _MARKED_UP.search(text):
        return None
    if text.count("[") + text.count("]") > MOST_BRACKETS or re.search(r"[>*_`]{200}", text):
        return None
    import nh3

    environment: dict[str, Any] = {"formulas": 0}
    try:
        made = _parser().render(text, environment)
    except RecursionError:
        return None
    return nh3.clean(
        made,
        tags=set(HTML | MATHML),
        clean_content_tags={"script", "style"},
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        link_rel=None,
        strip_comments=True,
    ).strip()


def formula(source: str, *, display: bool) -> str | None:
    """Return a formula as MathML, not yet sanitised; None if it cannot be parsed."""
    if len(source) > LONGEST_FORMULA or source.count("{") > 120:
        return None
    from latex2mathml.converter import convert

    try:
        return convert(source, display="block" if display else "inline")
    except Exception:  # the converter raises various errors on malformed formulas, including RecursionError
        return None


def code(source: str, language: str) -> str | None:
    """Return source code as spans with the classes of Pygments, not yet sanitised; None for an unknown language."""
    if len(source) > LONGEST_CODE:
        return None
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language.lower() or "text")
    except ClassNotFound:
        return None
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True)))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from markdown_it.common.utils import escapeHtml

    # Raw HTML is shown as text; images would be fetched.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    parser.disable("image")
    parser.inline.ruler.before("escape", "formula", _inline_formula)
    parser.block.ruler.before("fence", "formula", _block_formula, {"alt": ["paragraph", "list", "blockquote"]})

    def render_formula(self: Any, tokens: Any, at: int, options: Any, environment: Any) -> str:
        token = tokens[at]
        environment["formulas"] += 1
        made = formula(token.content, display=token.block) if environment["formulas"] <= MOST_FORMULAS else None
        shown = made or f"<code>{escapeHtml(token.markup + token.content + _CLOSERS[token.markup])}</code>"
        return f"<p>{shown}</p>\n" if token.meta.get("paragraph") else shown

    def render_code(self: Any, tokens: Any, at: int, options: Any, environment: Any) -> str:
        token = tokens[at]
        words = token.info.split()
        coloured = code(token.content, words[0]) if words else None
        return f"<pre><code>{coloured or escapeHtml(token.content)}</code></pre>\n"

    def lower_heading(self: Any, tokens: Any, at: int, options: Any, environment: Any) -> str:
        # Four levels of headings stand above an answer's own.
        token = tokens[at]
        return f"<{'/' * (token.nesting < 0)}h{min(int(token.tag[1:]) + 4, 6)}>"

    parser.add_render_rule("formula", render_formula)
    parser.add_render_rule("heading_open", lower_heading)
    parser.add_render_rule("heading_close", lower_heading)
    parser.add_render_rule("fence", render_code)
    return parser


def _inline_formula(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    opener = next((mark for mark in _CLOSERS if source.startswith(mark, start)), None)
    if opener is None or (opener != "$" and start and source[start - 1] == "\\" and opener[0] == "\\"):
        return False
    closer = _CLOSERS[opener]
    begin = start + len(opener)
    # A search bounded by the longest formula, so that many openers cost linear time.
    end = source.find(closer, begin, begin + LONGEST_FORMULA + len(closer))
    if end <= begin or end > state.posMax - len(closer):
        return False
    content = source[begin:end]
    after = source[end + 1 : end + 2]
    if opener == "$" and (content[0].isspace() or content[-1].isspace() or after.isdigit() or "\n\n" in content):
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup, token.block = content.strip(), opener, opener in ("$$", "\\[")
    state.pos = end + len(closer)
    return True


def _block_formula(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Parse a formula that starts a line and may span several; a blank line before its end makes it plain text."""
    start = state.bMarks[first] + state.tShift[first]
    opener = next((mark for mark in ("$$", "\\[") if state.src.startswith(mark, start)), None)
    if opener is None or state.is_code_block(first):
        return False
    lines: list[str] = []
    for line in range(first, last):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
        if not text.strip() or len(lines) > 60:
            return False
        lines.append(text[len(opener) :] if line == first else text)
        head, closer, rest = lines[-1].partition(_CLOSERS[opener])
        if closer:
            if rest.strip(" \t.,;:"):
                return False
            if not silent:
                token = state.push("formula", "math", 0)
                token.content, token.markup, token.block = "\n".join([*lines[:-1], head]).strip(), opener, True
                token.map = [first, line + 1]
                token.meta = {"paragraph": True}
                state.line = line + 1
            return True
    return False
