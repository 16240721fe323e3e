"""What counts as a repetition of the prompt, and what is an answer made of the prompt's words."""

import pytest
from evalkit.tasks.text.echo import repeats

PROMPT = (
    "Составьте правила станции.\n\nВыберите одно: «да, можно» или «нет, нельзя». Поставьте <<название>> перед ними."
)


@pytest.mark.parametrize(
    "answer",
    [
        PROMPT,
        PROMPT.upper(),
        f"{PROMPT}\n{PROMPT}",
        f'Ответ: "{PROMPT}"',
        f"```\n{PROMPT}\n```",
        rf"\boxed{{{PROMPT}}}",
        PROMPT.replace(",", ""),
        PROMPT.replace("\n\n", " "),
    ],
)
def test_the_whole_prompt_in_any_dress(answer):
    assert repeats(PROMPT, answer) and repeats(PROMPT, answer, whole=True)


def test_sentences_of_the_prompt():
    sentence = "Поставьте <<название>> перед ними."
    assert repeats(PROMPT, sentence) and not repeats(PROMPT, sentence, whole=True)
    assert repeats(PROMPT, f"{sentence} Составьте правила станции.")


@pytest.mark.parametrize(
    "answer", ["", "да, можно", "Нет, нельзя.", f"{PROMPT} Да, можно.", "Составьте правила", "Правила станции: …"]
)
def test_less_than_a_sentence_and_more_than_the_prompt_are_answers(answer):
    assert not repeats(PROMPT, answer)
