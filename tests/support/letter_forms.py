"""New wordings of answers to questions with lettered options, made by kind from a seed, each with what it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from evalkit.tasks.science.letters import CYRILLIC, LATIN
from evalkit.tasks.science.loaders import Question
from evalkit.tasks.science.task import question_sample

OPTIONS = (
    ("кислород", "азот", "водород", "гелий"),
    ("Пептидные связи", "Водородные связи", "Ионные связи", "Дисульфидные мостики"),
    ("50 м", "100 м", "40 м", "80 м"),
    ("в рибосоме", "в аппарате Гольджи", "в митохондрии", "в лизосоме"),
    ("O(log n)", "O(n)", "O(n log n)", "O(1)"),
    ("увеличится", "не изменится", "уменьшится", "сначала увеличится, затем уменьшится"),
    ("13 °C", "13,5 °C", "−6 °C", "7 °C"),
    ("mitochondria", "ribosomes", "the nucleus", "lysosomes"),
    ("медь", "ртуть", "железо", "олово", "свинец"),
)


@dataclass(frozen=True, slots=True)
class LetterForm:
    """An answer to a question and the place of the option that it names; ``index`` is None if none can be told."""

    about: str
    text: str
    options: tuple[str, ...]
    labels: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its options and labels, the place of the option meant and of two others."""

    options: tuple[str, ...]
    labels: str
    right: int
    other: int
    third: int

    @property
    def x(self) -> str:
        """The letter meant."""
        return self.labels[self.right]

    @property
    def y(self) -> str:
        """Another letter."""
        return self.labels[self.other]

    @property
    def z(self) -> str:
        """A third letter."""
        return self.labels[self.third]

    @property
    def words(self) -> str:
        """The words of the option meant."""
        return self.options[self.right]

    @property
    def other_words(self) -> str:
        """The words of another option."""
        return self.options[self.other]


Maker = Callable[[Random, Asked], str]
_MAKERS: list[tuple[bool, str, Maker]] = []


def forms(seed: int = 0, each: int = 5) -> Iterator[LetterForm]:
    """Yield ``each`` forms of every kind of wording; the same for the same seed, no text twice in a kind."""
    for told, about, make in _MAKERS:
        dice = Random(f"{seed} {about}")
        seen: set[str] = set()
        for _ in range(each * 4):
            asked = _asked(dice)
            text = make(dice, asked)
            if text in seen:
                continue
            seen.add(text)
            yield LetterForm(about, text, asked.options, asked.labels, asked.right if told else None)
            if len(seen) == each:
                break


def _asked(dice: Random) -> Asked:
    options = dice.choice(OPTIONS)
    labels = dice.choice([CYRILLIC, CYRILLIC, LATIN])[: len(options)]
    return Asked(options, labels, *dice.sample(range(len(options)), 3))


def _of(*, told: bool) -> Callable[[Maker], Maker]:
    def register(make: Maker) -> Maker:
        _MAKERS.append((told, make.__name__.replace("_", " "), make))
        return make

    return register


def _marker(dice: Random) -> str:
    return dice.choice(
        [
            "Ответ: ",
            "Ответ: ",
            "**Ответ:** ",
            "Ответ — ",
            "Правильный ответ: ",
            "Итоговый ответ: ",
            "Answer: ",
            "Final answer: ",
        ]
    )


def _dressed(dice: Random, letter: str) -> str:
    return dice.choice(
        ["{}", "{}", "{}", "**{}**", "«{}»", "({})", "{})", "`{}`", "[{}]", "__{}__", '"{}"', "“{}”"]
    ).format(letter)


def _think(dice: Random, asked: Asked) -> str:
    return dice.choice(
        [
            "",
            "",
            f"Рассмотрим варианты. {asked.y} не подходит по условию.\n",
            f"Сначала проверим {asked.y} и {asked.z}: оба отпадают.\n\n",
            "По определению это так.\n\n",
            f"Let us compare {asked.y} and {asked.z} first.\n\n",
        ]
    )


def _because(dice: Random, asked: Asked) -> str:
    y, z = asked.y, asked.z
    return dice.choice(
        [
            "",
            "",
            ".",
            ", потому что это следует из определения.",
            ", так как остальные варианты не подходят.",
            f", поскольку {y} и {z} неверны.",
            f". {y} и {z} не подходят.",
            f". Варианты {y} и {z} неверны.",
            f" (вариант {y} противоречит условию)",
            "\n\nПояснение: это известный факт.",
            f"\n\nПояснение: вариант {y} относится к другому случаю.",
            f"\n\n{y} — неверно, это другое явление.",
            ", because the others do not fit.",
            f", since {y} is wrong.",
            f". Option {y} is incorrect.",
        ]
    )


# Answers that name one option


@_of(told=True)
def announced_in_russian(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            "Правильный ответ под буквой",
            "Правильный ответ —",
            "Правильный ответ: вариант",
            "Верно",
            "Верно:",
            "Верный ответ -",
            "Верен вариант",
            "Итак, верен вариант",
            "Итак, верный ответ –",
            "Думаю, что",
            "Я думаю, это",
            "Я считаю, что правильный ответ",
            "Полагаю, что верный вариант —",
            "Следовательно, ответ",
            "Следовательно, правильный вариант ответа:",
            "Таким образом, правильным является вариант",
            "Таким образом, верный ответ —",
            "Значит, ответ",
            "Поэтому ответ —",
            "Отсюда следует, что правильный ответ —",
            "Мой ответ:",
            "Мой выбор —",
            "Мой окончательный ответ:",
            "Выбираю",
            "Выбираем вариант",
            "Я бы выбрал",
            "Следует выбрать вариант",
            "Нужно выбрать ответ",
            "Скорее всего, это",
            "Скорее всего",
            "Вероятно,",
            "Наверное,",
            "Подходит вариант",
            "Подходит только вариант",
            "Остаётся вариант",
            "Остается только",
            "Верный вариант ответа:",
            "Правильным будет ответ",
            "Правильным ответом является",
            "Правилен вариант",
            "Правильная буква:",
            "Буква",
            "Под буквой",
            "Вариант",
            "Вариант ответа:",
            "Пункт",
            "Это вариант",
            "Ответ на вопрос:",
            "Ответ на этот вопрос —",
            "Ответ будет",
            "В итоге ответ",
            "Итого:",
            "Вывод:",
            "Вывод: правильный ответ",
            "####",
            "→",
            "=>",
        ]
    )
    return f"{_think(dice, asked)}{lead} {_dressed(dice, asked.x)}{dice.choice(['', '', '.', '!'])}"


@_of(told=True)
def announced_in_english(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            "The answer is",
            "The answer is:",
            "The correct answer is",
            "The correct answer is option",
            "So the answer is",
            "Therefore, the answer is",
            "Thus, the correct option is",
            "Hence, option",
            "The right choice is",
            "The best answer is",
            "My answer is",
            "My final answer:",
            "I think it is",
            "I think the answer is",
            "I believe the correct answer is",
            "I would choose",
            "I'd go with",
            "I choose option",
            "It must be",
            "It's",
            "Answer",
            "ANSWER:",
            "Correct:",
            "Correct answer -",
            "Option",
            "Choice",
            "Letter:",
            "Final Answer:",
            "The final answer is",
        ]
    )
    return f"{_think(dice, asked)}{lead} {_dressed(dice, asked.x)}{dice.choice(['', '', '.', '!'])}"


@_of(told=True)
def letters_with_their_words(dice: Random, asked: Asked) -> str:
    x, words = asked.x, asked.words
    said = dice.choice(
        [
            f"{x}) {words}",
            f"{x}. {words}",
            f"{x}: {words}",
            f"{x} — {words}",
            f"{x} ({words})",
            f"({x}) {words}",
            f"**{x}) {words}**",
            f"**{x}**) {words}",
            f"{words} ({x})",
            f"{words} — {x}",
            f"{words} (вариант {x})",
            f"{words}, то есть {x}",
            f"{words}, вариант {x}",
            f"{x}, то есть {words}",
            f"вариант {x} ({words})",
            f"«{words}» ({x})",
            f"{x} «{words}»",
        ]
    )
    lead = dice.choice([_marker(dice), _marker(dice), "Правильный ответ — ", "Верно: ", "Это ", "The answer is "])
    return _think(dice, asked) + lead + said + _because(dice, asked)


@_of(told=True)
def words_instead_of_the_letter(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            _marker(dice),
            "Правильный ответ — ",
            "Верный ответ: ",
            "Ответ: это ",
            "Правильный вариант: ",
            "The answer is ",
        ]
    )
    said = dice.choice(
        ["{}", "{}.", "**{}**", "«{}»", "{}, потому что так устроено", "{}, а не " + asked.other_words]
    )
    return _think(dice, asked) + lead + said.format(asked.words)


@_of(told=True)
def places_of_options(dice: Random, asked: Asked) -> str:
    number = asked.right + 1
    ordinals = ["первый", "второй", "третий", "четвёртый", "пятый"], ["first", "second", "third", "fourth", "fifth"]
    russian, english = (words[asked.right] for words in ordinals)
    said = dice.choice(
        [
            f"вариант под номером {number}",
            f"вариант номер {number}",
            f"вариант № {number}",
            f"вариант {number}",
            f"{russian} вариант",
            f"option {number}",
            f"the {english} option",
        ]
    )
    lead = dice.choice(["Ответ: ", "Правильный ответ — ", "Ответ — ", "The answer is ", "Верный ответ: "])
    return _think(dice, asked) + lead + said + dice.choice(["", ".", f" ({asked.words})", f" ({asked.x})"])


@_of(told=True)
def bare_numbers(dice: Random, asked: Asked) -> str:
    if any(char.isdigit() for option in asked.options for char in option):
        return f"Ответ: {asked.words}"
    return dice.choice(["Ответ: {}", "Answer: {}", "**Ответ:** {}.", "\\boxed{{{}}}"]).format(asked.right + 1)


@_of(told=True)
def marked_up(dice: Random, asked: Asked) -> str:
    x, words = asked.x, asked.words
    said = dice.choice(
        [
            f"\\boxed{{{x}}}",
            f"$\\boxed{{{x}}}$",
            f"$$\\boxed{{\\text{{{x}}}}}$$",
            f"\\boxed{{\\text{{{x}) {words}}}}}",
            f"\\boxed{{\\textbf{{({x})}}}}",
            f"\\boxed{{\\mathrm{{{x}}}}}.",
            f"\\fbox{{{x}}}",
            f"Ответ: \\boxed{{{x}}}",
            f"Ответ: ${x}$",
            f"Ответ: $\\textbf{{{x}}}$",
            json.dumps({"answer": x}, ensure_ascii=False),
            json.dumps({"explanation": "Так.", "answer": x}, ensure_ascii=False),
            json.dumps({"ответ": x, "пояснение": "Так."}, ensure_ascii=False),
            json.dumps({"correct_answer": x}, ensure_ascii=False),
            json.dumps({"final_answer": f"{x}) {words}"}, ensure_ascii=False),
            json.dumps({"reasoning": "Так.", "choice": x}, ensure_ascii=False),
            f"```json\n{json.dumps({'answer': x}, ensure_ascii=False, indent=2)}\n```",
            f"{{'answer': '{x}'}}",
            f"<answer>{x}</answer>",
            f"<answer>\n{x}\n</answer>",
            f"<answer>{x}) {words}</answer>",
            f"<ответ>{x}</ответ>",
            f"<final_answer>{x}</final_answer>",
            f"<b>Ответ:</b> {x}",
            f"Ответ: <b>{x}</b>",
            f"Ответ: <strong>{x}</strong>",
            f"| Ответ | {x} |",
            f"| Ответ |\n|---|\n| {x} |",
            f"| № | Ответ |\n|---|---|\n| 1 | {x} |",
            f"Ответ: |{x}|",
            f"> Ответ: {x}",
            f"- Ответ: {x}",
            f"## Ответ\n{x}",
            f"**Ответ**\n\n**{x}**",
            f"***Ответ: {x}***",
            f"Ответ:\n```\n{x}\n```",
            f"Ответ: ➡ {x}",
            f"✅ {x}",
            f"Ответ: ✅ {x}) {words}",
            f"#### {x}",
            f"Ответ={x}",
            f"Ответ:{x}",
            f"Ответ:\u00a0{x}",
            f"Ответ: \u200b{x}",
            f"ОТВЕТ : {x}",
            f"Ответ: {x.lower()}",
            f"Ответ: {x.lower()})",
        ]
    )
    return _think(dice, asked) + said


@_of(told=True)
def announced_after_the_letter(dice: Random, asked: Asked) -> str:
    x = _dressed(dice, asked.x)
    said = dice.choice(
        [
            f"{x} – правильный ответ",
            f"{x} — верный ответ.",
            f"{x} — это правильный вариант.",
            f"{x} является правильным ответом.",
            f"Вариант {x} верный.",
            f"Вариант {x} является верным.",
            f"Вариант {x} правильный, остальные нет.",
            f"Вариант {x} — верный",
            f"Ответ {x} верен.",
            f"Ответ {x} правильный",
            f"{asked.x}) {asked.words} — правильный ответ.",
            f"{x} is the correct answer.",
            f"{x} is correct.",
            f"Option {x} is correct.",
            f"Option {x} is the right answer.",
            f"{asked.words[0].upper()}{asked.words[1:]} ({asked.x}) — правильный ответ.",
        ]
    )
    return _think(dice, asked) + said


@_of(told=True)
def numbered_questions(dice: Random, asked: Asked) -> str:
    x = _dressed(dice, asked.x)
    return dice.choice(
        [
            "1. {}",
            "1) {}",
            "1 — {}",
            "1: {}",
            "1 - {}",
            "Вопрос 1: {}",
            "Вопрос 1. {}",
            "Вопрос №1 — {}",
            "Задание 3: {}",
            "№ 1: {}",
            "Question 1: {}",
            "Q1: {}",
        ]
    ).format(x)


@_of(told=True)
def other_shapes_of_letters(dice: Random, asked: Asked) -> str:
    x = asked.x
    if x in LATIN:
        place = ord(x) - ord("A")
        x = dice.choice([chr(0xFF21 + place), chr(0x1D400 + place), chr(0x24B6 + place), chr(0x1D5D4 + place)])
    return dice.choice(
        ["Ответ: {}", "Ответ: {}.", "{}", "**{}**", "Ответ: ({})", "\u200b{}", "\ufeffОтвет: {}", "Ответ: |{}|"]
    ).format(x)


@_of(told=True)
def one_alphabet_for_the_other(dice: Random, asked: Asked) -> str:
    x = (LATIN if asked.labels[0] == "А" else CYRILLIC)[asked.right]
    return dice.choice(
        [
            "Ответ: {}) {}",
            "Ответ: {}. {}",
            "Ответ: {} ({})",
            "\\boxed{{\\text{{{}: {}}}}}",
            "{}) {}",
            "Ответ: {} — {}.",
        ]
    ).format(x, asked.words)


@_of(told=True)
def the_other_alphabet_after_words(dice: Random, asked: Asked) -> str:
    x = (LATIN if asked.labels[0] == "А" else CYRILLIC)[asked.right]
    return dice.choice(["Ответ: {1} ({0})", "Ответ: {1} — {0}", "Правильный ответ: {1} (вариант {0})."]).format(
        x, asked.words
    )


@_of(told=True)
def clear_corrections(dice: Random, asked: Asked) -> str:
    x, y = asked.x, asked.y
    said = dice.choice(
        [
            f"не {y}, а {x}",
            f"не {y}, но {x}",
            f"это не {y}, это {x}",
            f"{y}, точнее {x}",
            f"{y}, вернее, {x}",
            f"{y}, ой, точнее, {x}",
            f"{y}. Исправляюсь: {x}.",
            f"{y}, ошибся, правильно {x}",
            f"{y} неверно, поэтому {x}",
            f"{y} неверен, значит {x}",
            f"{y} не подходит, остаётся {x}",
            f"{y} исключаем, поэтому {x}",
            f"скорее {x}, чем {y}",
            f"{x}, а не {y}",
            f"{x}, но не {y}",
            f"{x}, а не {y} или {asked.z}",
            f"{x} вместо {y}",
            f"~~{y}~~ {x}",
            f"~~{y}) {asked.other_words}~~ {x}) {asked.words}",
            f"not {y} but {x}",
            f"not {y}; it is {x}",
            f"{x}, not {y}",
            f"{x} rather than {y}",
            f"{y} is wrong, so {x}",
            f"{y}, I mean {x}",
            f"{y}. Correction: {x}",
        ]
    )
    return _think(dice, asked) + _marker(dice) + said + dice.choice(["", "."])


@_of(told=True)
def explained_letters(dice: Random, asked: Asked) -> str:
    return _think(dice, asked) + _marker(dice) + _dressed(dice, asked.x) + _because(dice, asked)


@_of(told=True)
def letters_that_are_only_in_the_explanation(dice: Random, asked: Asked) -> str:
    x, y, z = asked.x, asked.y, asked.z
    return dice.choice(
        [
            f"Ответ: {x}. В этом случае закон выполняется.",
            f"Ответ: {x}\n\nА вот {y} описывает другое явление.",
            f"Ответ: {x}\n\nПочему не {y}? Потому что условие не выполнено.",
            f"Ответ: {x}. Если бы верен был вариант {y}, масса бы не сохранялась.",
            f"Ответ: {x}, в отличие от {y} и {z}, удовлетворяет условию.",
            f"Ответ: {x}, ведь {y} или {z} невозможны.",
            f"Ответ: {x}\n\nРазбор:\n{y}) неверно\n{x}) верно\n{z}) неверно",
            f"Ответ: {x} (остальные варианты, {y} и {z}, неверны)",
            f"Ответ: {x}. Напряжение 5 В и ток 2 А здесь ни при чём.",
            f"Ответ: {x}. Витамин C тут не участвует, и A. S. Pushkin тоже.",
            f"{y} — неверно.\n{z} — неверно.\nПравильный ответ: {x}",
            f"Кажется, что ответ {y}, но это ошибка. Правильный ответ: {x}.",
            f"Ответ: {y}?\nПроверим ещё раз условие задачи и вычисления.\nОтвет: {x}",
            f"На первый взгляд, правильный ответ {y}. Однако при проверке получается иначе.\n\nОтвет: {x}",
            f"Answer: {x}\n\nExplanation: {y} describes a different process.",
        ]
    )


@_of(told=True)
def announced_in_more_russian_words(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            "Правильный ответ находится под буквой",
            "Правильный ответ обозначен буквой",
            "Здесь правильный ответ",
            "В данном случае правильный ответ —",
            "На мой взгляд, правильный ответ —",
            "По-моему,",
            "Мне кажется, что",
            "Однозначно",
            "Конечно же,",
            "Безусловно,",
            "Пожалуй,",
            "Наверняка",
            "Склоняюсь к варианту",
            "Остановлюсь на варианте",
            "Отвечаю:",
            "Выберу",
            "Выбор падает на",
            "Результат:",
            "Итог:",
            "Решение:",
            "Ответ (одна буква):",
            "Ответ №1:",
            "Ответ на вопрос 1:",
            "Ответ к задаче:",
            "Ответ =>",
            "Ответ:\n>",
            "Верное утверждение:",
            "Правильное утверждение под буквой",
            "Подойдёт",
            "Лучше всего подходит вариант",
            "Из всех вариантов верен только",
            "Из перечисленного верно только",
            "Методом исключения получаем",
            "Получается",
            "Стало быть,",
            "Это соответствует варианту",
            "Этому условию удовлетворяет вариант",
            "Выбран вариант",
            "Единственный верный вариант —",
            "Так устроена природа, поэтому ответ —",
            "Это следует из закона, значит, верен вариант",
            "Так гласит закон, что соответствует варианту",
        ]
    )
    return f"{_think(dice, asked)}{lead} {_dressed(dice, asked.x)}{dice.choice(['', '', '.', '!'])}"


@_of(told=True)
def announced_in_more_english_words(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            "I'd say",
            "I'm going with",
            "I'll go with",
            "Let's go with",
            "Definitely",
            "Most likely",
            "Response:",
            "Solution:",
            "Conclusion:",
            "Result:",
            "Of these, only",
            "In conclusion, the answer is",
            "The answer to the question is",
            "That would be",
            "The answer would be",
            "So it's",
            "My pick is",
            "Everything fits, so the answer is",
        ]
    )
    return f"{_think(dice, asked)}{lead} {_dressed(dice, asked.x)}{dice.choice(['', '', '.', '!'])}"


@_of(told=True)
def talk_after_the_answer(dice: Random, asked: Asked) -> str:
    x, y, z = asked.x, asked.y, asked.z
    after = dice.choice(
        [
            ". Надеюсь, это поможет!",
            "\n\nЕсли у вас есть вопросы, задавайте!",
            "\n\nА теперь подробнее.",
            ". И это легко проверить.",
            ". К тому же это видно из опыта.",
            ". С этим согласны все.",
            ", если я правильно понял вопрос",
            " (уверенность 90 %)",
            ". Уверенность: 90 %",
            f". Обратите внимание: {y} — распространённая ошибка.",
            f" (вариант {y} — ловушка)",
            f"\n\n*Примечание: вариант {y} часто выбирают по ошибке.*",
            f"\n\n(варианты {y} и {z} описывают другое)",
            f"\n\n**Почему другие варианты неверны:**\n- {y}) это другое\n- {z}) и это тоже",
            f"; пояснение: {y} составляет лишь 21 %",
            "</s>",
            "<|im_end|>",
            " 👍",
            "\n\n---",
            "\r\n\r\nПояснение не требуется.",
        ]
    )
    return _marker(dice) + _dressed(dice, x) + after


@_of(told=True)
def options_weighed_first(dice: Random, asked: Asked) -> str:
    weighed = [
        f"{label}{dice.choice([')', '.', ' —'])} {'верно' if label == asked.x else 'неверно'}"
        for label in asked.labels
    ]
    others = [label for label in asked.labels if label != asked.x]
    before = dice.choice(
        [
            "\n".join(weighed) + "\n",
            f"Варианты {', '.join(others[:-1])} и {others[-1]} неверны, поэтому ",
            f"{', '.join(others)} отпадают.\n",
            f"Сначала я думал, что {asked.y}, но ",
            f"Многие выбирают {asked.y}, но ",
        ]
    )
    return before + dice.choice(["ответ: {}", "правильный ответ — {}", "верный ответ — {}."]).format(asked.x)


# Answers that name none or several


def _several(dice: Random, asked: Asked) -> str:
    x, y, z = asked.x, asked.y, asked.z
    return dice.choice(
        [
            f"{x} или {y}",
            f"либо {x}, либо {y}",
            f"или {x}, или {y}",
            f"{x} и {y}",
            f"и {x}, и {y}",
            f"{x}, {y}",
            f"{x}; {y}",
            f"{x}/{y}",
            f"{x} & {y}",
            f"{x} + {y}",
            f"{x} {y}",
            f"{x}, {y} и {z}",
            f"{x}, затем {y}",
            f"{x}, потом {y}",
            f"{x}, а также {y}",
            f"{x}, а может, {y}",
            f"{x}, возможно {y}",
            f"{x} (возможно, {y})",
            f"{x} (или {y})",
            f"{x} либо же {y}",
            f"{x}, в крайнем случае {y}",
            f"{x}, хотя {y} тоже верно",
            f"{x}, но {y} тоже подходит",
            f"{x} с вероятностью 60 %, {y} с вероятностью 40 %",
            f"{x} (60 %), {y} (40 %)",
            f"скорее {x}, но возможно и {y}",
            f"между {x} и {y}",
            f"один из двух: {x} или {y}",
            f"{x}?? {y}??",
            f"{x}? {y}?",
            f"{x}! {y}!",
            f"{x}. {y}.",
            f"{x}. Или {y}.",
            f"{x}. Либо {y}.",
            f"{x}... или {y}...",
            f"{x}\nили {y}",
            f"{x}\n\nИли всё-таки {y}.",
            f"{x}\n{y}",
            f"{x}) {asked.words}\n{y}) {asked.other_words}",
            f"{x} ({asked.words}), {y} ({asked.other_words})",
            f"{x}) {asked.words}, {y}) {asked.other_words}",
            f"{x}) {asked.words} или {y}) {asked.other_words}",
            f"{asked.words} или {asked.other_words}",
            f"{asked.words} ({x}) и {asked.other_words} ({y})",
            f"{x} or {y}",
            f"either {x} or {y}",
            f"both {x} and {y}",
            f"{x}, maybe {y}",
            f"{x}, possibly {y}",
            f"{x} and also {y}",
            f"{x} or perhaps {y}",
            f"{x}, then {y}",
            f"{x}. {y} is also correct.",
            f"{x}. {y} тоже верно.",
            f"{x}, хотя, может быть, и {y}",
            f"{x} и все остальные",
        ]
    )


@_of(told=False)
def several_options(dice: Random, asked: Asked) -> str:
    return _think(dice, asked) + _marker(dice) + _several(dice, asked) + dice.choice(["", "", "."])


@_of(told=False)
def several_options_announced_softly(dice: Random, asked: Asked) -> str:
    lead = dice.choice(
        [
            "Верно ",
            "Думаю, что ",
            "Я думаю, это ",
            "Следовательно, ответ ",
            "Итак, верны ",
            "Скорее всего, ",
            "Выбираю ",
            "Правильный ответ под буквой ",
            "",
        ]
    )
    return _think(dice, asked) + lead + _several(dice, asked)


@_of(told=False)
def several_options_marked_up(dice: Random, asked: Asked) -> str:
    x, y = asked.x, asked.y
    return dice.choice(
        [
            f"\\boxed{{{x}, {y}}}",
            f"\\boxed{{{x}}} или \\boxed{{{y}}}",
            f"\\boxed{{{x}}}, \\boxed{{{y}}}",
            f"\\boxed{{{x}}}\n\\boxed{{{y}}}",
            f"Ответ: {x}. Ответ: {y}.",
            f"Ответ: {x}\nОтвет: {y}",
            f"Ответ: {x} или Ответ: {y}",
            "\n".join(f"Ответ: {label}" for label in asked.labels),
            json.dumps({"answer": [x, y]}, ensure_ascii=False),
            json.dumps({"answer": f"{x} или {y}"}, ensure_ascii=False),
            f"<answer>{x}</answer><answer>{y}</answer>",
            f"<answer>{x}, {y}</answer>",
            f"| Ответ | {x}, {y} |",
            f"**{x}** или **{y}**",
            f"**{x}**\n**{y}**",
            f"1. {x}\n2. {y}",
            f"- {x}\n- {y}",
        ]
    )


@_of(told=False)
def all_options(dice: Random, asked: Asked) -> str:
    labels = list(asked.labels)
    if dice.random() < 0.5:
        dice.shuffle(labels)
    worded = [f"{label}) {asked.options[asked.labels.index(label)]}" for label in labels]
    said = dice.choice(
        [
            ", ".join(labels),
            " ".join(labels),
            "".join(labels),
            "/".join(labels),
            " или ".join(labels),
            ". ".join(labels) + ".",
            "\n".join(labels),
            "?? ".join(labels) + "??",
            f"{asked.labels[0]}–{asked.labels[-1]}",
            f"{asked.labels[0]}-{asked.labels[-1]}",
            f"от {asked.labels[0]} до {asked.labels[-1]}",
            "\n".join(worded),
            ", ".join(worded),
            "; ".join(worded),
            " ".join(worded),
            ", ".join(asked.options),
            "\n".join(asked.options),
            "|".join(labels),
            f"[{', '.join(labels)}]",
            f"любой из {', '.join(labels)}",
            "все варианты",
            f"{labels[0]} и все остальные",
            f"{labels[0]}, а также все прочие",
        ]
    )
    return dice.choice(["Ответ: ", "Ответ:\n", "Верно: ", "Правильный ответ — ", ""]) + said


@_of(told=False)
def unclear_corrections(dice: Random, asked: Asked) -> str:
    x, y = asked.x, asked.y
    said = dice.choice(
        [
            f"{y}, нет, {x}",
            f"{y} — нет, {x}",
            f"{y}... нет... {x}",
            f"{y} — шучу, {x}",
            f"{y}, хм, {x}",
            f"{y}. Нет, {x}.",
            f"{y}, а впрочем, {x}",
            f"{y}\n\nХотя, может быть, {x}.",
            f"{y}. Хотя нет, возможно, {x}",
            f"{y}, а то и {x}",
            f"{y}, no, {x}",
            f"{y}, just kidding, {x}",
            f"{y}, hmm, {x}",
        ]
    )
    return _think(dice, asked) + _marker(dice) + said


@_of(told=False)
def supposed_or_doubted(dice: Random, asked: Asked) -> str:
    named = dice.choice(["Ответ {x}", "Вариант {x}", "Правильный ответ — {x}"])
    supposed = dice.choice(
        [" был бы верен для Марса.", " подошёл бы, если бы речь шла о воде.", " кажется верным, но это не так."]
    )
    doubted = dice.choice(["? Не уверен, возможно {y}.", ", но это не точно, возможно {y}.", ", но не всегда."])
    form = named + dice.choice([doubted, doubted if "—" in named else supposed])
    return form.format(x=asked.x, y=asked.y)


@_of(told=False)
def negations(dice: Random, asked: Asked) -> str:
    x = asked.x
    said = dice.choice(
        [
            f"Ответ: не {x}",
            f"Ответ: точно не {x}",
            f"Ответ: это не {x}",
            f"Ответ: не вариант {x}",
            f"Ответ: только не {x}",
            f"Ответ: ни {x}, ни {asked.y}",
            f"Ответ: все, кроме {x}",
            f"Ответ: любой, кроме {x}",
            f"Ответ: {x} — неверно",
            f"Ответ: {x} не подходит",
            f"Ответ: {x} неверен, а остальное возможно",
            f"Неверный ответ: {x}",
            f"Неправильный вариант — {x}",
            f"Неверно {x}",
            f"Вариант {x} неверный.",
            f"{x} — неправильный ответ",
            f"Не думаю, что {x}",
            f"Не {x}",
            f"Это не {x}.",
            f"Я бы не выбрал {x}",
            f"The answer is not {x}.",
            f"The answer isn't {x}",
            f"Not {x}",
            f"Option {x} is wrong.",
            f"{x} is not the correct answer.",
            f"Anything but {x}",
            f"Ответ: не {asked.words}",
            f"Ответ: {x}, но не {x}",
        ]
    )
    return _think(dice, asked) + said


@_of(told=False)
def a_letter_with_words_of_another_option(dice: Random, asked: Asked) -> str:
    said = dice.choice(["{}) {}", "{}. {}", "{} — {}", "{} ({})", "вариант {} ({})"]).format(
        asked.x, asked.other_words
    )
    words_first = dice.choice(["{1} ({0})", "{1} — {0}", "«{1}» ({0})"]).format(asked.x, asked.other_words)
    lead = dice.choice([_marker(dice), "Правильный ответ — ", ""])
    return _think(dice, asked) + lead + dice.choice([said, words_first])


@_of(told=False)
def letters_of_words(dice: Random, asked: Asked) -> str:
    return dice.choice(
        [
            "Ответ: В клетках печени",
            "Ответ: А именно так и происходит",
            "Ответ: С точки зрения физики, никак",
            "Ответ: К сожалению, не знаю",
            "Ответ: И так понятно",
            "Ответ: A cell does it",
            "Ответ: I do not know",
            "А. С. Пушкин об этом не писал.",
            "В этом вопросе нужен анализ.",
            "Ответ: 5 В",
            "Ответ: напряжение 12 В",
            "Ответ: витамин C",
            "Ответ: не знаю",
            "Ответ: затрудняюсь ответить",
            "I am not sure.",
            "А почему вы спрашиваете?",
            "A good question.",
            "Ответ: E = mc²",
            "Ответ: группа крови AB",
        ]
    )


@_of(told=False)
def placeholders(dice: Random, asked: Asked) -> str:
    labels = list(asked.labels)
    return dice.choice(
        [
            "Ответ: <буква>",
            "«Ответ: <буква>»",
            "Ответ: буква",
            "Ответ: [буква]",
            "Ответ: ?",
            "Ответ: …",
            "Ответ: X",
            f"Ответ: <{'/'.join(labels)}>",
            f"Ответ: [{', '.join(labels[:-1])} или {labels[-1]}]",
            f"Ответ: ({'|'.join(labels)})",
            f"Напишите {', '.join(labels[:-1])} или {labels[-1]}",
        ]
    )


@_of(told=False)
def echoes_of_the_question(dice: Random, asked: Asked) -> str:
    question = Question("one", "physics", "Что из перечисленного верно?", asked.options, asked.right)
    prompt = question_sample(question, asked.labels).prompt
    options = "\n".join(prompt.split("\n\n")[1:-1])
    return dice.choice(
        [
            prompt,
            options,
            prompt.rpartition("\n")[2],
            f"{prompt}\n\nОтвет:",
            f"Ответ: {prompt}",
            f"Ответ:\n{options}",
            f"{options}\n{options}",
        ]
    )


@_of(told=False)
def second_choices(dice: Random, asked: Asked) -> str:
    x, y = asked.x, asked.y
    after = dice.choice(
        [
            f"; запасной вариант {y}",
            f". Запасной вариант: {y}",
            f" (альтернатива: {y})",
            f". Альтернатива: {y}",
            f", иначе {y}",
            f", не исключено, что {y}",
            f", но и {y} нельзя исключить",
            f", но не исключаю и {y}",
            f". На всякий случай {y}.",
            f" (на всякий случай {y})",
            f". Если не {x}, то {y}.",
            f", если так, {y}, если иначе",
            f"\n\nP.S. Возможно, {y}",
            f". P.S. Или {y}.",
            f"\n\nДругой возможный ответ: {y}",
            " или любой другой",
            f" на 50 %, {y} на 50 %",
            f"; alternatively {y}",
            f", otherwise {y}",
            f". But {y} is possible too.",
            f", with {y} as a close second",
        ]
    )
    return _marker(dice) + x + after


@_of(told=False)
def answers_taken_back(dice: Random, asked: Asked) -> str:
    x = asked.x
    return (
        _marker(dice)
        + x
        + dice.choice([" — нет", ", нет", "? Нет.", ". Нет.", ". Это неверно.", "... actually no", ". No."])
    )


@_of(told=False)
def suppositions_and_questions(dice: Random, asked: Asked) -> str:
    x = asked.x
    return dice.choice(
        [
            f"Если ответ {x}, то получаем противоречие.",
            f"Допустим, ответ {x}.",
            f"Предположим, что правильный ответ {x}.",
            f"Пусть правильный ответ {x}",
            f"Правильный ответ {x}?",
            f"Разве правильный ответ {x}?",
            f"Может ли быть правильным ответ {x}?",
            f"Почему правильный ответ не {x}?",
            f"Неправда, что ответ {x}",
            f"Вряд ли это {x}",
            f"Едва ли {x}",
            f"Сомневаюсь, что {x}",
            f"Не уверен, что {x}",
            f"Если бы верным был вариант {x}, масса бы росла.",
            f"If the answer is {x}, then no.",
            f"Suppose the answer is {x}.",
            f"I doubt it's {x}",
            f"The answer cannot be {x}",
        ]
    )


@_of(told=False)
def other_quantities(dice: Random, asked: Asked) -> str:
    number = dice.choice(["40", "13,5", "7"])
    return _marker(dice) + dice.choice(
        [
            "> {}",
            "больше {}",
            "не {}",
            "1{}",
            "-{}0",
            "{} или больше",
            "от {} и выше",
            "2·{}",
            "{}/2",
            "{}0000",
            "1/{}",
        ]
    ).format(number)
