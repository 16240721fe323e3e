"""A model and a judge that say what a test tells them to, and remember what they were asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evalkit.evals.models.base import Sampling
from evalkit.judges.judge import JudgeSettings, ModelJudge
from evalkit.tasks.types import Completion, Judgement, Message, Usage

Answer = str | Completion | Exception
"""What a model says to a request; an exception is raised."""

Verdict = float | str | Mapping[str, object] | Completion | Exception | Judgement | None
"""What a judge says of an answer: a value for the verdict line (a mapping: for a table, by the titles of its rows).

None is words without a verdict, a completion those words, an exception a request that fails. A judgement is
returned as it stands: judges of other kinds may give what a model's verdict never becomes.
"""

SPENT = Usage(10, 3)

_VERDICT = re.compile(r"^(\w+) [bcdfghjkmnpqrstvwxz]{10}(?:: .+|(?:\n.+: .+)+)\s*\Z", re.MULTILINE)
_ROW = re.compile(r"^(.+): (?:число%|number%|вердикт|verdict)$", re.MULTILINE)
_BLANK = re.compile(r"\b(?:число|number|вердикт|verdict)\b")


class ScriptedModel:
    """A model in this process: it says ``answers`` one after the other, and the last one again and again.

    An answer may be a function of the prompt (the text of the last message). ``requests`` are the chats with how
    their answers were to be drawn. It is also a model as judges ask it.
    """

    def __init__(
        self,
        *answers: Answer | Callable[[str], Answer],
        name: str = "scripted",
        concurrency: int = 4,
        usage: Usage = SPENT,
    ) -> None:
        self.name = name
        self.identity: Mapping[str, Any] = {"backend": name}
        self.concurrency = concurrency
        self.requests: list[tuple[list[Message], Sampling]] = []
        self.at_once = self.most_at_once = 0
        self.closed = False
        self._answers = answers
        self._usage = usage

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    @property
    def prompts(self) -> list[str]:
        """The last messages of what it was asked."""
        return [messages[-1].content for messages, _ in self.requests]

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        answer = self._answers[min(self.calls, len(self._answers) - 1)]
        self.requests.append((list(messages), sampling))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        said = answer(messages[-1].content) if callable(answer) else answer
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Completion) else Completion(said, usage=self._usage, latency=0.0)

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        return await self.generate(messages, Sampling(**sampling))

    async def close(self) -> None:
        self.closed = True


class ScriptedJudge:
    """The real judge, with its forms, fences and parser, of a model that gives the verdicts of the test.

    ``verdict`` may be a function of the form, its fields and the number of the draw. ``asked`` are the forms to be
    filled in, with their fields.
    """

    def __init__(
        self,
        verdict: Verdict | Callable[[str, Mapping[str, str], int], Verdict],
        *,
        name: str = "scripted",
        **settings: Any,
    ) -> None:
        self.name = name
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._verdict = verdict
        self._settings = JudgeSettings(**{"attempts": 1, **settings})

    @property
    def forms(self) -> list[str]:
        """The forms that were to be filled in, in their order."""
        return [form for form, _ in self.asked]

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        self.asked.append((form, dict(fields)))
        said = self._verdict(form, fields, draw) if callable(self._verdict) else self._verdict
        if isinstance(said, Judgement):
            return said
        if isinstance(said, Completion | Exception):
            model = ScriptedModel(said, name=self.name)
        else:
            model = ScriptedModel(lambda prompt: verdict(prompt, said), name=self.name)
        return await ModelJudge(model, self._settings).grade(form, fields, draw=draw)


def verdict_asked_for(prompt: str) -> str | None:
    """Return the word that the verdict is to begin with («Оценка», "Points", …); None if the prompt is no form."""
    found = _VERDICT.search(prompt)
    return found and found[1]


def verdict(prompt: str, value: float | str | Mapping[str, object] | None, words: str = "Верно, но кратко.") -> str:
    """Return what a judge writes: its reason, and the line or table that the form ends in, nonce included."""
    end = _VERDICT.search(prompt)
    assert end, prompt[-400:]
    if value is None:
        return words
    if isinstance(value, Mapping):
        return f"{words}\n{_ROW.sub(lambda row: f'{row[1]}: {value[row[1]]}', end[0])}"
    return f"{words}\n{_BLANK.sub(str(value), end[0])}"
