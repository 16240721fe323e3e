"""The words that judges put before, beside and instead of a verdict, in Russian and in English."""

from __future__ import annotations

import re

RATING_LABEL = (
    r"оценк[аиуе]|оценочк[аиуе]|оценить|рейтинг|балл\w{0,3}|итог\w{0,6}|вердикт|оценива\w{1,4}|оценил\w{0,2}|"
    r"(?:по)?ставлю|поставил\w{0,2}|результат|"
    r"ratings?|scores?|grades?|graded|rated?|verdict|overall|final|marks?|points"
)
"""Words that announce a number."""

PAIR_LABEL = (
    r"вердикт|итог\w{0,6}|вывод|победител\w{1,3}|победил\w{0,2}|победа|лучш\w{1,3}|выбор|выбираю|решение|оценка"
    r"|рейтинг|"
    r"результат|verdict|winner|better|best|choice|choose|final|decision|prefer\w{0,3}|предпочита\w{1,3}"
    r"|предпочту|rating|overall|conclusion"
)
"""Words that announce a winner."""

OVERALL = re.compile(r"\b(?:итог|общ|финал|окончательн|вердикт|в целом|overall|final|total|verdict)", re.IGNORECASE)
"""Words that make a label the one for the whole answer."""

SUBSCORE = re.compile(
    r"\b(?:полезност|точност|глубин|корректност|правильност|полнот|стил|грамотност|релевантност|строгост|структур|"
    r"ясност|понятност|креативност|подробност|безопасност|язык|оформлени|логик|критери|"
    r"helpfulness|accuracy|depth|relevance|creativity|clarity|correctness|completeness|detail|conciseness|style|"
    r"harmless|coherence|fluency|rigor|rigour|structure|criteri)",
    re.IGNORECASE,
)
"""What a rating may be of, other than of the whole answer."""

HEDGE = re.compile(
    r"\b(?:бы|б|если|эталонн\w{0,4}|сначала|хотел\w{0,2}|мог|могла|можно|вместо|максим\w{0,10}|минимал\w{0,8}|"
    r"would|could|might|if|instead|initially|first(?! (?:turn|question|answer|response|assistant|part|one))"
    r"|maximum|minimum|rather than)\b",
    re.IGNORECASE,
)
"""Words of a verdict that was not given."""

_SHOWS = (
    r"(?=\s(?:строк|фраз|надпис|текст|слов|оценк|балл|вердикт|рейтинг|rating|score|verdict|line|words|text"
    r"|\[\[|«|\"))"
)
SAID_BY_OTHERS = re.compile(
    r"\b(?:просил\w?|просит|требовал\w?|требует|приписал\w?|приписывает|сам\w? себе|самому себе|себе (?:ставит"
    r"|поставил\w?)"
    r"|(?:ставит|поставил\w?|приписал\w?|дал\w?) себе|в ответе (?:было|есть|стоит|сказано|написано|просили"
    r"|просят)|в тексте"
    r"|строк[аиу]|asks? for|asked for|claim(?:s|ed)|its(?:elf| own)|himself|themselves"
    r"|(?:the )?(?:assistant|model|author|student|answer|text|response) (?:says|wrote|writes|gave|gives|rates)"
    r"|(?:ассистент|модель|автор|ученик|он|она|ответ) (?:\w{1,12} )?(?:пиш\w{2}|написал\w?|дописал\w?|ставит"
    r"|поставил\w?"
    r"|кончается|заканчивается))\b"
    rf"|\b(?:содержит|contains){_SHOWS}",
    re.IGNORECASE,
)
"""Words of a value that somebody else gave."""

OF_OTHER_THINGS = re.compile(
    r"\b(?:эталон\w{0,2}|эталонн\w{2,3}|образ(?:ец|цу|цовый)|предыдущ\w{2,3}|прошл\w{2,3}|идеальн\w{2,3}"
    r"|максимум\w?"
    r"|максимальн\w{2,3}|previous|reference|ideal|maximum|уверенност\w{1,3}|confidence)\b",
    re.IGNORECASE,
)
"""Words of a value that something else has."""

MENTION = re.compile(
    r"\b(?:например|пример(?:у|е|ом)?|example|e\.g|such as)\b\W{0,6}(?:[^\W\d]{1,20}\s?[:=]\s?)?$", re.IGNORECASE
)
"""Words before a verdict that is only shown."""

REFUSAL = re.compile(
    r"(?:\b(?:я )?не (?:могу|буду|в состоянии|вправе|имею возможности) (?:\w{1,20} ){0,2}?"
    r"(?:оцени|помо|выполн|ответ|обсужд|дать|выстав|постав|предостав|судить|участв|комментир|продолж)"
    r"|\bотказываюсь\b|\bвынужден\w{0,2} отказ"
    r"|не облада(?:ет|ют) собственным мнением|ограничен[ыа]? разговоры"
    r"|разговоры на (?:некоторые|эту|чувствительные) темы?"
    r"|\bI(?: a|')m (?:not able|unable|sorry,? but I can)|\bI am (?:not able|unable)"
    r"|\bI (?:can ?not|can't|can’t|won't|won’t|will not|must decline|decline to|refuse to|am not comfortable)\b"
    r"(?! (?:say|help but|find|see|tell why|determine why))"
    r"|\bas an ai\b.{0,60}\b(?:can ?not|can't|unable)\b)",
    re.IGNORECASE,
)
"""A judge that will not judge, in the first person."""

PLACEHOLDER = re.compile(
    r"(?:(?:your|ваш[аие]?|итогов\w\w|целое)[ _])?(?:rating|score|grade|number|points?|value|verdict|integer|int"
    r"|num|digit|оценка|рейтинг|число|баллы?|значение|вердикт|номер|цифра|[nxyk])"
    r"(?:\s?(?:/|из|out of) ?\d{1,3}"
    r"| (?:от|from|between) \d{1,3} (?:до|to|and) \d{1,3}|[ (]{1,2}\d{1,3} ?[-–] ?\d{1,3}\)?)?"
    r"|n/a|none|null|нет|н/д|[…?_.—–-]*",
    re.IGNORECASE,
)
"""What a judge that repeats its instructions leaves where the verdict belongs."""

NUMBER_WORDS = {
    **dict.fromkeys(("ноль", "нуль", "zero"), 0),
    **dict.fromkeys(("один", "одна", "единица", "one"), 1),
    **dict.fromkeys(("два", "две", "двойка", "two"), 2),
    **dict.fromkeys(("три", "тройка", "three"), 3),
    **dict.fromkeys(("четыре", "четвёрка", "четверка", "four"), 4),
    **dict.fromkeys(("пять", "пятёрка", "пятерка", "five"), 5),
    **dict.fromkeys(("шесть", "шестёрка", "шестерка", "six"), 6),
    **dict.fromkeys(("семь", "семёрка", "семерка", "seven"), 7),
    **dict.fromkeys(("восемь", "восьмёрка", "восьмерка", "eight"), 8),
    **dict.fromkeys(("девять", "девятка", "nine"), 9),
    **dict.fromkeys(("десять", "десятка", "ten"), 10),
}

WHOLE_WORDS = {"пяти": 5, "five": 5, "семи": 7, "seven": 7, "десяти": 10, "ten": 10, "ста": 100, "hundred": 100}
"""What a number may be out of."""

TIE = re.compile(
    r"tied?|draw|equal|both|none|ничь[яюи]|равны|равно|равны[йе]|равенство|одинаков[оы]|поровну|оба|никто",
    re.IGNORECASE,
)
"""Neither is better."""


_CLAUSE = re.compile(r"[,;]\s")


def is_of_others(sentence: str) -> bool:
    """Whether a sentence, up to a value in it, says that the value is somebody else's or of something else."""
    return bool(SAID_BY_OTHERS.search(sentence) or OF_OTHER_THINGS.search(_CLAUSE.split(sentence)[-1]))


ORDINARY_LABEL = re.compile(
    r"[\s*_#]*+(?:(?:моя|итоговая|общая|финальная|итоговый|my|final|overall|the)\s++)?(?:оценка|рейтинг|вердикт"
    r"|балл|баллы|итог|rating|score"
    r"|grade|verdict|points)[\s*_]*+[:—–]?[\s*_`$]*+",
    re.IGNORECASE,
)
"""What stands before most verdicts: a label, and nothing that could change what it says."""
