"""Words with a mathematical meaning: numerals, "no solutions", "yes", letters that look alike."""

from __future__ import annotations

import re
from fractions import Fraction

FUNCTIONS: dict[str, str] = {
    **{
        name: name for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "exp", "ln", "lg")
    },
    **{name: name for name in ("log", "abs", "sqrt", "min", "max", "gcd", "lcm", "floor", "ceil", "det", "sign")},
    "tg": "tan",
    "ctg": "cot",
    "cotg": "cot",
    "ctan": "cot",
    "sh": "sinh",
    "ch": "cosh",
    "th": "tanh",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctg": "atan",
    "arcctg": "acot",
    "arccot": "acot",
    "arcctan": "acot",
    "asin": "asin",
    "acos": "acos",
    "atan": "atan",
    "acot": "acot",
    "нод": "gcd",
    "нок": "lcm",
    "sgn": "sign",
    "корень": "sqrt",
}
"""Names of functions as they are written, in lower case, and the names that we call them by."""

_NAMES_INSIDE = re.compile(r"(arc(?:sin|cos|c?tg|tan)|sin|cos|tan|cot|ctg|tg|ln|lg|log|exp|sqrt)")


def run_together(word: str) -> list[str]:
    """Return the functions and letters of ``xsinx``; nothing if the word is none of that kind."""
    parts = [part for part in _NAMES_INSIDE.split(word) if part]
    return parts if len(parts) > 1 and all(part in FUNCTIONS or len(part) <= 2 for part in parts) else []


_SMALL = {
    "ноль": 0, "нуль": 0, "один": 1, "одна": 1, "одно": 1, "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5,
    "шесть": 6, "семь": 7, "восемь": 8, "девять": 9, "десять": 10, "одиннадцать": 11, "двенадцать": 12,
    "тринадцать": 13, "четырнадцать": 14, "пятнадцать": 15, "шестнадцать": 16, "семнадцать": 17,
    "восемнадцать": 18, "девятнадцать": 19, "двадцать": 20, "тридцать": 30, "сорок": 40, "пятьдесят": 50,
    "шестьдесят": 60, "семьдесят": 70, "восемьдесят": 80, "девяносто": 90, "сто": 100, "двести": 200,
    "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700, "восемьсот": 800,
    "девятьсот": 900,
}  # fmt: skip
_LARGE = {
    **dict.fromkeys(("тысяча", "тысячи", "тысяч"), 10**3),
    **dict.fromkeys(("миллион", "миллиона", "миллионов"), 10**6),
    **dict.fromkeys(("миллиард", "миллиарда", "миллиардов"), 10**9),
}
_ALONE = {
    "минус": "-",
    "плюс": "+",
    "половина": "1/2",
    "половину": "1/2",
    "треть": "1/3",
    "четверть": "1/4",
    "полтора": "1.5",
    "полторы": "1.5",
    "пи": r"\pi ",
    "бесконечность": r"\infty ",
    "бесконечности": r"\infty ",
}
_PARTS = {
    **dict.fromkeys(("вторая", "вторых"), 2),
    **dict.fromkeys(("треть", "трети", "третей", "третья", "третьих"), 3),
    **dict.fromkeys(("четверть", "четверти", "четвертей", "четвертая", "четвертых"), 4),
    **{
        stem + ending: 5 + place
        for place, stem in enumerate(("пят", "шест", "седьм", "восьм", "девят", "десят", "одиннадцат", "двенадцат"))
        for ending in ("ая", "ых")
    },
    **{
        stem + ending: part
        for stem, part in (("двадцат", 20), ("сот", 100), ("тысячн", 1000))
        for ending in ("ая", "ых")
    },
}
"""Parts of one that a number of them follows: ``две трети``."""
NUMERALS = frozenset([*_SMALL, *_LARGE, *_ALONE, *_PARTS, "целых", "целая", "половиной"])
_COUNT = re.compile(r"\d\s+\Z")
_AND_A_HALF = re.compile(r"(\d+) с половиной(?!\w)", re.IGNORECASE)
_RUSSIAN_WORD = re.compile(r"[а-я]+", re.IGNORECASE)


def read_number_words(text: str) -> str:
    """Write Russian numerals as digits: ``двадцать пять`` as ``25``, ``минус три`` as ``- 3``."""
    if not _RUSSIAN_WORD.search(text):
        return text
    out: list[str] = []
    last, total, group, smallest = 0, 0, 0, 0
    open_number = False

    def close() -> None:
        nonlocal total, group, open_number
        if open_number:
            out.append(str(total + group))
        total, group, open_number = 0, 0, False

    for match in _RUSSIAN_WORD.finditer(text):
        word = match[0].lower()
        between = text[last : match.start()]
        joined = open_number and between.isspace()
        if word in _SMALL:
            value = _SMALL[word]
            rank = 100 if value >= 100 else 10 if value >= 20 else 1
            if not (joined and rank < smallest):
                close()
                out.append(between)
            open_number, group, smallest = True, group + value, rank if value not in range(10, 20) else 1
        elif word in _LARGE and joined and group:
            total, group, smallest = total + group * _LARGE[word], 0, 1000
        elif word in _LARGE and not (total or text[: match.start()].rstrip()[-1:].isdigit()):
            close()
            out.append(between)
            open_number, total, smallest = True, _LARGE[word], 1000
        elif word in _PARTS and joined:
            out.append(f"{total + group}/{_PARTS[word]}")
            total, group, open_number = 0, 0, False
        elif word in _PARTS and _COUNT.search(between):
            close()
            out.append(between.rstrip() + f"/{_PARTS[word]}")
        else:
            close()
            out += [between, _ALONE.get(word, match[0])]
        last = match.end()
    close()
    written = "".join([*out, text[last:]])
    return _AND_A_HALF.sub(r"\1.5", written) if "половин" in written else written


_NOTHING = re.compile(
    r"(?:(?:уравнение|неравенство|система|задача|таких?|действительных|вещественных|целых|натуральных|реальных|"
    r"чисел|значений|пар|это|пустое) )*"
    r"(?:нет (?:\w+ )?(?:решени[йея]|корней|корня|чисел|значений|таких \w+)"
    r"|(?:решени[йея]|корней) (?:\w+ )?(?:нет|не имеет|не существует)"
    r"|таких \w+ (?:нет|не существует)|нет таких|таких нет"
    r"|не имеет (?:\w+ )?(?:решени[йея]|корней)"
    r"|не существует (?:\w+ )?(?:решени[йея]|корней|чисел)"
    r"|пустое множество|множество|no (?:real |such )?(?:solutions?|roots?|values?)|empty set)"
)
_EVERYTHING = re.compile(
    r"(?:x )?(?:любое (?:действительное |вещественное )?(?:число|значение(?: x)?)|любой x"
    r"|все (?:действительные|вещественные) числа|множество (?:всех )?действительных чисел"
    r"|вся числовая (?:прямая|ось)|all real numbers)(?: x)?|x любое(?: действительное число)?"
)
_INFINITELY_MANY = re.compile(
    r"(?:имеет )?(?:бесконечно много(?: решени[йея]| корней)?|(?:решений|корней) бесконечно много"
    r"|бесконечное (?:множество|число|количество) (?:решений|корней)|infinitely many(?: solutions)?)"
)
_MEANINGS = {
    **dict.fromkeys(("да", "yes"), "да"),
    **dict.fromkeys(("нет", "no"), "нет"),
    **dict.fromkeys(("верно", "истина", "true", "правда", "истинно"), "верно"),
    **dict.fromkeys(("неверно", "ложь", "false", "неправда", "ложно"), "неверно"),
    **dict.fromkeys(("не существует", "does not exist", "не определено", "не определен"), "не существует"),
}
_VERDICT = re.compile(r"(да|нет|yes|no)\s*[,.;:!—-]", re.IGNORECASE)
_AGAINST_YES = re.compile(
    r"(?<!\w)(?:нет|не|ни|нельзя|невозможн\w+|неверно|ложь|no|not|false)(?!\w)", re.IGNORECASE
)
_AGAINST_NO = re.compile(r"(?<!\w)(?:да|можно|верно|правда|yes|true)(?!\w)", re.IGNORECASE)
_LIMITED = re.compile(
    r"(?<!\w)(?:если|только|при|когда|иногда|или|либо|зависит|некотор\w+|почти|вообще|if|only|when|sometimes|or)(?!\w)",
    re.IGNORECASE,
)
_NOT_A_LETTER = re.compile(r"[\W_]+")
_ALIKE = str.maketrans("АВСЕНКМОРТХасеорхук", "ABCEHKMOPTXaceopxyk")


HEDGE = re.compile(
    r"\?|(?<!\w)(?:возможно|может быть|а может|около того|вероятно|скорее|наверное?|кажется|вроде|не уверен\w*"
    r"|вряд ли|точнее|хотя(?! бы)|иначе|но|однако|впрочем|кроме|исключая|за исключением|вернее|то ли"
    r"|(?:или|а) (?:же )?нет|нет\s*[,:—–-]|ошиб\w+|опечат\w+|исправл\w+|невер\w+|неправильн\w+|невозможн\w+"
    r"|без малого|с лишним|близко к"
    r"|(?:по крайней|по меньшей|как) (?:мере|минимум|максимум)|хотя бы|от силы|свыше|почти|с небольшим|чуть"
    r"|(?:не|и|или) (?:бол(?:ее|ьше)|мен(?:ее|ьше)|выше|ниже|позже|раньше)(?! (?:нет|быть|не))"
    r"|maybe|perhaps|possibly|probably|but|unless|except|rather|at (?:least|most)|almost|wrong)(?!\w)"
    r"|(?<!\w)то \$?\d",
    re.IGNORECASE,
)
"""Words and signs that doubt, bound, take back or replace what they stand beside."""
REJECTION = re.compile(
    r"\W{0,9}+(?:(?:но|а|это|эт[оаи]т?|он[аои]?|корень|число|значение|решение|ответ|but|it|this|is|the|an?) ){0,4}"
    r"(?<!\w)(?:посторонн\w+|лишн\w+|отбр[ао]\w+|отверг\w+|отпада\w+|исключ\w+|противореч\w+"
    r"|не (?:явля|подход|подойд|удовлетвор|вход|принадлеж|год|соответств|допус|реш|корень|ответ)\w*"
    r"|extraneous|reject\w*|discard\w*|invalid"
    r"|(?:(?:do|doe|i)(?:s|es)? ?n['’o]t|not) (?:valid|satisf\w+|(?:an? )?(?:solution|root|answer)|in))"
    r"(?!\w)[^\d$;]{0,80}\Z",
    re.IGNORECASE,
)
"""A remark or clause that rejects the value before it, and has none of its own."""


def takes_back(clause: str) -> bool:
    """Whether a clause or remark doubts, replaces or rejects the value before it."""
    return bool(HEDGE.search(clause) or REJECTION.match(clause))


_DIGIT = re.compile(r"\d")
_PARTS_OF_HEDGES = (
    *("?", "то ", "но", "нет", "мож", "около", "вероятн", "скорее", "наверн", "кажется", "вроде", "уверен", "вряд"),
    *(
        "ерн",
        "невер",
        "хот",
        "иначе",
        "впрочем",
        "однако",
        "кроме",
        "исключ",
        "ошиб",
        "опечат",
        "исправл",
        "неправ",
        "мере",
    ),
    *(
        "как м",
        "силы",
        "свыше",
        "почти",
        "без м",
        "с лиш",
        "близк",
        "с неб",
        "чуть",
        "бол",
        "мен",
        "выше",
        "ниже",
        "позже",
        "раньше",
        "точнее",
    ),
    *(
        "не ",
        "посторон",
        "лишн",
        "отбр",
        "отвер",
        "отпад",
        "противореч",
        "extraneous",
        "reject",
        "discard",
        "invalid",
    ),
    *("n't", "n’t", "not "),
    *("maybe", "perhaps", "possibl", "probabl", "but", "unless", "except", "rather", "at ", "almost", "wrong"),
)


def hedge(text: str) -> str:
    """Return what doubts a text (`HEDGE`) or rejects its value (`REJECTION`), or an empty string."""
    lower = text.lower()
    # Most texts need no search.
    if not any(part in lower for part in _PARTS_OF_HEDGES):
        return ""
    found = HEDGE.search(text) or (REJECTION.search(text) if _DIGIT.search(text) else None)
    return found[0].strip() if found else ""


def wording(text: str) -> str:
    """Return the bare words of a text: lower case, ё as е, single spaces, no signs."""
    return _NOT_A_LETTER.sub(" ", text.casefold().replace("ё", "е")).strip()


def meaning(text: str) -> str | None:
    """Return what a phrase means: ``empty``, ``R``, ``infinite``, «да», «нет», …; None if it is not a known one."""
    words = wording(text)
    if len(words) > 120:
        return None
    if _NOTHING.fullmatch(words):
        return "empty"
    if _EVERYTHING.fullmatch(words):
        return "R"
    if _INFINITELY_MANY.fullmatch(words):
        return "infinite"
    return _MEANINGS.get(words)


def verdict_word(text: str) -> str | None:
    """Return «да» or «нет» when a text begins with that word, and nothing after it takes it back or limits it."""
    opening = _VERDICT.match(text.strip())
    if not opening:
        return None
    verdict = _MEANINGS[opening[1].lower()]
    rest = text.strip()[opening.end() :]
    against = _AGAINST_YES if verdict == "да" else _AGAINST_NO
    return None if against.search(rest) or _LIMITED.search(rest) or HEDGE.search(rest) else verdict


_DAYS = re.compile(r"(?:в|во|на)\s+(\w+)\.?\Z", re.IGNORECASE)


def same_day(gold: str, answer: str) -> bool:
    """Whether one answer is the other one after a preposition: «в среду» for «среда»."""
    days = [_DAYS.match(text.strip(" .")) for text in (gold, answer)]
    if not any(days):
        return False
    first, second = (wording(day[1] if day else text) for day, text in zip(days, (gold, answer), strict=True))
    return first == second or (
        len(first) == len(second) > 4
        and first[:-1] == second[:-1]
        and {first[-1], second[-1]} in ({"а", "у"}, {"я", "ю"})
    )


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman_number(digits: str) -> int:
    """Return the value of a Roman numeral."""
    values = [_ROMAN[digit] for digit in digits]
    return sum(value if value >= after else -value for value, after in zip(values, [*values[1:], 0], strict=True))


def latin_letter(letter: str) -> str:
    """Return the Latin letter that a Cyrillic one looks like, or the letter itself."""
    return letter.translate(_ALIKE)


def same_letter(first: str, second: str) -> bool:
    """Whether two option letters are the same one, Latin or Cyrillic, capital or not when Cyrillic."""
    if first == second or latin_letter(first) == latin_letter(second):
        return True
    cyrillic = not first.isascii() or not second.isascii()
    return cyrillic and latin_letter(first.upper()) == latin_letter(second.upper())


SCALES: dict[str, Fraction] = {
    **dict.fromkeys(("тыс", "тысяча", "тысячи", "тысяч", "тысячу"), Fraction(10**3)),
    **dict.fromkeys(("млн", "миллион", "миллиона", "миллионов"), Fraction(10**6)),
    **dict.fromkeys(("млрд", "миллиард", "миллиарда", "миллиардов"), Fraction(10**9)),
    **dict.fromkeys(("трлн", "триллион", "триллиона", "триллионов"), Fraction(10**12)),
}
"""Words that multiply the number before them."""
