"""Supervised learning: chats are learned as they stand.

What is learned is what the sampler would have to draw, token for token: after the prompt that the model's chat
template makes, the text of the answer and the token that the template ends it with. Prompt and padding are masked,
and each example is a row of its own (rows of like length share a micro-batch), so no example reads another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError, ModelError
from ...tasks.text.thoughts import closing_of, opening_of, split_thoughts
from ..data.chats import Example, read_examples
from ..data.mixture import Family, Mixture
from ..data.prompts import readable
from ..recipe.kinds import Chats, SftRecipe
from ..rollouts.records import Answer
from .base import Method, StepMetrics, Tools
from .step import Row, learn_from

if TYPE_CHECKING:
    from ...evals.models.hf.chat_template import ChatTemplate


@dataclass(frozen=True, slots=True)
class Lesson:
    """An example as the model's tokens; ``cut`` when the answer was too long and has no end."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    cut: bool


def lesson_of(
    example: Example,
    template: ChatTemplate,
    stop_tokens: frozenset[int],
    closing: int,
    *,
    max_tokens: int,
    context: int,
) -> Lesson:
    """Return an example as the model reads and writes it.

    Args:
        example: what is said and answered.
        template: the model's.
        stop_tokens: that end an answer: what a text has after one of them would never be said.
        closing: the one of them to end with (`closing_token`).
        max_tokens: of an answer, its end included: a longer one is cut off there.
        context: tokens that the model can read; what of the answer does not fit is cut off too.

    Raises:
        InputError: the template refuses the chat, or the prompt leaves no room for an answer (names the place).
    """
    try:
        rendered = template.render(example.context)
    except ModelError as error:
        raise InputError(f"{example.place}: {error}") from None
    prompt = template.tokens(rendered)
    if len(prompt) >= context:
        raise InputError(
            f"{example.place}: the prompt has {len(prompt)} tokens and the model's context {context}: leave it out"
        )
    text = _spoken(rendered, example.answer)
    whole = template.tokens(rendered + text)
    # As the sampler meets it: the prompt's tokens are fixed before a word of the answer is there.
    together = whole[: len(prompt)] == prompt
    tokens = whole[len(prompt) :] if together else template.tokenizer(text, add_special_tokens=False)["input_ids"]
    ended = next((place for place, token in enumerate(tokens) if token in stop_tokens), len(tokens))
    answer = (*tokens[:ended], closing)
    room = min(max_tokens, context - len(prompt))
    return Lesson(tuple(prompt), answer[:room], len(answer) > room)


def _spoken(rendered: str, answer: str) -> str:
    """Return what is left to be said of an answer whose thought the template may have opened."""
    opening = opening_of(rendered)
    if not opening:
        return answer
    if not answer.startswith(opening):
        # An answer of another model may have its thought between other marks.
        said, thought = split_thoughts(answer)
        return f"{thought or ''}{closing_of(opening)}\n\n{said}"
    rest = answer.removeprefix(opening)
    return rest.removeprefix("\n") if rendered.endswith("\n") else rest


def closing_token(template: ChatTemplate, stop_tokens: frozenset[int]) -> int:
    """Return the token that the template ends an answer with; the tokenizer's end of text where it shows none.

    Raises:
        ModelError: the model has no such token.
    """
    if not stop_tokens:
        raise ModelError("this model has no end-of-text token, so an answer could not be taught to end", fatal=True)
    tokenizer = template.tokenizer
    if template.source is not None:
        from jinja2 import TemplateError

        mark = "answer-ends-here"
        chat = [{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}]
        try:
            rendered = tokenizer.apply_chat_template(
                chat, chat_template=template.source, tokenize=False, **template.arguments
            )
        except TemplateError:
            rendered = ""
        after = tokenizer(rendered.rpartition(mark)[2], add_special_tokens=False)["input_ids"]
        for token in after:
            if token in stop_tokens:
                return int(token)
    if tokenizer.eos_token_id in stop_tokens:
        return int(tokenizer.eos_token_id)
    return min(stop_tokens)


@dataclass(frozen=True, slots=True)
class LessonBatch:
    """The answers that a step learns."""

    step: int
    lessons: tuple[Lesson, ...]


class Supervised(Method[LessonBatch]):
    """A model that learns from chats."""

    recipe: SftRecipe

    def __init__(self, recipe: SftRecipe, tools: Tools) -> None:
        super().__init__(recipe, tools)
        self._closing = closing_token(tools.policy.template, tools.policy.stop_tokens)
        self._examples = {name: self._readable(name, chats) for name, chats in recipe.chats.items()}
        families = [Family(name, len(self._examples[name]), chats.weight) for name, chats in recipe.chats.items()]
        self._mixture = Mixture(tuple(families), recipe.seed)
        self._drawn: Mapping[str, int] = {}

    @staticmethod
    def texts(recipe: SftRecipe) -> dict[str, str]:
        """Return the messages of the chats, one by one."""
        return {
            f"{name}/{number}/{turn}": text
            for name, chats in recipe.chats.items()
            for number, example in enumerate(read_examples(Path(chats.data), chats.limit), 1)
            for turn, text in enumerate((*(message.content for message in example.context), example.answer))
        }

    def gather(self, step: int) -> tuple[LessonBatch, StepMetrics]:
        """Take the next examples of each file by its share."""
        longest = self.recipe.batch.tokens_at(step)
        places, self._drawn = self._mixture.draw(self._drawn, self.recipe.batch.examples)
        lessons = tuple(self._lesson(self._examples[name][index], longest) for name, index in places)
        return LessonBatch(step, lessons), {
            "answers": len(lessons),
            "passes": {name: self._drawn[name] / len(some) for name, some in self._examples.items()},
            "trained_tokens": sum(len(lesson.answer) for lesson in lessons),
            "truncated": sum(lesson.cut for lesson in lessons) / len(lessons),
            "max_tokens": longest,
        }

    def learn(self, batch: LessonBatch) -> StepMetrics:
        """Make the answers likelier, all their tokens by the same weight."""
        rows = [Row(lesson.prompt, _as_answer(lesson), 1.0, fresh=True) for lesson in batch.lessons]
        count = self.recipe.objective.minibatches
        parts = [rows[start::count] for start in range(count)]
        return learn_from(self.tools.policy, self.tools.optimizer, parts, self.recipe, batch.step)

    def state(self) -> dict[str, Any]:
        """Return how far the chats are used up."""
        return {"cursor": {"drawn": self._drawn}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state`."""
        self._drawn = dict(state["cursor"]["drawn"])

    def _readable(self, name: str, chats: Chats) -> tuple[Example, ...]:
        """Return the examples that leave room for an answer, and say how many do not and how many are cut off."""
        examples, longest = read_examples(Path(chats.data), chats.limit), self.recipe.batch.longest
        pairs = readable(
            examples, lambda example: self._lesson(example, longest), f"chats '{name}'", self.tools.notify
        )
        cut = sum(lesson.cut for _, lesson in pairs)
        if cut:
            self.tools.notify(
                f"chats '{name}': {cut} of {len(pairs)} answers are longer than {longest} tokens or the context and"
                " are cut off there: what they teach has no end (raise batch.max_tokens, or leave them out)"
            )
        return tuple(example for example, _ in pairs)

    def _lesson(self, example: Example, longest: int) -> Lesson:
        policy = self.tools.policy
        return lesson_of(
            example, policy.template, policy.stop_tokens, self._closing, max_tokens=longest, context=policy.context
        )


def _as_answer(lesson: Lesson) -> Answer:
    # Nobody sampled it: the loss that learns it reads no probabilities but the policy's own.
    unread = (0.0,) * len(lesson.answer)
    return Answer(lesson.answer, unread, "length" if lesson.cut else "stop")
