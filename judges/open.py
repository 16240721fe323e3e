"""Building judges from opened models, and rebuilding the judge of a finished run from its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..errors import UsageError
from .cache import VerdictCache
from .forms import load_form
from .judge import JudgeModel, JudgeSettings, ModelJudge, OfflineModel
from .jury import Jury
from .spec import JudgeSpec


def open_judge(
    models: Sequence[JudgeModel],
    settings: JudgeSettings | None = None,
    *,
    cache: VerdictCache | None = None,
    rule: str = "mean",
    escalate_above: float = 2.0,
    quorum: int | None = None,
    forms: Iterable[str] | None = None,
) -> ModelJudge | Jury:
    """Return the judge of one model, or the jury of several (see `Jury`), which share the cache.

    ``forms`` are the forms that it will use, all by default.

    Raises:
        UsageError: unknown rule, a quorum that cannot be met, or the same model twice.
    """
    names = None if forms is None else tuple(forms)
    members = [ModelJudge(model, settings, cache=cache, forms=names) for model in models]
    if len(members) == 1:
        return members[0]
    return Jury(members, rule=rule, escalate_above=escalate_above, quorum=quorum)


def open_judge_of(
    spec: JudgeSpec,
    models: Sequence[JudgeModel],
    *,
    cache: VerdictCache,
    seed: int,
    forms: Iterable[str] | None = None,
) -> ModelJudge | Jury:
    """Call `open_judge` with the settings of a spec; ``models`` are its opened models."""
    settings = JudgeSettings(language=spec.language, seed=seed, **spec.judge_options)
    return open_judge(models, settings, cache=cache, rule=spec.rule, forms=forms, **spec.jury_options)


def reopen_judge(identity: Mapping[str, Any], cache: VerdictCache) -> ModelJudge | Jury:
    """Return the judge described by an ``identity``; it answers only from the cache, without calling a model.

    Replies are parsed by the current parser.

    Raises:
        UsageError: a form has changed since, so the stored replies belong to other prompts.
    """
    if "members" in identity:
        members = [reopen_judge(member, cache) for member in identity["members"]]
        options = {name: identity[name] for name in ("rule", "escalate_above", "quorum")}
        return Jury(members, **options)
    # Older manifests lack the field: their judges were prompted without a schema.
    known = {"schema": "off", **identity}
    settings = JudgeSettings(**{field.name: known[field.name] for field in fields(JudgeSettings)})
    for name, sha256 in identity["forms"].items():
        if load_form(name, settings.language).sha256 != sha256:
            raise UsageError(
                f"the form '{name}' has changed since {identity['name']} gave these verdicts: grade again"
            )
    return ModelJudge(
        OfflineModel(identity["name"], identity["model"]), settings, cache=cache, forms=identity["forms"]
    )
