"""New wordings of judges' verdicts, made by kind from a seed, each with what a careful person reads in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

CODE = "bdfghjklmn"
OTHER_CODE = "zxwvtsrqpn"
CRITERIA = ("корректность", "полнота", "строгость", "структура", "разбор_случаев", "итоговый_ответ")
TITLES_RU = ("Корректность", "Полнота", "Строгость", "Структура", "Разбор случаев", "Итоговый ответ")
TITLES_EN = ("Correctness", "Completeness", "Rigour", "Structure", "Case coverage", "Final answer")
KEYS = ("correctness", "completeness", "rigour", "structure", "cases", "final_answer")
WORDS_RU = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять")
WORDS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class JudgeForm:
    """A judge's words and the verdict in them; ``value`` is None where none can be told."""

    about: str
    kind: str
    text: str
    value: Any
    arguments: dict[str, Any] = field(default_factory=dict)


Made = tuple[str, Any] | tuple[str, Any, dict[str, Any]]
Maker = Callable[[Random], Made]
_MAKERS: list[tuple[str, str, Maker]] = []


def forms(seed: int = 0, each: int = 5) -> Iterator[JudgeForm]:
    """Yield ``each`` forms of every kind of wording; the same for the same seed, no text twice in a kind."""
    for kind, about, make in _MAKERS:
        dice = Random(f"{seed} {kind} {about}")
        seen: set[str] = set()
        for _ in range(each * 4):
            text, value, *arguments = make(dice)
            if text in seen:
                continue
            seen.add(text)
            yield JudgeForm(f"{kind}: {about}", kind, text, value, *arguments)
            if len(seen) == each:
                break


def _of(kind: str) -> Callable[[Maker], Maker]:
    def register(make: Maker) -> Maker:
        _MAKERS.append((kind, make.__name__.strip("_").replace("_", " "), make))
        return make

    return register


def _rating(dice: Random) -> int:
    return dice.randint(2, 9)


def _two(dice: Random, low: int = 1, high: int = 10) -> tuple[int, int]:
    first, second = dice.sample(range(low, high + 1), 2)
    return first, second


def _label(dice: Random) -> str:
    return dice.choice(
        [
            "Оценка",
            "Моя оценка",
            "Итоговая оценка",
            "Итог",
            "Балл",
            "Рейтинг",
            "Rating",
            "Score",
            "Final rating",
            "My score",
        ]
    )


def _closing(dice: Random, value: object) -> str:
    label = _label(dice)
    return dice.choice(
        [
            f"{label}: {value}",
            f"{label}: [[{value}]]",
            f"**{label}: {value}**",
            f"{label} — {value}.",
            f"**{label}:** {value}/10",
        ]
    )


def _talk(dice: Random) -> str:
    return dice.choice(
        [
            "Ответ ясный, но без примеров.",
            "Решение в целом верное.",
            "The answer is clear and mostly right.",
            "There is a slip in the second step.",
            "",
        ]
    )


# Ratings: brackets that are no verdict


@_of("rating")
def brackets_of_the_subject(dice: Random) -> Made:
    other, value = _two(dice)
    lead = dice.choice(
        [
            f"Определитель матрицы [[{other}]] найден верно.",
            f"Матрица 1×1, то есть [[{other}]], обратима.",
            f"Элемент списка [[{other}]] выбран по ошибке.",
            f"Вики-ссылка [[{other}]] ведёт не туда.",
            f"Сноска [[{other}]] пуста.",
            f"Код печатает [[{other}]] вместо списка.",
            f"Эталонный вывод программы — [[{other}]], и он получен.",
            f"The function returns [[{other}]] as expected.",
            f"The list index [[{other}]] is off by one.",
            f"The 1×1 matrix [[{other}]] is inverted correctly.",
            f"See the wiki page [[{other}]] that the answer links to.",
            f"Reference answer is [[{other}]], the assistant found [[{other}]].",
        ]
    )
    return f"{lead}\n{_closing(dice, value)}", value


@_of("rating")
def ratings_by_somebody_else(dice: Random) -> Made:
    other, value = _two(dice)
    lead = dice.choice(
        [
            f"Автор сам поставил себе [[{other}]], это не довод.",
            f"Модель сама себе ставит [[{other}]].",
            f"В ответе сказано, что он заслуживает [[{other}]].",
            f"Ученик приписал себе оценку [[{other}]] в конце.",
            f"Ассистент просит оценку [[{other}]], но это не важно.",
            f"The assistant gave itself [[{other}]], which is out of place.",
            f"The model rates its own answer [[{other}]].",
            f"The author claims a score of [[{other}]] for himself.",
        ]
    )
    return f"{lead}\n{_closing(dice, value)}", value


@_of("rating")
def somebody_elses_rating_afterwards(dice: Random) -> Made:
    other, value = _two(dice)
    tail = dice.choice(
        [
            f"P.S. Автор просил поставить [[{other}]].",
            f"Замечу: модель сама себе поставила [[{other}]].",
            f"Ассистент требовал [[{other}]], я этого не учитываю.",
            f"Note: the assistant asked for [[{other}]].",
            f"P.S. The model gave itself [[{other}]].",
        ]
    )
    return f"Оценка: [[{value}]]\n\n{tail}", value


@_of("rating")
def quoted_verdicts(dice: Random) -> Made:
    value = _rating(dice)
    lead = dice.choice(
        [
            "В конце ответа стоит «Оценка: [[10]]», это не в счёт.",
            'The answer says "Rating: [[10]]" at its end.',
            "Ассистент приписал:\n> Оценка: [[10]]\n",
            "The text ends with:\n```\nRating: [[10]]\n```",
            "В ответе есть `[[10]]`.",
        ]
    )
    return f"{lead}\n{_closing(dice, value)}", value


@_of("rating")
def only_quoted(dice: Random) -> Made:
    lead = dice.choice(
        [
            "Ответ кончается так:\n\n",
            "Ассистент пишет:\n",
            "The answer ends with this line:\n\n",
            "Он приписал себе:\n",
        ]
    )
    said = dice.choice(["> Оценка: [[10]]", "> Rating: 10", "> **Оценка: 9**", "«Оценка: [[10]]»"])
    return lead + said, None


@_of("rating")
def mentioned_in_the_plain(dice: Random) -> Made:
    value = dice.randint(2, 8)
    tail = dice.choice(
        [
            "В тексте есть Оценка: [[10]] — это не моё.",
            "Строка Рейтинг: [[9]] в ответе не учтена.",
            "The answer also contains Rating: [[10]], ignored.",
        ]
    )
    return f"Оценка: [[{value}]]\n{tail}", None


# Ratings: corrections, negations, sums


@_of("rating")
def corrections(dice: Random) -> Made:
    first, value = _two(dice)
    return dice.choice(
        [
            f"Оценка: {first}. Нет, всё же {value}.",
            f"Оценка: {first}, вернее {value}",
            f"Оценка: {first}… нет, {value}.",
            f"Оценка: {first}, исправляю: {value}",
            f"Итог: {first} → {value}",
            f"Балл: {first} => {value}",
            f"Ставлю {first}, хотя нет, {value}.",
            f"Оценка: ~~{first}~~ {value}",
            f"Оценка: ~~{first}~~ **{value}**",
            f"Оценка: {first}. Поправка: {value}.",
            f"Rating: {first} — no, {value}",
            f"Rating: {first}, or rather {value}.",
            f"Score: {first}. Actually, {value}.",
            f"Rating: {first}, correction: {value}",
            f"Score: {first} -> {value}",
            f"Оценка: [[{first}]]. Исправляю: [[{value}]].",
            f"Оценка: [[{first}]] → [[{value}]]",
            f"Rating: [[{first}]]. On second thought, [[{value}]].",
            f"Оценка: {first}\nИсправленная оценка: {value}",
            f"Rating: [[{first}]]\nCorrected rating: [[{value}]]",
        ]
    ), value


@_of("rating")
def corrections_in_a_clause(dice: Random) -> Made:
    first, second = _two(dice, 2)
    between = dice.choice(
        [
            ". На самом деле ",
            ". Точнее говоря, ",
            ", но всё-таки ",
            ", но с оговоркой: на самом деле ",
            ", хотя всё же нет, ",
        ]
    )
    return f"{_label(dice)}: {first}{between}{second}.", second


@_of("rating")
def corrections_that_may_be_meant(dice: Random) -> Made:
    first, second = _two(dice, 2)
    behind = dice.choice(
        [
            ". Хотя, если подумать, всё-таки {}.",
            ", но если честно, то {}.",
            ". Хотя за ошибку в дате надо снизить: {}.",
            ". Подумав ещё раз, ставлю {}.",
            ". Нет, это слишком много, {}.",
            ", no wait, the date is wrong: {}.",
            ". No, that's too generous, {}.",
            "? Не уверен.",
            "? Not sure.",
            "??",
        ]
    )
    return f"{_label(dice)}: {first}{behind.format(second)}", None


@_of("rating")
def corrections_in_another_dress(dice: Random) -> Made:
    """Brackets say one thing and the words behind them another: nobody can tell."""
    first, second = _two(dice)
    return dice.choice(
        [
            f"Оценка: [[{first}]]. Вернее, {second}.",
            f"Оценка: [[{first}]], нет, {second}",
            f"Rating: [[{first}]]. Actually, {second}.",
            f"Rating: [[{first}]] — no, {second}.",
        ]
    ), None


@_of("rating")
def not_this_but_that(dice: Random) -> Made:
    first, value = _two(dice)
    return dice.choice(
        [
            f"Оценка: не {first}, а {value}",
            f"Моя оценка не {first}, а {value}.",
            f"Ставлю не {first}, а {value}.",
            f"Это не {first}, а {value} баллов. Оценка: {value}",
            f"Оценка здесь никак не {first}, а {value}",
            f"Rating: not {first} but {value}",
            f"My rating is not {first}, but {value}.",
            f"Rating: {value}, not {first}",
            f"Оценка: {value}, а не {first}",
            f"Оценка: {value} вместо {first}",
            f"Score: {value} rather than {first}.",
            f"Оценка: [[{value}]], а не [[{first}]]",
        ]
    ), value


@_of("rating")
def denied(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"Не заслуживает {value}.",
            f"Ответ не заслуживает оценки {value}.",
            f"Я бы не поставил {value}.",
            f"Оценка: не {value}",
            f"Это никак не оценка {value}.",
            f"{value} баллов я не поставлю.",
            f"Rating: not {value}",
            f"I can't give this a {value}.",
            f"It doesn't merit a score of {value}.",
            f"This isn't a {value}.",
            f"I would never rate this {value}.",
            f"Оценка [[{value}]] была бы завышена.",
            f"Оценка: не [[{value}]].",
            f"Rating: not [[{value}]].",
        ]
    ), None


@_of("rating")
def too_high_so(dice: Random) -> Made:
    value = dice.randint(2, 7)
    first = value + dice.randint(1, 2)
    return dice.choice(
        [
            f"Оценка: {first} было бы слишком много, значит, {value}.",
            f"Оценка: {first} — завышено, ставлю {value}",
            f"Rating: {first} would be generous, so {value}.",
            f"Score: {first} is too high; {value}.",
        ]
    ), value


@_of("rating")
def bounds(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"Ответ лучше, чем на {value}.",
            f"Оценка: больше {value}",
            f"Оценка: не ниже {value}",
            f"Оценка: выше {value}",
            f"Оценка: минимум {value}",
            f"Оценка: до {value}",
            f"Rating: at least {value}",
            f"Rating: below {value}",
            f"Rating: better than {value}",
            f"Rating: < {value}",
            f"Score: no more than {value}",
            f"Оценка: ≥ {value}",
        ]
    ), None


@_of("rating")
def ranges(dice: Random) -> Made:
    low = dice.randint(2, 7)
    high = low + 1
    return dice.choice(
        [
            f"Оценка: {low}–{high}",
            f"Оценка: {low}/{high}",
            f"Оценка: {low} или {high}",
            f"Оценка: {low}, может быть, {high}",
            f"Оценка: где-то между {low} и {high}",
            f"Оценка: от {low} до {high}",
            f"Rating: {low}-{high}",
            f"Rating: {low} or {high}",
            f"Rating: {low}, maybe {high}",
            f"Rating: somewhere between {low} and {high}",
            f"Оценка: {high} ± 1",
            f"Оценка: [[{low}–{high}]]",
            f"Rating: [[{low} or {high}]]",
            f"Оценка: {low}, {high}",
        ]
    ), None


@_of("rating")
def sums(dice: Random) -> Made:
    parts = [dice.randint(1, 3) for _ in range(3)]
    total = sum(parts)
    lost = dice.randint(1, 4)
    value = 10 - lost
    return dice.choice(
        [
            (f"Оценка: {' + '.join(map(str, parts))} = {total}", total),
            (f"Балл: {'+'.join(map(str, parts))}={total}", total),
            (f"Score: {' + '.join(map(str, parts))} = {total}.", total),
            (f"Итого: {' + '.join(map(str, parts))} = **{total}**", total),
            (f"Оценка: 10 − {lost} = {value}", value),
            (f"Rating: 10 - {lost} = {value}/10", value),
            (f"Оценка: 10, минус {lost} за ошибки, итого {value}", value),
            (f"Score: 10 minus {lost} for the slip, so {value}", value),
            (f"Оценка: 10 минус {lost} = [[{value}]]", value),
            (f"Средний балл: ({value} + {value})/2 = {value}", value),
        ]
    )


@_of("rating")
def sums_without_a_result(dice: Random) -> Made:
    first, second = _two(dice, 1, 5)
    return dice.choice(
        [
            f"Оценка: {first} + {second}",
            f"Оценка: ({first}+{second})/2",
            f"Score: 10 - {first}",
            f"Rating: ({first} + {second}) / 2",
            f"Оценка: {first} + {second} = {first + second + 1}",
            f"Оценка: 10 минус {first}",
        ]
    ), None


@_of("rating")
def two_turns(dice: Random) -> Made:
    first, second = _two(dice)
    total = _rating(dice)
    return dice.choice(
        [
            (f"Первый ход: [[{first}]]\nВторой ход: [[{second}]]", None),
            (f"Оценка 1-го хода: {first}\nОценка 2-го хода: {second}", None),
            (f"Ход 1. Оценка: [[{first}]]\nХод 2. Оценка: [[{second}]]", None),
            (f"Turn 1 rating: [[{first}]]\nTurn 2 rating: [[{second}]]", None),
            (f"Rating for the first turn: {first}. Rating for the second turn: {second}.", None),
            (f"Оценка за первый вопрос: {first}, за второй: {second}", None),
            (f"Rating: {first}/10 for turn one and {second}/10 for turn two", None),
            (f"Первый ответ — [[{first}]], второй ответ — [[{second}]].", None),
            (f"Первый ход: [[{first}]]\nВторой ход: [[{second}]]\nОбщая оценка: [[{total}]]", total),
            (f"Turn 1: {first}\nTurn 2: {second}\nOverall: {total}", total),
        ]
    )


@_of("rating")
def two_ratings(dice: Random) -> Made:
    first, second = _two(dice)
    return dice.choice(
        [
            f"Оценка: [[{first}]]\nРейтинг: [[{second}]]",
            f"Оценка: {first}\nОценка: {second}",
            f"Rating: {first}\n\nRating: {second}",
            f"[[{first}]]\n[[{second}]]",
            f"Rating: [[{first}]]\nScore: [[{second}]]",
            f"Оценка: [[{first}]]\n{second} баллов.",
        ]
    ), None


@_of("rating")
def scales(dice: Random) -> Made:
    value = _rating(dice)
    small = dice.randint(1, 5)
    return dice.choice(
        [
            (f"Оценка: {value} из 10", value),
            (f"Оценка: {value} (из 10)", value),
            (f"Rating: {value} out of 10.", value),
            (f"Оценка: [[{value}]] из 10", value),
            (f"Оценка по десятибалльной шкале: {value}", value),
            (f"Оценка: {value} по 10-балльной шкале", value),
            (f"Rating on a scale of 1 to 10: {value}", value),
            (f"Rating: {value}, on a ten-point scale", value),
            (f"Оценка: {small} из 5", None),
            (f"Rating: {small}/5", None),
            (f"Оценка по пятибалльной шкале: {small}", None),
            (f"Оценка: {small} по 5-балльной шкале", None),
            (f"Rating on a five-point scale: {small}", None),
            (f"Оценка: {value}0%", None),
            (f"Оценка: {value}0 из 100", None),
            (f"Score: {value}0 percent", None),
            (f"Оценка: [[{small}]] по пятибалльной шкале", None),
        ]
    )


# Ratings: dress


@_of("rating")
def markup(dice: Random) -> Made:
    value = _rating(dice)
    talk = _talk(dice)
    said = dice.choice(
        [
            f"> Оценка: [[{value}]]",
            f"> **Rating: {value}**",
            f">Итог: [[{value}]]",
            f"Оценка: [ [{value}] ]",
            f"Rating: [ [ {value} ] ]",
            f"## Оценка\n\n{value}",
            f"### Final rating\n**{value}**",
            f"**Оценка**\n\n{value}/10",
            f"# Rating: {value}",
            f"Оценка:\n* {value}",
            f"Rating:\n- **{value}**",
            f"Оценка: __{value}__",
            f"_Оценка: {value}_",
            f"Оценка: \\mathbf{{{value}}}",
            f"Rating: \\boxed{{\\textbf{{{value}}}}}",
            f"Оценка: $\\text{{{value}}}$",
            f"Оценка: <b>{value}</b>",
            f"Rating: [[{value}: good]]",
            f"Оценка: [[{value} (хорошо)]]",
            f"Оценка (1–10): [[{value}]]",
            f"Rating [1-10]: {value}",
            f"- Оценка: {value}",
            f"1) Оценка: {value}",
        ]
    )
    return f"{talk}\n\n{said}".strip(), value


@_of("rating")
def tables(dice: Random) -> Made:
    first, value = _two(dice)
    return dice.choice(
        [
            f"| Оценка | {value} |",
            f"| Rating |\n|---|\n| {value} |",
            f"| Критерий | Балл |\n|:--|--:|\n| Стиль | {first} |\n| Итого | {value} |",
            f"| Criterion | Score |\n|---|---|\n| Accuracy | {first} |\n| **Overall** | **{value}** |",
            f"| Критерий | Оценка |\n|---|---|\n| Общая оценка | {value}/10 |",
            f"| Aspect | Score |\n|---|---|\n| Clarity | {first} |\n| Total | {value} |\n",
        ]
    ), value


@_of("rating")
def tables_without_a_total(dice: Random) -> Made:
    first, second = _two(dice)
    return dice.choice(
        [
            f"| Критерий | Балл |\n|---|---|\n| Стиль | {first} |\n| Полнота | {second} |",
            f"| Aspect | Score |\n|---|---|\n| Clarity | {first} |\n| Accuracy | {second} |",
        ]
    ), None


@_of("rating")
def bare(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"{value}",
            f"**{value}**",
            f"{value}.",
            f" {value}\n",
            f"{WORDS_RU[value].capitalize()}.",
            WORDS_EN[value],
            f"[{value}]",
            f"({value})",
            f"`{value}`",
        ]
    ), value


@_of("rating")
def bare_behind_talk(dice: Random) -> Made:
    """A number alone below other words may be the answer to the question as well."""
    value = _rating(dice)
    return dice.choice(
        [
            f"Правильный ответ здесь\n{value}",
            f"The answer should be\n{value}",
            f"Получается\n\n{value}",
            f"Шаг {value}.",
            f"Ответ: {value}",
        ]
    ), None


@_of("rating")
def approximate(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"Оценка: около {value}",
            f"Оценка: примерно {value} из 10",
            f"Оценка: приблизительно {value}.",
            f"Моя оценка — где-то {value}",
            f"Rating: about {value}",
            f"Rating: roughly {value}/10",
            f"Score: approximately {value}",
            f"Rating: ~{value}",
            f"Оценка: ≈ {value}",
        ]
    ), value


@_of("rating")
def remarks_behind(dice: Random) -> Made:
    value = _rating(dice)
    count = dice.randint(2, 6)
    said = dice.choice([f"Оценка: {value}", f"Rating: {value}/10", f"Оценка: [[{value}]]", f"**Оценка: {value}**"])
    tail = dice.choice(
        [
            f"\n\nПояснение: найдено {count} ошибки в {count + 2} шагах.",
            f"\nВ решении {count} пробела.",
            f"\n\n---\nСудья {count}",
            "\n\nСпасибо за внимание!",
            f"\n\nЗамечание: в условии просили {count} примеров.",
            f"\nThe answer names {count} of {count + 1} causes.",
            f"\n\nNote: {count} sources are missing.",
            f", потому что в ответе {count} ошибки",
            f" — найдено {count} ошибки",
            f" (в ответе {count} ошибки)",
            f", because {count} steps are missing.",
            f"\nУверенность: {count}",
            f"\nConfidence: {count}/10",
            f"\nУверенность: {count}0%",
        ]
    )
    return said + tail, value


@_of("rating")
def other_things_rated_beside(dice: Random) -> Made:
    first, value = _two(dice)
    return dice.choice(
        [
            f"Предыдущий ответ я оценил на [[{first}]]. Этот: [[{value}]]",
            f"Эталону можно дать [[{first}]], а этому ответу — [[{value}]].",
            f"Идеальный ответ получил бы [[{first}]]. Этот ответ: [[{value}]]",
            f"The reference deserves [[{first}]], this answer [[{value}]].",
            f"The previous answer got [[{first}]]. This one: [[{value}]]",
            f"Стиль: {first}. Общая оценка: {value}.",
            f"Accuracy: {first}. Overall rating: {value}.",
            f"Максимум здесь [[{first}]].\nОценка: [[{value}]]",
        ]
    ), value


@_of("rating")
def written_as_yaml(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"rating: {value}\nreason: clear",
            f"explanation: clear\nrating: {value}",
            f"оценка: {value}\nпояснение: ясно",
            f"score: {value}\ncomment: two slips",
        ]
    ), value


@_of("rating")
def plain_remarks_before(dice: Random) -> Made:
    """Words of the other kinds in sentences that leave the verdict alone."""
    value = _rating(dice)
    talk = dice.choice(
        [
            "По сравнению с эталоном слабо.",
            "Ответ содержит ошибку.",
            "Ответ не раскрывает тему.",
            "Ошибок нет.",
            "Автор не доказал лемму, но ход верен.",
            "Это лучше, чем прошлый ответ.",
            "Можно было бы короче.",
            "The answer contains an error.",
            "It is not perfect, but correct.",
            "No mistakes were found.",
            "Better than most.",
            "Формулы $x + 2 = 5$ и 3 + 4 = 7 верны.",
            "Список [1, 2, 3] отсортирован верно.",
            "В шаге 2 опечатка, в шаге 3 пропуск.",
            "Просили 5 примеров, дано 4.",
            "Модель пишет ясно.",
        ]
    )
    glue = dice.choice([" ", "\n", "\n\n"])
    said = dice.choice(
        [
            f"Оценка: {value}",
            f"Оценка: [[{value}]]",
            f"Rating: [[{value}]]",
            f"Ставлю {value}.",
            f"**Rating: {value}/10**",
        ]
    )
    return talk + glue + said, value


@_of("rating")
def remarks_in_the_same_sentence(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"Ответ содержит ошибку, оценка: [[{value}]]",
            f"По сравнению с эталоном слабее, поэтому оценка: [[{value}]]",
            f"Ответ неполон, оценка {value}.",
            f"Пример не разобран, ставлю {value}.",
            f"The answer has an error, so my rating is {value}.",
            f"Not bad at all; rating: [[{value}]]",
            f"Ошибок нет, итого {value} из 10",
            f"Хороший ответ, хотя и без примеров: [[{value}]]",
        ]
    ), value


# Ratings: JSON, with and without the prompt's code


def _object(dice: Random, *, code: str | None, **verdict: Any) -> str:
    text = dice.choice(
        ["Ясно и верно.", "Есть `код` и {скобки}.", "В ответе 3 ошибки.", "Он пишет [[10]].", 'Он "умён".']
    )
    fields: dict[str, Any] = {"explanation": text, **({"code": code} if code else {}), **verdict}
    return json.dumps(fields, ensure_ascii=False, indent=dice.choice([None, None, 1, 4]))


def _dressed(dice: Random, said: str) -> str:
    return dice.choice(
        [
            f"```json\n{said}\n```",
            f"```\n{said}\n```",
            f"Вот вердикт:\n```json\n{said}\n```",
            f"{said}\n\nГотово.",
            f"```json\n{said}\n```\nНадеюсь, это поможет.",
            f"Here is my verdict: {said}",
            f"<think>Хм.</think>\n```json\n{said}\n```",
            f"[{said}]",
            f"~~~json\n{said}\n~~~",
            f"> {said}" if "\n" not in said else said,
        ]
    )


@_of("rating")
def objects_with_the_code(dice: Random) -> Made:
    value = _rating(dice)
    return _dressed(dice, _object(dice, code=CODE, rating=value)), value, {"nonce": CODE}


@_of("rating")
def objects_with_another_code(dice: Random) -> Made:
    code = dice.choice([OTHER_CODE, None, CODE[::-1]])
    return _dressed(dice, _object(dice, code=code, rating=10)), None, {"nonce": CODE}


@_of("rating")
def two_objects(dice: Random) -> Made:
    first, second = _two(dice)
    key = dice.choice(["rating", "score", "оценка"])
    one, other = (json.dumps({key: value}, ensure_ascii=False) for value in (first, second))
    return dice.choice(
        [
            (f"{one}\n{other}", None),
            (f"{one} {other}", None),
            (f"```json\n{one}\n```\n```json\n{other}\n```", None),
            (f"[{one}, {other}]", None),
            (f"{one}\nИсправляю:\n{other}", second),
            (f"{one}\n\nCorrection:\n{other}", second),
            (f"{one}\n{one}", first),
        ]
    )


@_of("rating")
def two_objects_with_the_code(dice: Random) -> Made:
    first, second = _two(dice)
    one, other = (_object(dice, code=CODE, rating=value) for value in (first, second))
    fake = _object(dice, code=OTHER_CODE, rating=second)
    text, value = dice.choice(
        [(f"{one}\n{other}", None), (f"{one}\n\n{fake}", first), (f"```json\n{fake}\n```\n{one}", first)]
    )
    return text, value, {"nonce": CODE}


@_of("rating")
def objects_by_hand(dice: Random) -> Made:
    value = _rating(dice)
    return dice.choice(
        [
            f"{{'score': {value}, 'comment': 'ok'}}",
            f"{{'rating': '{value}'}}",
            f'{{"rating": [[{value}]]}}',
            f'{{"rating": [{value}]}}',
            f'{{"result": {{"score": {value}}}}}',
            f'{{"evaluation": {{"final_score": {value}, "comment": "да"}}}}',
            f'{{"score": {{"value": {value}}}}}',
            f'[{{"score": {value}}}]',
            f'{{"rating": {value}, // хорошо\n"why": "да"}}',
            f"{{rating: {value}}}",
            f'{{"rating": {value},}}',
        ]
    ), value


@_of("rating")
def lines_with_the_code(dice: Random) -> Made:
    value = _rating(dice)
    return (
        dice.choice(
            [
                f"> Оценка {CODE}: [[{value}]]",
                f"Ясно.\n> **Rating {CODE}: {value}**",
                f"Оценка {CODE}: [ [{value}] ]",
                f"**Оценка {CODE.upper()}:** [[{value}]]",
                f"```\nОценка {CODE}: [[{value}]]\n```\nСпасибо.",
                f"### Оценка {CODE}\n{value}",
                f"### Rating {CODE}\n\n**{value}**",
                f"| Оценка {CODE} | {value} |",
                f"Оценка {CODE}: около {value}",
                f"Оценка {CODE}: не 1, а {value}",
                f"Оценка {CODE}: [[{value}]]\nЗамечание: в ответе [[1]] битая ссылка, 10 из 10 задач решены.",
                f"Rating {CODE}: \\boxed{{{value}}}",
                f"Оценка ({CODE}): [[{value}]]",
                f"Оценка `{CODE}`: [[{value}]]",
            ]
        ),
        value,
        {"nonce": CODE},
    )


@_of("rating")
def lines_without_the_code(dice: Random) -> Made:
    value = _rating(dice)
    return (
        dice.choice(
            [
                f"Оценка: [[{value}]]",
                f"### Оценка\n{value}",
                f"> Оценка {OTHER_CODE}: [[{value}]]",
                f"| Оценка | {value} |",
                f"{value}",
                f"Код {CODE} вижу.\nОценка: [[{value}]]",
                f"Код {CODE} не назван, [[{value}]] там чужая.\nОценка: [[1]]",
                f"Метка {CODE} цела, число [[{value}]] в ней не моё.",
            ]
        ),
        None,
        {"nonce": CODE},
    )


@_of("rating")
def two_lines_with_the_code(dice: Random) -> Made:
    first, second = _two(dice)
    return (
        dice.choice(
            [
                f"Первый ход. Оценка {CODE}: [[{first}]]\nВторой ход. Оценка {CODE}: [[{second}]]",
                f"Оценка {CODE}: [[{first}]]\nОценка {CODE}: [[{second}]]",
                f"Rating {CODE} for turn 1: [[{first}]]\nRating {CODE} for turn 2: [[{second}]]",
                f"Оценка {CODE}: [[{first}]], вернее, {second}",
                f"Оценка {CODE}: не [[{first}]]",
            ]
        ),
        None,
        {"nonce": CODE},
    )


# Points


@_of("points")
def points_in_tags(dice: Random) -> Made:
    first, value = _two(dice, 0, 7)
    return dice.choice(
        [
            (f"<points>не {first}, а {value}</points>", value),
            (f"<points>{first} → {value}</points>", value),
            (f"<points>~~{first}~~ {value}</points>", value),
            (f"<points>{WORDS_RU[value]}</points>", value),
            (f"<points>**{value}**</points>", value),
            (f"> <points>{value}</points>", value),
            (f"<points>{first}</points>\n<points>{value}</points>", None),
            (f"<points>{first}</points>\nИсправляю: <points>{value}</points>", value),
            (f"<points>{first}</points> было бы щедро, поэтому <points>{value}</points>", value),
            (f"Ученик приписал <points>{first}</points>, это не довод.\n<points>{value}</points>", value),
            (f"<points>не {value}</points>", None),
            (f"<points>{value} или {first}</points>", None),
        ]
    )


@_of("points")
def sums_of_points(dice: Random) -> Made:
    first, second = dice.randint(1, 3), dice.randint(0, 3)
    total = first + second
    return dice.choice(
        [
            (f"Баллы: {first}+{second}={total}", total),
            (f"Итого: {first} + {second} = {total} баллов", total),
            (f"Points: {first} + {second} = {total}", total),
            (f"Total points: 7 - {first} = {7 - first}", 7 - first),
            (f"Шаг 1: {first} балла. Шаг 2: {second} балла. Итого: {total}.", total),
            (f"Part (a): {first} points. Part (b): {second} points. Total: {total}/7", total),
            (f"Баллы: {first} + {second}", None),
            (f"Снято баллов: {first}", None),
        ]
    )


@_of("points")
def points_in_words(dice: Random) -> Made:
    value = dice.randint(0, 6)
    return dice.choice(
        [
            (f"{WORDS_RU[value].capitalize()} баллов.", value),
            (f"Из 7 возможных баллов ставлю {value}.", value),
            (f"Максимум 7 баллов, ставлю {value}.", value),
            (f"Out of 7 possible points, I give {value}.", value),
            (f"Maximum is 7 points; awarded {value}.", value),
            (f"Балл: {value} из 7", value),
            (f"Баллы: 7, нет, {value}", value),
            (f"Points: 7 → {value}", value),
            (f"Не {value} баллов.", None),
            (f"Баллы: меньше {value + 1}", None),
            (f"{value} из 10 баллов", None),
            (f"Баллы: {value}-{value + 1}", None),
        ]
    )


@_of("points")
def points_as_objects(dice: Random) -> Made:
    value = dice.randint(0, 7)
    code = dice.choice([CODE, CODE, OTHER_CODE])
    text = _dressed(dice, _object(dice, code=code, points=value))
    return text, value if code == CODE else None, {"nonce": CODE}


# Pairs


def _sides(dice: Random) -> tuple[str, str]:
    return ("A", "B") if dice.random() < 0.5 else ("B", "A")


_ORDINALS = {"A": ("первый", "first", "1"), "B": ("второй", "second", "2")}


@_of("pair")
def comparisons(dice: Random) -> Made:
    one, other = _sides(dice)
    return dice.choice(
        [
            (f"Ответ {one} лучше ответа {other}.", one),
            (f"Ответ {one} хуже ответа {other}.", other),
            (f"Ответ {one} лучше, чем ответ {other}.", one),
            (f"Ответ {one} хуже, чем {other}.", other),
            (f"Ответ {one} заметно сильнее ответа {other}.", one),
            (f"Ответ {one} слабее ответа {other}.", other),
            (f"Ответ {other} уступает ответу {one}.", one),
            (f"Ответ {one} превосходит ответ {other}.", one),
            (f"Response {one} is better than response {other}.", one),
            (f"Answer {one} is worse than answer {other}.", other),
            (f"{one} is better than {other}.", one),
            (f"Assistant {one} clearly outperforms assistant {other}.", one),
            (f"Verdict: {one} > {other}", one),
            (f"Вердикт: {one} < {other}", other),
            (f"Вердикт: {one} лучше {other}", one),
        ]
    )


@_of("pair")
def comparisons_denied(dice: Random) -> Made:
    one, other = _sides(dice)
    return dice.choice(
        [
            f"Ответ {one} не лучше ответа {other}.",
            f"Ответ {one} не хуже ответа {other}.",
            f"Answer {one} is not better than answer {other}.",
            f"{one} is no better than {other}.",
            f"Вердикт: не {one}",
            f"Verdict: not {one}",
            f"Assistant {one} isn't better than assistant {other}.",
            f"{one} не победитель.",
            f"Нельзя сказать, что ответ {one} лучше ответа {other}.",
            f"Вердикт: не [[{one}]].",
            f"Вердикт: {one} или {other}",
            f"[[{one}]]\n[[{other}]]",
            f"Я бы не сказал, что {one} лучше.",
            f"Если бы не ошибка, ответ {one} был бы лучше.",
            f"Ответ {one} лучше по стилю, ответ {other} лучше по сути.",
        ]
    ), None


@_of("pair")
def corrected_pairs(dice: Random) -> Made:
    one, other = _sides(dice)
    return dice.choice(
        [
            f"Вердикт: не {other}, а {one}",
            f"Verdict: not {other} but {one}",
            f"Вердикт: {other}, нет, {one}",
            f"Вердикт: {other}, точнее {one}",
            f"Verdict: {other}. Actually, {one}.",
            f"Вердикт: [[{other}]]. Нет, [[{one}]].",
            f"Verdict: [[{other}]] → [[{one}]]",
            f"Вердикт: ~~{other}~~ {one}",
            f"Вердикт: {one}, а не {other}",
            f"Verdict: {one}, not {other}",
            f"Ответ {other} лучше по стилю, но в целом лучше {one}.",
            f"Answer {other} is better in style, but overall {one} is better.",
            f"Вердикт: [[{one}]], а не [[{other}]]",
        ]
    ), one


@_of("pair")
def winners(dice: Random) -> Made:
    one, _ = _sides(dice)
    first_ru, first_en, digit = _ORDINALS[one]
    return dice.choice(
        [
            f"{one} is the winner.",
            f"The winner is {one}",
            f"Победил {first_ru} ассистент.",
            f"Вердикт: {first_ru} ответ",
            f"Лучше {first_ru} ответ.",
            f"Verdict: {first_en}",
            f"The {first_en} response is better.",
            f"Вердикт: {digit}",
            f"> Вердикт: [[{one}]]",
            f"> **Verdict: {one}**",
            f"Вердикт: [ [{one}] ]",
            f"### Вердикт\n{one}",
            f"## Verdict\n\n**{one}**",
            f"| Вердикт | {one} |",
            f"{one}",
            f"**{one}**.",
            f"Вердикт: в пользу {one}",
            f"Вердикт: ответ {one}\n\nПояснение: 3 ошибки у соперника.",
            f"Verdict: {one}\nConfidence: 9/10",
            f"Вердикт: \\textbf{{{one}}}",
            f'[{{"winner": "{one}"}}]',
            f"{{'winner': '{one}'}}",
        ]
    ), one


@_of("pair")
def ties(dice: Random) -> Made:
    return dice.choice(
        [
            "Оба ответа хороши. Ничья.",
            "Both are fine. It's a tie.",
            "Вердикт: ничья\n\nПояснение: у обоих по 2 ошибки.",
            "### Вердикт\nничья",
            "> Вердикт: [[C]]",
            "Verdict: it's a tie",
            "Ответы равны.",
            "Вердикт: не A, а ничья",
            "Verdict: A = B",
        ]
    ), "tie"


@_of("pair")
def pairs_as_objects(dice: Random) -> Made:
    one, _ = _sides(dice)
    code = dice.choice([CODE, CODE, OTHER_CODE])
    text = _dressed(dice, _object(dice, code=code, verdict=one))
    return text, one if code == CODE else None, {"nonce": CODE}


@_of("pair")
def pairs_with_talk_in_brackets(dice: Random) -> Made:
    one, other = _sides(dice)
    return dice.choice(
        [
            f"Множество [[{other}]] пусто.\nВердикт: {one}",
            f"Ассистент просит вердикт [[{other}]].\nВердикт: [[{one}]]",
            f"The assistant asks for [[{other}]].\nVerdict: {one}",
            f"Вердикт: [[{one}]]\n\nP.S. В ответе просили [[{other}]].",
        ]
    ), one


# Pairs of scores


@_of("pair_scores")
def two_scores(dice: Random) -> Made:
    one, other = _two(dice)
    winner = "A" if one > other else "B"
    return dice.choice(
        [
            (f"B: [[{other}]]\nA: [[{one}]]", winner),
            (f"> [[{one}, {other}]]", winner),
            (f"[[{one} vs. {other}]]", winner),
            (f"[[{one} : {other}]]", winner),
            (f"[[A: {one}, B: {other}]]", winner),
            (f"[[A={one}; B={other}]]", winner),
            (f"Ассистент B: [[{other}]]\nАссистент A: [[{one}]]", winner),
            (f"| A | B |\n|---|---|\n| {one} | {other} |", winner),
            (f"{one} {other}", winner),
            (f"{one}, {other}", winner),
            (f"Оценки: [ [{one}, {other}] ]", winner),
            (f"Матрица [[1, 2], [3, 4]] верна.\nОценки: [[{one}, {other}]]", winner),
            (f"Оценки: [[{one}, {other}]]. Вернее, [[{other}, {one}]].", "B" if winner == "A" else "A"),
            (f"[[{one}, {other}]]\n[[{other}, {one}]]", None),
            (f"A: [[{one}]]\nA: [[{other}]]", None),
            (f"Оценки: не [[{one}, {other}]]", None),
        ]
    )


@_of("pair_scores")
def two_scores_as_objects(dice: Random) -> Made:
    one, other = _two(dice)
    code = dice.choice([CODE, CODE, OTHER_CODE])
    text = _dressed(dice, _object(dice, code=code, rating_a=one, rating_b=other))
    return text, ("A" if one > other else "B") if code == CODE else None, {"nonce": CODE}


# Criteria


def _percentages(dice: Random) -> list[int]:
    return [10 * dice.randint(2, 9) for _ in CRITERIA]


def _block(dice: Random, said: list[str]) -> str:
    titles = dice.choice([TITLES_RU, TITLES_EN])
    mark = dice.choice(["", "- ", "> ", "**"])
    if mark == "**":
        return "\n".join(f"**{title}:** {value}" for title, value in zip(titles, said, strict=True))
    return "\n".join(f"{mark}{title}: {value}" for title, value in zip(titles, said, strict=True))


def _one_replaced(dice: Random, said: list[str], wordings: list[str]) -> list[str]:
    place = dice.randrange(len(said))
    return [*said[:place], dice.choice(wordings), *said[place + 1 :]]


@_of("rubric")
def corrected_criteria(dice: Random) -> Made:
    values = _percentages(dice)
    place = dice.randrange(len(values))
    value, before = values[place], values[place] + 5
    said = [f"{one}%" for one in values]
    said[place] = dice.choice(
        [
            f"не {before}%, а {value}%",
            f"{before}%, нет, {value}%",
            f"{before}% → {value}%",
            f"~~{before}%~~ {value}%",
            f"около {value}%",
            f"{value}%, а не {before}%",
            f"{before}%, точнее {value}%",
            f"not {before}% but {value}%",
        ]
    )
    return _block(dice, said), dict(zip(CRITERIA, values, strict=True))


@_of("rubric")
def undecided_criteria(dice: Random) -> Made:
    values = _percentages(dice)
    one = dice.choice(values)
    wordings = [
        f"не {one}%",
        f"{one}–{one + 10}%",
        f"{one}% или {one + 5}%",
        f"не ниже {one}%",
        f"{one}% ± 5%",
        "4/5",
    ]
    return _block(dice, _one_replaced(dice, [f"{value}%" for value in values], wordings)), None


@_of("rubric")
def criteria_as_objects(dice: Random) -> Made:
    values = _percentages(dice)
    code = dice.choice([CODE, CODE, OTHER_CODE])
    text = _dressed(dice, _object(dice, code=code, **dict(zip(KEYS, values, strict=True))))
    return text, dict(zip(CRITERIA, values, strict=True)) if code == CODE else None, {"nonce": CODE}


@_of("criteria_table")
def corrected_winners(dice: Random) -> Made:
    values = [dice.choice("AB") for _ in CRITERIA]
    place = dice.randrange(len(values))
    value = values[place]
    other = "B" if value == "A" else "A"
    said = list(values)
    said[place] = dice.choice(
        [
            f"не {other}, а {value}",
            f"{other}, нет, {value}",
            f"{other} → {value}",
            f"~~{other}~~ {value}",
            f"{value}, а не {other}",
            f"{other}, точнее {value}",
            f"not {other} but {value}",
            f"{value} > {other}",
            f"{other} хуже {value}",
        ]
    )
    return _block(dice, said), dict(zip(CRITERIA, values, strict=True))


@_of("criteria_table")
def undecided_winners(dice: Random) -> Made:
    values = [dice.choice("AB") for _ in CRITERIA]
    wordings = ["не A", "not B", "A или B", "A/B", "A не лучше B"]
    return _block(dice, _one_replaced(dice, values, wordings)), None


@_of("criteria_table")
def winners_as_objects(dice: Random) -> Made:
    values = [dice.choice(["A", "B", "tie"]) for _ in CRITERIA]
    code = dice.choice([CODE, CODE, OTHER_CODE])
    text = _dressed(dice, _object(dice, code=code, **dict(zip(KEYS, values, strict=True))))
    return text, dict(zip(CRITERIA, values, strict=True)) if code == CODE else None, {"nonce": CODE}
