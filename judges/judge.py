"""One judge: a model that fills in forms, and the parser that reads what it writes."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any, Final, Literal, Protocol

from ..errors import ModelError, UsageError, nearest
from ..tasks.types import APPARATUS_FAILURES, Completion, Judge, Judgement, Message, Status
from .cache import VerdictCache, answer_key, encodable
from .forms import LANGUAGES, Form, form_names, load_form
from .guard.defences import JudgeView, fence, make_nonce, neutralise
from .guard.precheck import Finding, precheck
from .parsing import PARSER_VERSION, Verdict, parse_verdict
from .schemas import as_words, verdict_schema

REASKED: Final = frozenset(
    {
        Status.EMPTY,
        Status.MISSING,
        Status.AMBIGUOUS,
        Status.MALFORMED,
        Status.OUT_OF_RANGE,
        Status.WRONG_SCALE,
        Status.TRUNCATED,
    }
)
"""Verdicts that cannot be used as they are; asking once more may give one that can."""

SCHEMAS: Final = ("auto", "off")
COMPATS: Final = ("fastchat",)

REASK_TEMPERATURE: Final = 0.7
"""A greedy judge would only repeat itself."""


class JudgeModel(Protocol):
    """What a judge asks: `evalkit.evals` opens it and lends it."""

    name: str
    identity: Mapping[str, Any]
    concurrency: int

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        """Answer one chat; ``sampling`` has ``temperature``, ``max_tokens``, ``seed`` and perhaps ``schema``.

        That is the JSON schema of the answer, for servers that can hold a model to one.

        Raises:
            ModelError: no answer could be had.
        """
        ...


class NotStoredError(ModelError):
    """A verdict is wanted that was never given, where no model may be asked."""


class NobodyAsked:
    """Stands in for a judge's model when verdicts are only read again: the cache answers, or nobody does."""

    concurrency = 1

    def __init__(self, name: str, identity: Mapping[str, Any]) -> None:
        self.name = name
        self.identity = identity

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        """Raise: nobody is asked.

        Raises:
            NotStoredError: always.
        """
        raise NotStoredError(f"{self.name} has given no verdict on this, and none is asked for now")


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How a judge works; all of it changes verdicts.

    ``language`` is that of the forms, ``attempts`` how often a draw is tried until its verdict can be read.
    ``schema="auto"`` has servers that can do so hold the judge to the form's JSON schema; the others are asked in
    words alone, and words are always read.
    ``compat="fastchat"`` reads verdicts by FastChat's rules, lost and wrong ones included. Without ``defences`` the
    graded answer reaches the judge as it stands: that is for measuring what they are worth.
    """

    language: str = "ru"
    temperature: float = 0.0
    max_tokens: int = 2048
    seed: int = 0
    attempts: int = 3
    schema: Literal["auto", "off"] = "auto"
    compat: Literal["fastchat"] | None = None
    defences: bool = True

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise UsageError(f"unknown language '{self.language}' for judges.{nearest(self.language, LANGUAGES)}")
        if self.attempts < 1:
            raise UsageError(f"a judge needs at least one attempt, not {self.attempts}")
        if self.max_tokens < 1:
            raise UsageError(f"a judge needs at least one token, not {self.max_tokens}")
        if not 0 <= self.temperature < math.inf:
            raise UsageError(f"a judge's temperature is 0 or more, not {self.temperature}")
        if self.schema not in SCHEMAS:
            raise UsageError(f"a judge's schema cannot be '{self.schema}'.{nearest(self.schema, SCHEMAS)}")
        if self.compat not in (None, *COMPATS):
            raise UsageError(f"a judge's compat cannot be '{self.compat}'.{nearest(self.compat, COMPATS)}")


class ModelJudge:
    """A model as a judge: renders a form, guards it, asks, and reads the verdict.

    A verdict that cannot be used (`REASKED`) is asked for again, up to ``settings.attempts`` times, each with a
    seed of its own. All answers go through the cache, if there is one; then the very same grading costs nothing.
    ``forms`` are those that it will be asked for, all by default; a change of another is none of its identity.
    """

    members: Sequence[Judge] = ()

    def __init__(
        self,
        model: JudgeModel,
        settings: JudgeSettings | None = None,
        *,
        cache: VerdictCache | None = None,
        name: str = "",
        forms: Iterable[str] | None = None,
    ) -> None:
        self.name = name or model.name
        self._forms = tuple(form_names() if forms is None else sorted(forms))
        self.settings = settings or JudgeSettings()
        self._model = model
        self._cache = cache
        self._free = asyncio.Semaphore(model.concurrency)
        self._gone: ModelError | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that changes a verdict, for the manifest: model, settings, forms, parser."""
        forms = {name: load_form(name, self.settings.language).sha256 for name in self._forms}
        return {
            "name": self.name,
            "model": dict(self._model.identity),
            **asdict(self.settings),
            "forms": forms,
            "parser": PARSER_VERSION,
        }

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        """Fill in a form and return the verdict as a number on the form's scale (see `as_number`).

        ``details`` hold ``words`` (what the model wrote, its JSON by `as_words`), ``attempts``, ``usage`` (the
        tokens of all attempts), ``read`` (a verdict that is more than a number), ``verdict`` (what else the parser
        noticed) and ``threats`` (how often what was defused in the answer). An answer without substance gets the
        lowest value and the model is not asked (``unasked`` says why). A model that gives no answer is the status
        ``api_error``; after a failure that no request can escape, none is tried.

        Raises:
            UsageError: no such form, or its blanks are not those of ``fields``.
            RunError: the cache cannot be written.
        """
        asked = load_form(form, self.settings.language)
        asked.expect(fields)
        if self.settings.defences and (finding := _needs_no_judge(asked, fields)):
            details = {"judge": self.name, "unasked": finding.reason.value}
            if finding.status in APPARATUS_FAILURES:
                return Judgement(None, finding.status, details)
            return Judgement(float(asked.scale[0]), Status.OK, details)
        views = _views(asked, fields) if self.settings.defences else {}
        shown = {name: views[name].text if name in views else encodable(text) for name, text in fields.items()}
        said: list[Completion] = []
        verdict: Verdict | None = None
        while verdict is None or (verdict.outcome in REASKED and len(said) < self._attempts):
            try:
                nonce, completion = await self._ask(asked, shown, draw=draw, attempt=len(said))
            except NotStoredError as error:
                if verdict is None:
                    return self._failed(Status.JUDGE_ERROR, error)
                break
            except ModelError as error:
                return self._failed(Status.API_ERROR, error)
            said.append(completion)
            verdict = self._read(completion, asked, fields, nonce)
        return self._judgement(asked, verdict, said, _threats(views))

    @property
    def _attempts(self) -> int:
        # FastChat takes what it gets.
        return 1 if self.settings.compat else self.settings.attempts

    async def _ask(
        self, asked: Form, shown: Mapping[str, str], *, draw: int, attempt: int
    ) -> tuple[str, Completion]:
        """Return the nonce of this prompt and the answer to it."""
        plain = asked.fill(shown, "")
        identity = {"model": self._model.identity, "fenced": self.settings.defences}
        wanted = self._sampling(asked, "", draw, attempt)
        key = answer_key(identity, wanted, plain, draw=draw, attempt=attempt)
        nonce = make_nonce("\n".join(message.content for message in plain), draw, attempt)
        if self.settings.defences:
            shown = {name: fence(text, nonce) for name, text in shown.items()}
        messages = asked.fill(shown, nonce)
        sampling = self._sampling(asked, nonce, draw, attempt)

        async def ask() -> Completion:
            async with self._free:
                if self._gone is not None:
                    raise ModelError(str(self._gone), fatal=True)
                try:
                    return await self._model.ask(messages, sampling)
                except ModelError as error:
                    if error.fatal:
                        self._gone = error
                    raise

        if self._cache is None:
            return nonce, await ask()
        about = {
            "judge": self.name,
            "form": f"{asked.name}.{asked.language}",
            "draw": draw,
            "attempt": attempt,
            "messages": [message.as_json() for message in messages],
        }
        return nonce, await self._cache.answer(key, about, ask)

    def _sampling(self, asked: Form, nonce: str, draw: int, attempt: int) -> dict[str, Any]:
        settings = self.settings
        sampling: dict[str, Any] = {
            "temperature": max(settings.temperature, REASK_TEMPERATURE) if attempt else settings.temperature,
            "max_tokens": settings.max_tokens,
            "seed": settings.seed + draw * settings.attempts + attempt,
        }
        # FastChat reads words.
        if settings.schema == "auto" and settings.compat is None:
            sampling["schema"] = verdict_schema(asked, nonce)
        return sampling

    def _read(self, completion: Completion, asked: Form, fields: Mapping[str, str], nonce: str) -> Verdict:
        guarded = self.settings.defences
        return parse_verdict(
            completion.text,
            kind=asked.kind,
            scale=asked.scale,
            # The nonce is in no answer, so what stands beside it is not repeated from one.
            graded_answer=None if guarded else "\n\n".join(fields[name] for name in asked.graded),
            compat=self.settings.compat,
            nonce=nonce if guarded else None,
            finish_reason=completion.finish_reason,
            criteria=asked.criteria,
        )

    def _failed(self, status: Status, error: ModelError) -> Judgement:
        return Judgement(None, status, {"judge": self.name, "error": str(error), "fatal": error.fatal})

    def _judgement(
        self, asked: Form, verdict: Verdict, said: Sequence[Completion], threats: Mapping[str, int]
    ) -> Judgement:
        details: dict[str, Any] = {
            "judge": self.name,
            "words": as_words(said[-1].text, asked),
            "attempts": len(said),
            "usage": {
                "prompt_tokens": _total(completion.usage.prompt_tokens for completion in said),
                "completion_tokens": _total(completion.usage.completion_tokens for completion in said),
            },
            "parser": PARSER_VERSION,
        }
        if not isinstance(verdict.value, int | float | None):
            details["read"] = verdict.value
        if verdict.details:
            details["verdict"] = dict(verdict.details)
        if threats:
            details["threats"] = threats
        status = verdict.outcome
        if status is Status.INJECTION_SUSPECTED:
            # The number stands, under suspicion: it may be the judge's own all the same.
            details["suspected"] = "injection"
            status = Status.OK_LENIENT
        if status not in (Status.OK, Status.OK_LENIENT):
            return Judgement(None, Status.MISSING if status is Status.EMPTY else status, details)
        return Judgement(as_number(verdict.value), status, details)


def as_number(value: Any) -> float:
    """Return a verdict as a number.

    A rating or points are themselves; a winner is 1 for A, 0 for B and 0.5 for a tie; of a table of criteria it is
    the mean of those that say something.
    """
    if isinstance(value, str):
        return {"A": 1.0, "B": 0.0}.get(value, 0.5)
    if isinstance(value, Mapping):
        return fmean(as_number(part) for part in value.values() if part is not None)
    return float(value)


def _needs_no_judge(asked: Form, fields: Mapping[str, str]) -> Finding | None:
    """Say why an answer needs no judge; two answers are always compared."""
    return precheck(fields[asked.graded[0]]) if len(asked.graded) == 1 else None


# One answer is shown to every member of a jury, and the first one of a conversation in both of its gradings.
_view = lru_cache(maxsize=256)(neutralise)


def _views(asked: Form, fields: Mapping[str, str]) -> dict[str, JudgeView]:
    return {name: _view(encodable(fields[name])) for name in sorted(asked.hostile)}


def _threats(views: Mapping[str, JudgeView]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for view in views.values():
        found.update({threat.value: number for threat, number in view.threats.items()})
    return dict(sorted(found.items()))


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
