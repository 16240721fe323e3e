"""The task: questions with lettered options, and the share of them answered rightly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..base import BaseTask, check_split
from ..random import Dice
from ..types import Completion, Context, Metric, Sample, Score, answer_status, mean_value
from .letters import CYRILLIC, LATIN, extract
from .loaders import Question, read_questions

OWN_QUESTIONS = Path(__file__).parent / "data" / "questions.jsonl"


def question_sample(question: Question, labels: str) -> Sample:
    """Make the sample of a question, its options in the order given and lettered by ``labels``."""
    used = labels[: len(question.options)]
    options = "\n".join(f"{label}) {option}" for label, option in zip(used, question.options, strict=True))
    prompt = (
        f"{question.question}\n\n{options}\n\n"
        "Верен ровно один вариант. Можно рассуждать, но последней строкой напишите «Ответ: <буква>»."
    )
    return Sample.ask(
        question.id,
        prompt,
        target=used[question.answer],
        subject=question.subject,
        options=list(question.options),
        labels=used,
    )


def shuffled(questions: Iterable[Question], seed: int) -> Iterator[Question]:
    """Yield the questions with their options in an order that depends on the seed.

    Of any four questions in a row (the first four, the next four, …) each has its right answer in another place.
    """
    places: list[int] = []
    for question in questions:
        dice = Dice(f"science:{seed}:{question.id}")
        if not places:
            places = dice.shuffled(range(4))
        options = dice.shuffled([option for i, option in enumerate(question.options) if i != question.answer])
        place = places.pop()
        options.insert(place, question.options[question.answer])
        yield Question(question.id, question.subject, question.question, tuple(options), place)


def score_answer(sample: Sample, completion: Completion) -> Score:
    """Judge an answer: 1 when it names the right option and no other, 0 otherwise.

    ``parts`` are ``{"correct", "extracted", "gold", "subject"}``; ``extracted`` is the label of the option found.
    """
    labels = sample.metadata["labels"]
    found = extract(completion.text, sample.metadata["options"], labels)
    given = None if found.index is None else labels[found.index]
    status = answer_status(completion, found.status, decided=found.index is not None)
    parts = {
        "correct": given == sample.target,
        "extracted": given,
        "gold": sample.target,
        "subject": sample.metadata["subject"],
    }
    explanation = f"{'вариант не назван однозначно' if given is None else f'ответ {given}'}, верно {sample.target}"
    return Score(float(given == sample.target), status, parts, explanation)


def _subject(score: Score) -> dict[str, str]:
    return {"subject": score.parts["subject"]} if score.parts["subject"] else {}


@dataclass(frozen=True, slots=True)
class Science(BaseTask):
    """Physics, chemistry, biology, earth science, computing and economics: 20 questions each, four options."""

    name: str = "science"
    version: str = "1"
    title: str = "Science questions"
    max_tokens: int = 1024
    metrics: tuple[Metric, ...] = (mean_value("accuracy", "Right answers", _subject),)

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield the project's own questions, the first ``limit`` of them; subjects take turns.

        The seed orders the options; the questions stay.

        Raises:
            UsageError: the split is not ``test``.
        """
        check_split(self.name, split)
        questions = shuffled(read_questions(OWN_QUESTIONS), seed)
        return islice((question_sample(question, CYRILLIC) for question in questions), limit)

    def read(self, path: Path) -> Iterable[Sample]:
        """Yield the questions of a published file with options in its order and Latin letters.

        Raises:
            InputError: a line cannot be used (names file, line and field).
        """
        return (question_sample(question, LATIN) for question in read_questions(path))

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Judge one answer; see `score_answer` for the parts."""
        return score_answer(sample, completion)

    def final_answer(self, completion: Completion) -> str | None:
        """Return the Cyrillic letter of the option that an answer names, whichever alphabet it is written in."""
        found = extract(completion.text, (), CYRILLIC)
        return None if found.index is None else CYRILLIC[found.index]

    def gold(self, sample: Sample) -> Completion:
        """Return the right letter in the form asked for."""
        return Completion(f"Ответ: {sample.target}")

    def wrong(self, sample: Sample) -> Iterable[Completion]:
        """Yield the other letters, two letters together, all of them, and the words of a wrong option."""
        labels = sample.metadata["labels"]
        others = [label for label in labels if label != sample.target]
        for label, option in zip(labels, sample.metadata["options"], strict=True):
            if label != sample.target:
                yield Completion(f"Ответ: {label}")
                yield Completion(f"Ответ: {option}")
        yield Completion(f"Ответ: {sample.target} или {others[0]}")
        yield Completion(f"Ответ: не {sample.target}")
        yield Completion("\n".join(labels))


science = Science()
