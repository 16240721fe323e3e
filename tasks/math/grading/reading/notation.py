r"""One spelling for one sign: Unicode, LaTeX's spaces, fonts and fences become a small plain alphabet."""

from __future__ import annotations

import re

from .words import FUNCTIONS, read_number_words, takes_back

_SIGNS = str.maketrans(
    {
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\t\r~", " "
        ),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\u2061\u2062\ufeff\u00ad", ""),
        **dict.fromkeys("−–—‐‑‒―﹣－", "-"),
        **dict.fromkeys("×·⋅∙✕", r"\cdot "),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("≤⩽≦", r"\le "),
        **dict.fromkeys("≥⩾≧", r"\ge "),
        **dict.fromkeys("∅⌀Ø", r"\emptyset "),
        **dict.fromkeys("°º˚", r"\degree "),
        **dict.fromkeys("«»“”„‟", '"'),
        **dict.fromkeys("‘’′ʼ", "'"),
        **dict.fromkeys("∠△№", " "),
        "√": r"\sqrt ",
        "∛": r"\sqrt[3] ",
        "∜": r"\sqrt[4] ",
        "π": r"\pi ",
        "∞": r"\infty ",
        "≠": r"\ne ",
        "≈": r"\approx ",
        "≃": r"\approx ",
        "≅": r"\approx ",
        "∈": r"\in ",
        "∉": r"\notin ",
        "∪": r"\cup ",
        "⋃": r"\cup ",
        "∩": r"\cap ",
        "±": r"\pm ",
        "∓": r"\mp ",
        "∖": r"\setminus ",
        "∨": r"\vee ",
        "∧": r"\wedge ",
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}",
        "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}",
        "…": "...",
        "，": ",",
        "；": ";",
        "：": ":",
        "（": "(",
        "）": ")",
        "½": " 1/2 ",
        "⅓": " 1/3 ",
        "⅔": " 2/3 ",
        "¼": " 1/4 ",
        "¾": " 3/4 ",
        "⅕": " 1/5 ",
        "⅛": " 1/8 ",
        "₽": " руб ",
        "€": " евро ",
        "ё": "е",
        "Ё": "Е",
    }
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₙ", "0123456789n")
_RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")
_LOWERED_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉ₙ]+")

_CYRILLIC = re.compile("[а-я]", re.IGNORECASE)
_TWO_ROOTS = re.compile(r"₁\s?,\s?₂|_\{?1\s?,\s?2\}?")

_NUMBERED = re.compile(r"(?<![A-Za-zА-Яа-я\\])([A-Za-zху])([1-9])(?=\s*(?:=|\\in|∈))")
_ESCAPED_TWICE = re.compile(r"\\\\(?=[A-Za-z{}])")
_PLAIN = re.compile(r"[0-9A-Za-z ,.+\-*/^()=]*\Z")
_THOUSANDS_IN_LATEX = re.compile(r",\\!\s*(?=\d{3})")
_TIGHT_COMMA = re.compile(r"\{\s*([.,])\s*\}")
_FENCE = re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?")
_ERASED = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|scriptscriptstyle|limits|nolimits|thinspace|hfill)(?![A-Za-z])"
    r"|\\(?:angle|triangle|boxed|fbox|framebox)(?![A-Za-z])"
    r"|\\(?:bf|it|rm|sf|tt|sl|sc|em|bfseries|itshape|boldmath|tiny|scriptsize|footnotesize|small|normalsize)(?![A-Za-z])"
    r"|\\(?:large|Large|LARGE|huge|Huge|boldsymbol|pmb|bm|mathbf|mathrm|mathit|mathsf|mathtt|mathnormal|mathcal|mathscr|mathfrak)(?![A-Za-z])"
    r"|\\(?:text(?:normal|bf|it|rm|sf|tt|up)|underline|emph|mathstrut|strut)(?![A-Za-z])"
    r"|\\(?:text)?color\s*(?:\[\w*\])?\{[^{}]*\}"
    r"|\\q?quad|\\(?:hspace|vspace|label|tag)\*?\{[^{}]*\}|(?<!\\)\\!"
)
_UNIT_FRACTION = re.compile(
    r"\\[dtc]?frac\s*\{\s*\\(?:text|mathrm|mbox|textrm)\s*\{([^{}]+)\}\s*\}"
    r"\s*\{\s*\\(?:text|mathrm|mbox|textrm)\s*\{([^{}]+)\}\s*\}"
)
_FRACTION_NAMES = re.compile(r"\\(?:nice|s|x)frac(?![A-Za-z])")
_UNCLOSED_BRACE = re.compile(r"\\left\s*\\\{(.*?)\\right\s*\.", re.DOTALL)
_REMARK_IN_TEXT = re.compile(r'"\s*\([^()"\d]*\)\s*\.?\s*"')
_LONE_UNIT = re.compile(
    r"\\(?<=[\d}) ~,;]\\)(?:text|mbox|mathrm|textrm|rm)\s*\{\s*~?([mshgtlLNJVWAKC]|min)\s*\}(?![({\[])"
)
_EXPONENT = re.compile(r"\d[eEеЕ][+\-\d]")
_SCIENTIFIC = re.compile(
    r"(?<![A-Za-zА-Яа-я_\d.,^{])(\d{1,40}(?:[.,]\d{1,40})?)[eEеЕ]([+-]?\d{1,5})(?![\d.,]*[A-Za-zА-Яа-я_^])"
)
_SPACE = re.compile(r"(?<!\\)\\[,;: >]")
_SYSTEM = re.compile(r"\\left\s*\\\{\s*\\begin\{(?:array|aligned|gathered|matrix)\}(?:\{[lcr|]*\})?")
_EITHER = re.compile(r"\\left\s*\[\s*\\begin\{(?:array|aligned|gathered|matrix)\}(?:\{[lcr|]*\})?")
_SYSTEM_END = re.compile(r"\\end\{(?:array|aligned|gathered|matrix)\}\s*\\right\s*\.")
_MATH_MODE = re.compile(r"(?<!\\)\\[\[\]()]|\$+")
_WORDS = re.compile(
    r"\\(?:text|mbox|hbox|textbf|textit|textrm|textsf|texttt|textup|textnormal|mathrm|mathbf|mathit|mathsf|mathtt"
    r"|operatorname|emph|underline|rm|bf)"
    r"\*?\s*\{([^{}]*)\}"
)
_GROUPED = re.compile(r"(?<![\d.,^_])[1-9]\d{0,2}(?: \d{3})+(?!\d)")
_WHOLE_AND_PARTS = re.compile(r"(\d) цел(?:ых|ая|ые|ое)(?: и)? (?=\d+ ?/)")
_GROUPED_BY_DOTS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3}){2,}(?![\d.,])")
_PERIOD = re.compile(r"(\d[.,]\d*)\s*\\(?:overline|bar|dot)\s*\{(\d+)\}")
_CELSIUS = re.compile(r"\\degree\s*\"?\s*[CС]\b\s*\"?|градус\w* цельсия", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<=\d)-(?:й|я|е|го|му|ый|ой|ая|ти|х)\b")
_REMARK = re.compile(r"\s*\((?=[^()]*[а-яе]{3})[^()]*\)\s*\Z", re.IGNORECASE)
_BOUND = re.compile(r"(не )?(?:(боле?е|больше)|(мене?е|меньше))(?: чем)? (?=[-\d\\(])", re.IGNORECASE)
_GROUPED_APOSTROPHE = re.compile(r"(?<=\d)'(?=\d{3}(?!\d))")
_JOINED = re.compile(r"[лЛ]и|также|включ|,\s*а ")
_EITHER_OR = re.compile(r"\s*,?\s*(?<!\w)(?:или|либо)(?: же)?(?!\w)", re.IGNORECASE)
_LEADING_EITHER = re.compile(r"\A\s*или ")
_AS_WELL_AS = re.compile(r"\s*,?\s*(?<!\w)(?:а|и) также(?!\w)|,\s*а(?= \w{1,3} ?=)", re.IGNORECASE)
_FROM_TO = re.compile(r"(?<!\w)от (-?\d[\d.,/]*) до (-?\d[\d.,/]*),? включительно", re.IGNORECASE)
_TRAILING_MARK = re.compile(r"(?<=[^\W\d_])\s*[-:]+\Z")
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    r"""Return an expression in the plain alphabet that `tokenise` reads.

    Words that LaTeX sets apart (``\text{ см}``) come out in double quotes, so that they are not taken for
    variables. Thousands grouped by spaces are joined; commas are left as they are (`tokenise` knows their
    surroundings).
    """
    if _PLAIN.match(text) and "  " not in text and "=" not in text and text.count(".") < 2:
        if _EXPONENT.search(text):
            text = _SCIENTIFIC.sub(_power_of_ten, text)
        return _GROUPED.sub(_join, text) if " " in text else text
    text = _RAISED_RUN.sub(lambda run: "^{" + run[0].translate(_RAISED) + "}", text)
    text = _NUMBERED.sub(r"\1_\2", _TWO_ROOTS.sub("_{12}", text))
    text = _LOWERED_RUN.sub(lambda run: "_{" + run[0].translate(_LOWERED) + "}", text)
    text = _TIGHT_COMMA.sub(r"\1", text.translate(_SIGNS))
    if "\\" in text:
        text = _latex(text)
    text = _MATH_MODE.sub(" ", text)
    if _EXPONENT.search(text):
        text = _SCIENTIFIC.sub(_power_of_ten, text)
    text = _CELSIUS.sub(' "цельсий" ', _SPACES.sub(" ", text))
    text = _GROUPED_APOSTROPHE.sub("", _GROUPED_BY_DOTS.sub(_join, _GROUPED.sub(_join, text)))
    if _CYRILLIC.search(text):
        text = read_number_words(text)
        if _JOINED.search(text):
            text = _FROM_TO.sub(r"[\1; \2]", _EITHER_OR.sub(" или ", _AS_WELL_AS.sub(" и ", text)))
            text = _LEADING_EITHER.sub("", text)
    if _CYRILLIC.search(text):
        text = _WHOLE_AND_PARTS.sub(r"\1 ", _BOUND.sub(_sign, _ORDINAL.sub("", _REMARK.sub(_unhedged, text))))
    return text.strip()


def _latex(text: str) -> str:
    if r"\begin" in text:
        if _SYSTEM_END.search(text):
            text = _SYSTEM_END.sub(r"\\end{cases}", text)
            text = _EITHER.sub(r"\\begin{either}", _SYSTEM.sub(r"\\begin{cases}", text))
    else:
        text = _ESCAPED_TWICE.sub(r"\\", text)
    text = _PERIOD.sub(r"\1(\2)", _THOUSANDS_IN_LATEX.sub("", text))
    if "text" in text or r"\m" in text or r"\rm" in text or "const" in text:
        text = _LONE_UNIT.sub(r' "\1" ', text.replace("const", "C"))
        text = _UNIT_FRACTION.sub(r' "\1/\2" ', text) if "frac" in text else text
    if r"\nice" in text or r"\sf" in text or r"\xf" in text:
        text = _FRACTION_NAMES.sub(r"\\frac", text)
    text = _FENCE.sub("", _UNCLOSED_BRACE.sub(_without_brace, text) if r"\left" in text else text)
    text = _SPACE.sub(" ", text)
    text = text.replace(r"\$", " ").replace(r"\%", "%").replace(r"\#", "#").replace(r"\&", "&").replace(r"\_", "_")
    text = text.replace(r"^\circ", r"\degree ").replace(r"^{\circ}", r"\degree ").replace(r"^ \circ", r"\degree ")
    for _ in range(3):
        shorter = _WORDS.sub(_unwrap, text)
        if shorter == text:
            break
        text = shorter
    if '"' in text and "(" in text:
        text = _REMARK_IN_TEXT.sub(_unhedged, text)
    return _ERASED.sub(" ", text) if "\\" in text else text


def _without_brace(match: re.Match[str]) -> str:
    """Take off a brace that is opened and, as in a system, not closed."""
    return match[0] if r"\}" in match[1] or r"\begin" in match[1] else f" {match[1]} "


def _power_of_ten(match: re.Match[str]) -> str:
    return rf"{match[1]}\cdot 10^{{{match[2]}}}"


def _unwrap(match: re.Match[str]) -> str:
    words = match[1].strip()
    if words.endswith(("-", ":")):
        words = _TRAILING_MARK.sub("", words)
    if words.casefold() in FUNCTIONS or (len(words) == 1 and words.isascii()) or not any(map(str.isalpha, words)):
        return f" {words} "
    return ' "' + words.replace('"', "") + '" '


def _unhedged(match: re.Match[str]) -> str:
    """Drop a remark unless it takes the answer back."""
    return match[0] if takes_back(match[0]) else " "


def _join(match: re.Match[str]) -> str:
    return match[0].replace(" ", "").replace(".", "")


def _sign(match: re.Match[str]) -> str:
    negated, more, _ = match.groups()
    return rf"\{'l' if (more is None) != bool(negated) else 'g'}{'e' if negated else 't'} "
