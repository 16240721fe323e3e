"""A single judge: a model that is prompted by forms, and the parser of its replies."""

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

RETRIED: Final = frozenset(
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
"""Unusable verdicts for which another attempt is made."""

SCHEMAS: Final = ("auto", "off")
COMPATS: Final = ("fastchat",)

RETRY_TEMPERATURE: Final = 0.7
"""The minimum temperature of further attempts: at temperature 0 a model would repeat its reply."""


class JudgeModel(Protocol):
    """The interface of a judge's model; `evalkit.evals` implements it."""

    name: str
    identity: Mapping[str, Any]
    concurrency: int

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        """Answer one chat; ``sampling`` has ``temperature``, ``max_tokens``, ``seed`` and optionally ``schema``.

        ``schema`` is the JSON schema of the reply, for servers with structured output.

        Raises:
            ModelError: the model gave no answer.
        """
        ...


class NotCachedError(ModelError):
    """A verdict is not in the cache, and no model may be called."""


class OfflineModel:
    """Takes the place of a judge's model when stored verdicts are read again: every call fails."""

    concurrency = 1

    def __init__(self, name: str, identity: Mapping[str, Any]) -> None:
        self.name = name
        self.identity = identity

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        """Raise.

        Raises:
            NotCachedError: always.
        """
        raise NotCachedError(f"{self.name}: no stored verdict for this grading, and no model may be called")


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """The settings of a judge; all of them affect verdicts.

    ``language`` is the language of the forms, ``attempts`` the maximum number of attempts to get a readable
    verdict. ``schema="auto"`` uses structured output with the form's JSON schema on servers that support it;
    replies in prose are parsed in any case. ``compat="fastchat"`` parses verdicts by FastChat's rules, including
    its parsing errors. Without ``defences`` the graded answer is inserted into the prompt unchanged, which is for
    measuring their effect.
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
            raise UsageError(f"unknown judge language '{self.language}'.{nearest(self.language, LANGUAGES)}")
        if self.attempts < 1:
            raise UsageError(f"a judge needs at least one attempt, not {self.attempts}")
        if self.max_tokens < 1:
            raise UsageError(f"a judge needs at least one token, not {self.max_tokens}")
        if not 0 <= self.temperature < math.inf:
            raise UsageError(f"a judge's temperature must be 0 or more, not {self.temperature}")
        if self.schema not in SCHEMAS:
            raise UsageError(f"unknown judge schema '{self.schema}'.{nearest(self.schema, SCHEMAS)}")
        if self.compat not in (None, *COMPATS):
            raise UsageError(f"unknown judge compat '{self.compat}'.{nearest(self.compat, COMPATS)}")


class ModelJudge:
    """A model as a judge: fills in a form with defences against injection, calls the model, parses the verdict.

    Unusable verdicts (`RETRIED`) lead to further attempts, up to ``settings.attempts`` in all, each with its own
    seed. With a cache, repeating the same grading makes no call. ``forms`` are the forms that it will use, all by
    default; only these are part of its identity.
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
        self._fatal_error: ModelError | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings that affect verdicts, for the manifest: model, settings, forms, parser."""
        forms = {name: load_form(name, self.settings.language).sha256 for name in self._forms}
        return {
            "name": self.name,
            "model": dict(self._model.identity),
            **asdict(self.settings),
            "forms": forms,
            "parser": PARSER_VERSION,
        }

    async def grade(self, form: str, fields: Mapping[str, str], *, draw: int = 0) -> Judgement:
        """Grade by a form and return the verdict as a number on the form's scale (see `as_number`).

        ``details`` hold ``words`` (the model's reply, JSON as text by `as_words`), ``attempts``, ``usage`` (the
        tokens of all attempts), ``read`` (a verdict that is more than a number), ``verdict`` (further findings of
        the parser) and ``threats`` (counts of the injection attempts neutralised in the answer). An answer without
        content gets the lowest value without a call (``unasked`` is the reason). If the model gives no answer, the
        status is ``api_error``; after a fatal error no further calls are made.

        Raises:
            UsageError: no such form, or its placeholders do not match ``fields``.
            RunError: the cache cannot be written.
        """
        template = load_form(form, self.settings.language)
        template.expect(fields)
        if self.settings.defences and (finding := _needs_no_judge(template, fields)):
            details = {"judge": self.name, "unasked": finding.reason.value}
            if finding.status in APPARATUS_FAILURES:
                return Judgement(None, finding.status, details)
            return Judgement(float(template.scale[0]), Status.OK, details)
        views = _views(template, fields) if self.settings.defences else {}
        shown = {name: views[name].text if name in views else encodable(text) for name, text in fields.items()}
        replies: list[Completion] = []
        verdict: Verdict | None = None
        while verdict is None or (verdict.outcome in RETRIED and len(replies) < self._attempts):
            try:
                nonce, completion = await self._ask(template, shown, draw=draw, attempt=len(replies))
            except NotCachedError as error:
                if verdict is None:
                    return self._failed(Status.JUDGE_ERROR, error)
                break
            except ModelError as error:
                return self._failed(Status.API_ERROR, error)
            replies.append(completion)
            verdict = self._read(completion, template, fields, nonce)
        return self._judgement(template, verdict, replies, _threats(views))

    @property
    def _attempts(self) -> int:
        # FastChat makes a single attempt.
        return 1 if self.settings.compat else self.settings.attempts

    async def _ask(
        self, form: Form, shown: Mapping[str, str], *, draw: int, attempt: int
    ) -> tuple[str, Completion]:
        """Return the nonce of the prompt and the reply to it."""
        plain = form.fill(shown, "")
        identity = {"model": self._model.identity, "fenced": self.settings.defences}
        wanted = self._sampling(form, "", draw, attempt)
        key = answer_key(identity, wanted, plain, draw=draw, attempt=attempt)
        nonce = make_nonce("\n".join(message.content for message in plain), draw, attempt)
        if self.settings.defences:
            shown = {name: fence(text, nonce) for name, text in shown.items()}
        messages = form.fill(shown, nonce)
        sampling = self._sampling(form, nonce, draw, attempt)

        async def ask() -> Completion:
            async with self._free:
                if self._fatal_error is not None:
                    raise ModelError(str(self._fatal_error), fatal=True)
                try:
                    return await self._model.ask(messages, sampling)
                except ModelError as error:
                    if error.fatal:
                        self._fatal_error = error
                    raise

        if self._cache is None:
            return nonce, await ask()
        about = {
            "judge": self.name,
            "form": f"{form.name}.{form.language}",
            "draw": draw,
            "attempt": attempt,
            "messages": [message.as_json() for message in messages],
        }
        return nonce, await self._cache.answer(key, about, ask)

    def _sampling(self, form: Form, nonce: str, draw: int, attempt: int) -> dict[str, Any]:
        settings = self.settings
        sampling: dict[str, Any] = {
            "temperature": max(settings.temperature, RETRY_TEMPERATURE) if attempt else settings.temperature,
            "max_tokens": settings.max_tokens,
            "seed": settings.seed + draw * settings.attempts + attempt,
        }
        # FastChat parses prose.
        if settings.schema == "auto" and settings.compat is None:
            sampling["schema"] = verdict_schema(form, nonce)
        return sampling

    def _read(self, completion: Completion, form: Form, fields: Mapping[str, str], nonce: str) -> Verdict:
        guarded = self.settings.defences
        return parse_verdict(
            completion.text,
            kind=form.kind,
            scale=form.scale,
            # The answer cannot contain the nonce, so a verdict with the nonce is not quoted from it.
            graded_answer=None if guarded else "\n\n".join(fields[name] for name in form.graded),
            compat=self.settings.compat,
            nonce=nonce if guarded else None,
            finish_reason=completion.finish_reason,
            criteria=form.criteria,
        )

    def _failed(self, status: Status, error: ModelError) -> Judgement:
        return Judgement(None, status, {"judge": self.name, "error": str(error), "fatal": error.fatal})

    def _judgement(
        self, template: Form, verdict: Verdict, replies: Sequence[Completion], threats: Mapping[str, int]
    ) -> Judgement:
        details: dict[str, Any] = {
            "judge": self.name,
            "words": as_words(replies[-1].text, template),
            "attempts": len(replies),
            "usage": {
                "prompt_tokens": _total(completion.usage.prompt_tokens for completion in replies),
                "completion_tokens": _total(completion.usage.completion_tokens for completion in replies),
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
            # The number is kept but flagged: it may still be the judge's own.
            details["suspected"] = "injection"
            status = Status.OK_LENIENT
        if status not in (Status.OK, Status.OK_LENIENT):
            return Judgement(None, Status.MISSING if status is Status.EMPTY else status, details)
        return Judgement(as_number(verdict.value), status, details)


def as_number(value: Any) -> float:
    """Return a verdict as a number.

    Ratings and points are returned unchanged; a winner is 1 for A, 0 for B and 0.5 for a tie; a table of criteria
    gives the mean of those that were judged.
    """
    if isinstance(value, str):
        return {"A": 1.0, "B": 0.0}.get(value, 0.5)
    if isinstance(value, Mapping):
        return fmean(as_number(part) for part in value.values() if part is not None)
    return float(value)


def _needs_no_judge(form: Form, fields: Mapping[str, str]) -> Finding | None:
    """Return the reason why a single answer needs no judge, None if it needs one or if answers are compared."""
    return precheck(fields[form.graded[0]]) if len(form.graded) == 1 else None


# Cached: every member of a jury sees the same answer, and both gradings of a conversation its first one.
_view = lru_cache(maxsize=256)(neutralise)


def _views(form: Form, fields: Mapping[str, str]) -> dict[str, JudgeView]:
    return {name: _view(encodable(fields[name])) for name in sorted(form.hostile)}


def _threats(views: Mapping[str, JudgeView]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for view in views.values():
        found.update({threat.value: number for threat, number in view.threats.items()})
    return dict(sorted(found.items()))


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
