"""Language fidelity: does a model that is asked in Russian think and answer in Russian?

Measured by code alone, on prose: code, formulas and addresses are stripped first, since they are Latin in any
language. What cannot be decided (no letters, or too few to tell a language) is None, which is not wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..types import Completion
from .identification import count_scripts, detect, script

# Below so many letters, language identification errs in more than one Russian sentence of ten.
DECIDABLE_LETTERS: Final = 40
# This many characters of prose suffice.
_READ_CHARACTERS: Final = 2_000

# The languages that langdetect knows of each script that several languages share. Told apart within one script
# alone, a Russian text can be taken for Bulgarian but not for Spanish.
_PROFILES: Final = {
    "Arabic": ("ar", "fa", "ur"),
    "Cyrillic": ("bg", "mk", "ru", "uk"),
    "Devanagari": ("hi", "mr", "ne"),
    "Latin": (
        "af", "ca", "cs", "cy", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt", "lv",
        "nl", "no", "pl", "pt", "ro", "sk", "sl", "so", "sq", "sv", "sw", "tl", "tr", "vi",
    ),
}  # fmt: skip
# What is asked here is whether a text is Russian: where two languages are as likely, it is.
_PRIORS: Final = {"Cyrillic": {"ru": 0.94, "bg": 0.02, "mk": 0.02, "uk": 0.02}}
_CYRILLIC_ALPHABETS: Final = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
    "kk": "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя",
}

_FENCE = re.compile(r"[ \t]*+(?:[-*>]|\d{1,3}[.)])?[ \t]*+(?:(`{3,}+)(?!.*`)|(~{3,}+))")
# Every pattern starts where a run starts and gives nothing back, so hostile text costs linear time.
_INLINE_CODE = re.compile(r"(?<!`)`++[^`\n]++`++")
_DISPLAY_FORMULA = re.compile(r"\$\$[^$]*+\$\$")
_INLINE_FORMULA = re.compile(r"\$(?=\S)[^$\n]*+(?<=\S)\$(?!\d)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]\"'«»]++|(?<![\w.+-])[\w.+-]++@[\w.-]++")
_COMMAND = re.compile(r"\\(?:begin|end)\{[A-Za-z]*+\*?\}|\\[A-Za-z]++\*?")
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:equation|align|aligned|alignat|gather|gathered|multline|split|cases|array|[bBpvV]?matrix)\*?)\}"
)
_TEXT_SPACE = re.compile(r"\\(?:text\w{0,6}|math(?:rm|bf|it|sf|tt)|mbox)\{|\\[ ,;:!]|\\q?quad\b|[~$`{}]")
_WORDS_APART = r"[,.;:!?’'—–]{0,2}[ \n]{1,3}"
_IDEOGRAPHS = r"[\u3040-\u9fff][\u3000-\u9fff ,.;:!?()]{4,}+"
_RUN_OF_WORDS = re.compile(rf"[^\W\d_]{{2,40}}+(?:{_WORDS_APART}[^\W\d_]{{2,40}}+){{2,}}+|{_IDEOGRAPHS}")
_LINE_OF_WORDS = re.compile(rf"\s*+[^\W\d_]++(?:{_WORDS_APART}[^\W\d_]++){{4,}}+[.,;:!?…]?\s*+|{_IDEOGRAPHS}")
# Words that are spelled: five letters and more with a space or a symbol between each two, and no sign of a formula.
_BETWEEN_LETTERS = re.compile(r"[^\w\n=+*/^,;:<>()\[\]{}|\\.$&%!?-]{1,3}")
_SPELLED = re.compile(rf"(?<![^\W\d_])[A-Za-z](?:{_BETWEEN_LETTERS.pattern}[A-Za-z](?![^\W\d_])){{4,}}+")
_INVISIBLE = re.compile("[\u00ad\u034f\u0335-\u0338\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]++")
# A Latin or Greek letter alone is a quantity (x, n, α), not a word of another language.
_QUANTITY = re.compile(r"(?<![^\W\d_])[A-Za-zΑ-Ωα-ω](?![^\W\d_])")


@dataclass(frozen=True, slots=True)
class LanguageFidelity:
    """The languages of one text.

    ``letters`` counts the letters of its prose. ``cyrillic_share`` is the share of them that is Cyrillic,
    ``foreign_share`` the share that is neither Cyrillic nor Latin (Chinese, Arabic, …: in a Russian text a slip of
    a multilingual model); both lie in [0, 1] and are None where there are no letters. ``language`` is an ISO 639-1
    code, None where the letters are too few to tell.
    """

    letters: int
    cyrillic_share: float | None
    foreign_share: float | None
    language: str | None

    @property
    def russian(self) -> bool | None:
        """Whether the text is Russian; None where that is undecided."""
        return None if self.language is None else self.language == "ru"

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def fidelity(text: str) -> LanguageFidelity:
    """Measure the languages of a text, in time linear in its length.

    The language is that of the script that most letters belong to, on at least `DECIDABLE_LETTERS` letters. Among
    the languages of one script decide the letters that they have, else langdetect with a fixed seed.
    """
    plain = prose(text)
    characters = Counter(plain)
    scripts = count_scripts(characters)
    letters = scripts.total()
    if not letters:
        return LanguageFidelity(0, None, None, None)
    foreign = letters - scripts["Cyrillic"] - scripts["Latin"]
    language = _language(plain, characters, scripts) if letters >= DECIDABLE_LETTERS else None
    return LanguageFidelity(letters, scripts["Cyrillic"] / letters, foreign / letters, language)


def completion_fidelity(completion: Completion) -> dict[str, Any]:
    """Measure an answer (all turns of it) and its reasoning: ``{"answer": …, "reasoning": … | None}`` as JSON."""
    answer = "\n".join(completion.turns) if completion.turns else completion.text
    reasoning = completion.reasoning
    return {
        "answer": fidelity(answer).as_json(),
        "reasoning": fidelity(reasoning).as_json() if reasoning is not None else None,
    }


def observations(record: Mapping[str, Any]) -> dict[str, float]:
    """Return what `completion_fidelity` decided as named numbers in [0, 1]; the undecided are left out.

    Names: ``answer_russian`` and ``reasoning_russian`` (1 or 0), ``…_cyrillic_share``, ``…_foreign_share``.
    """
    numbers: dict[str, float] = {}
    for part, fields in record.items():
        if fields is None:
            continue
        measured = LanguageFidelity(**fields)
        for name in ("russian", "cyrillic_share", "foreign_share"):
            value = getattr(measured, name)
            if value is not None:
                numbers[f"{part}_{name}"] = float(value)
    return numbers


def _language(plain: str, characters: Counter[str], scripts: Counter[str]) -> str | None:
    commonest = max(scripts, key=lambda name: (scripts[name], name))
    if commonest == "Han":
        return "ja" if scripts["ja"] else "zh"
    if commonest not in _PROFILES:
        return commonest
    letters = Counter({char: count for char, count in characters.items() if script(char) == commonest})
    if commonest == "Cyrillic" and (language := _by_letters(letters)):
        return language
    words = "".join(char if char in letters else " " for char in plain).split()
    sample = " ".join(words)[:_READ_CHARACTERS].lower()
    return detect(sample, _PROFILES[commonest], _PRIORS.get(commonest)) or None


def _by_letters(letters: Counter[str]) -> str | None:
    """Return the language whose alphabet lacks the fewest of these letters, None if there are several."""
    lacking = {
        language: sum(count for char, count in letters.items() if char.lower() not in alphabet)
        for language, alphabet in _CYRILLIC_ALPHABETS.items()
    }
    best = [language for language in lacking if lacking[language] == min(lacking.values())]
    # The Kazakh alphabet holds the whole Russian one.
    return best[0] if len(best) == 1 or best == ["ru", "kk"] else None


def prose(text: str) -> str:
    r"""Return a text without code, formulas, addresses and lone letters that stand for quantities.

    Stripped are fenced and inline Markdown code (a fence that never closes runs to the end), ``$…$``, ``$$…$$``,
    ``\(…\)``, ``\[…\]``, mathematical environments, ``\commands``, URLs and e-mail addresses. A ``$`` before a
    space or a closing one before a digit is money, not a formula. Words that formulas and code are made to hide
    stay: at least three in a row, or lines of five in a fence. Letters that only spaces or symbols part are a word.
    """
    # Letters of mathematical, full-width and circled alphabets are those that they stand for. One by one, since
    # normalising a long run of combining marks takes time with its square.
    text = text.translate({ord(char): unicodedata.normalize("NFKC", char) for char in set(text) if char > "\u2000"})
    text = _INVISIBLE.sub("", text)
    text = _without_fences(text)
    text = _INLINE_CODE.sub(lambda code: f" {_said(code[0])} ", text)
    text = _ADDRESS.sub(" ", text)
    text = _without_environments(text)
    text = _without_spans(text, "\\[", "\\]")
    text = _without_spans(text, "\\(", "\\)")
    text = _DISPLAY_FORMULA.sub(lambda formula: f" {_said(formula[0])} ", text)
    text = _INLINE_FORMULA.sub(lambda formula: f" {_said(formula[0])} ", text)
    text = _COMMAND.sub(" ", text)
    text = _SPELLED.sub(lambda word: _BETWEEN_LETTERS.sub("", word[0]), text)
    return _QUANTITY.sub(" ", text)


def _said(notation: str) -> str:
    """Return what formula or code says in words: its runs of at least three, as no formula has them."""
    plain = _COMMAND.sub("|", _TEXT_SPACE.sub(" ", notation))
    return " ".join(run[0] for run in _RUN_OF_WORDS.finditer(plain))


def _without_fences(text: str) -> str:
    if "```" not in text and "~~~" not in text:
        return text
    kept = []
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        marks = (found[1] or found[2]) if found else ""
        if fence:
            if marks.startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            elif _LINE_OF_WORDS.fullmatch(line):
                kept.append(line)
        elif marks:
            fence = marks
        else:
            kept.append(line)
    return "\n".join(kept)


def _without_spans(text: str, opening: str, closing: str) -> str:
    kept = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        kept += [text[position:start], _said(text[start + len(opening) : end])]
        position = end + len(closing)
    kept.append(text[position:])
    return " ".join(kept)


def _without_environments(text: str) -> str:
    kept = []
    position = 0
    unclosed: set[str] = set()
    for found in _ENVIRONMENT.finditer(text):
        name = found[1]
        if found.start() < position or name in unclosed:
            continue
        closing = f"\\end{{{name}}}"
        end = text.find(closing, found.end())
        if end < 0:
            # Searched for once a name, not once an opening: a thousand openings must not cost a thousand scans.
            unclosed.add(name)
            continue
        kept += [text[position : found.start()], _said(text[found.end() : end])]
        position = end + len(closing)
    kept.append(text[position:])
    return " ".join(kept)
