"""Which language a text is in.

Scripts decide first: where one makes up nine tenths of the letters and belongs to one language, that is the
answer. Langdetect decides the rest, with a fixed seed: among languages of one script, and in mixed texts. Letters
spare it what it does badly: Cyrillic with ы, э, ё or ь and none of the letters that Russian lacks is Russian,
and so is a short one without evidence against it. Langdetect alone takes one short Russian sentence in twenty,
and one in eight in capitals, for Bulgarian, Macedonian or Ukrainian.

The published scorer asks a fastText model instead. On its verdicts see ``BENCHMARKS.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langdetect.detector_factory import DetectorFactory

# This many characters suffice; langdetect reads no more either.
READ_CHARACTERS: Final = 10_000

_SEED: Final = 0
_DOMINANT: Final = 0.9

# Numbers of letters, and shares of them, that decide about Cyrillic (see `_plainly_russian`).
_SHORT: Final = 12
_MEDIUM: Final = 100
_LONG: Final = 300
_RUSSIAN_SHARE: Final = 0.01
_FOREIGN_SHARE: Final = 0.005

_RUSSIAN: Final = "ыэё"
_OTHER_CYRILLIC: Final = "іїєґўђјљњћџѓќѕәғқңөұүһ"
_SHARED_SCRIPTS: Final = frozenset({"Arabic", "Cyrillic", "Devanagari", "Han", "Latin"})

# First code point of each block that matters here, and its script ("" for none). Digits, punctuation and the
# marks that all scripts share belong to none.
_BLOCKS: Final = (
    (0x0000, ""), (0x0041, "Latin"), (0x005B, ""), (0x0061, "Latin"), (0x007B, ""), (0x00AA, "Latin"),
    (0x00AB, ""), (0x00BA, "Latin"), (0x00BB, ""), (0x00C0, "Latin"), (0x00D7, ""), (0x00D8, "Latin"),
    (0x00F7, ""), (0x00F8, "Latin"), (0x02B0, ""), (0x0370, "el"), (0x0400, "Cyrillic"), (0x0530, "hy"),
    (0x0590, "he"), (0x0600, "Arabic"), (0x0700, ""), (0x0750, "Arabic"), (0x0780, ""), (0x08A0, "Arabic"),
    (0x0900, "Devanagari"), (0x0964, ""), (0x0966, "Devanagari"), (0x0980, "bn"), (0x0A00, "pa"),
    (0x0A80, "gu"), (0x0B00, "or"), (0x0B80, "ta"), (0x0C00, "te"), (0x0C80, "kn"), (0x0D00, "ml"),
    (0x0D80, "si"), (0x0E00, "th"), (0x0E80, "lo"), (0x0F00, "bo"), (0x1000, "my"), (0x10A0, "ka"),
    (0x1100, ""), (0x1200, "am"), (0x13A0, ""), (0x1780, "km"), (0x1800, "mn"), (0x18B0, ""),
    (0x1E00, "Latin"), (0x1F00, "el"), (0x2000, ""), (0x3040, "ja"), (0x3100, ""), (0x3130, "ko"),
    (0x3190, ""), (0x3400, "Han"), (0x4DC0, ""), (0x4E00, "Han"), (0xA000, ""), (0xAC00, "ko"), (0xD7B0, ""),
    (0xF900, "Han"), (0xFB00, "Latin"), (0xFB1D, "he"), (0xFB50, "Arabic"), (0xFE00, ""), (0xFE70, "Arabic"),
    (0xFEFF, ""), (0x20000, "Han"), (0x323B0, ""),
)  # fmt: skip
_STARTS: Final = [start for start, _ in _BLOCKS]


def identify(text: str) -> str:
    """Return the ISO 639-1 code of a text's language; empty if it cannot be determined.

    Deterministic: the same text gives the same code in any order of calls and in any thread.
    """
    sample = text[:READ_CHARACTERS]
    letters = Counter(sample.lower())
    scripts = count_scripts(letters)
    if not scripts:
        return ""
    commonest = max(scripts, key=lambda name: (scripts[name], name))
    if scripts[commonest] >= _DOMINANT * scripts.total():
        if commonest not in _SHARED_SCRIPTS:
            return commonest
        if commonest == "Cyrillic" and _plainly_russian(letters, scripts[commonest], capitals=sample.isupper()):
            return "ru"
    return detect(sample).partition("-")[0]


def count_scripts(characters: Counter[str]) -> Counter[str]:
    """Return how many of the characters are of which `script`; those of none are not counted."""
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        scripts[script(character)] += count
    del scripts[""]
    return scripts


def script(character: str) -> str:
    """Return the script of a character, or the language if the script has only one; empty for no letter."""
    return _BLOCKS[bisect_right(_STARTS, ord(character)) - 1][1]


def describe(language: str) -> str:
    """Describe the detected language in Russian."""
    return f"язык ответа: {language}" if language else "язык ответа не определить"


def _plainly_russian(letters: Counter[str], total: int, *, capitals: bool) -> bool:
    russian = sum(letters[letter] for letter in _RUSSIAN)
    foreign = sum(letters[letter] for letter in _OTHER_CYRILLIC)
    if foreign:
        return total >= _LONG and russian >= _RUSSIAN_SHARE * total and foreign <= _FOREIGN_SHARE * total
    if russian or letters["ь"] > letters["ъ"]:  # Bulgarian has no ыэё, and far more ъ than ь
        return True
    # Russian, Bulgarian and Macedonian share the other letters; a hundred of them without one of the above are rare
    # in Russian. A capital word or two says nothing.
    return total <= _MEDIUM and not letters["ъ"] and not (capitals and total <= _SHORT)


def detect(sample: str, languages: tuple[str, ...] = (), priors: Mapping[str, float] | None = None) -> str:
    """Return langdetect's code for the language of a text, seeded; empty when it cannot tell.

    Args:
        sample: the text.
        languages: the codes to choose from; all that langdetect knows when empty.
        priors: how likely each is beforehand; all the same when None.
    """
    from langdetect.lang_detect_exception import LangDetectException

    detector = _profiles(languages).create()
    detector.append(sample)
    if priors is not None:
        detector.set_prior_map(priors)
    try:
        language: str = detector.detect()
    except LangDetectException:
        return ""
    return "" if language == detector.UNKNOWN_LANG else language


@cache
def _profiles(languages: tuple[str, ...]) -> DetectorFactory:
    """Return a seeded factory of our own: langdetect's takes its seed from a global."""
    import langdetect
    from langdetect.detector_factory import DetectorFactory

    factory = DetectorFactory()
    factory.set_seed(_SEED)
    folder = Path(langdetect.__file__).parent / "profiles"
    files = [folder / name for name in languages] or sorted(folder.iterdir())
    factory.load_json_profile([file.read_text("utf-8") for file in files])
    return factory
