"""``evalkit run`` as a Python call: plan, open the model, execute, summarise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..errors import UsageError
from ..tasks.types import Judge
from .engine.progress import open_view, silent_view
from .engine.results import write_summary
from .engine.runner import execute
from .engine.scorer_context import open_scorer_context
from .judging.billing import Billing
from .judging.canaries import SHARE, alongside, check_share, grade_canaries, warning_of
from .judging.forecast import forecast_of
from .judging.opening import VERDICTS, check_judges, open_judging
from .models.base import LikelihoodModel, Model, ModelOptions
from .models.open import open_model
from .records.manifest import Manifest, check_repeated, finish_manifest, make_manifest, open_manifest, read_manifest
from .records.plan import PlannedTask, plan_tasks
from .records.spec import RunSpec, split_tasks
from .records.store import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is carried out, which changes neither answers nor verdicts.

    Attributes:
        output: the run directory; by default ``runs/`` and a name made from the settings.
        concurrency: requests in flight; by default what the model serves best.
        api_key: for servers that want one; never written anywhere.
        judge_api_key: the same for the judge's server.
        timeout: seconds that one request may take.
        budget: what the run may cost in all, attempts before this one included (``5usd``, ``500rub``); a request
            is sent only if its highest possible cost still fits.
        passport: of the judge; without it, or with that of another judge, the run is refused.
        thresholds: what the passport must show (``order_consistency >= 0.8``).
        canaries: number of canaries that the judge grades among the real answers, as a share of them; at least one
            a task, none if 0 (see `judging.canaries`).
        sandbox: where programs that the model writes run: ``auto`` for the strongest that works here, or its name.
        unsafe_code: allow them to run without isolation.
        executor: ``local``, or ``ray`` to open the model on the machines of a Ray cluster.
        workers: copies of the model that ``ray`` opens; by default one a machine.
        cluster: the Ray cluster's address; by default the one that runs here, else one started for the run.
        notify: called with each user-facing message.
        show_progress: draw progress on stderr.
    """

    output: Path | str | None = None
    concurrency: int | None = None
    api_key: str | None = None
    judge_api_key: str | None = None
    timeout: float = 600.0
    budget: str | None = None
    passport: Path | None = None
    thresholds: tuple[str, ...] = ()
    canaries: float = SHARE
    sandbox: str = "auto"
    unsafe_code: bool = False
    executor: Literal["local", "ray"] = "local"
    workers: int | None = None
    cluster: str | None = None
    notify: Callable[[str], None] = field(default=lambda line: None)
    show_progress: bool = False


def run(model: str, tasks: str | Sequence[str], *, run_options: RunOptions | None = None, **settings: Any) -> Path:
    """Score a model on tasks and return the run directory.

    Call it again with the same arguments after any interruption: it does what is left. Must not be called from
    inside a running event loop.

    Args:
        model: a model string (``embedded``, ``gguf:PATH``, ``openai:NAME``, …).
        tasks: task names or ``path/to/file.py:object``; in one text separated by commas.
        run_options: how; each of its attributes may be given as an argument of its own instead.
        settings: attributes of `RunOptions`, and the remaining fields of `RunSpec`: ``data``, ``limit``,
            ``epochs``, ``solver``, ``seed``, ``temperature``, ``top_p``, ``max_tokens``, ``base_url``, ``shard``;
            ``judge`` (the model strings of who grades, or a `JudgeSpec`) with ``judge_base_url``,
            ``judge_language``, ``jury_rule`` and ``judge_options``.

    Raises:
        UsageError, InputError: something given is wrong; nothing was asked of the model.
        ModelError, RunError: the run stopped before its end; what was answered is saved.
    """
    ways = {way.name for way in fields(RunOptions)}
    given = {name: settings.pop(name) for name in list(settings) if name in ways}
    spec = RunSpec.of(model=model, tasks=tuple(split_tasks(tasks) if isinstance(tasks, str) else tasks), **settings)
    return run_spec(spec, replace(run_options or RunOptions(), **given))


def repeat(manifest: Path, run_options: RunOptions) -> Path:
    """Run again what made a manifest (or the run directory that holds it), and return the new run directory.

    Other versions of packages are reported through ``notify``, since they can move a number.

    Raises:
        UsageError: the model, a task or its data is not what it was (every difference is shown), so that this would
            be another run; or what `run` raises.
        InputError: the file is not a manifest.
    """
    before = read_manifest(manifest if manifest.is_dir() else manifest.parent)
    output = run_options.output or Path("runs") / f"{before.name}-again"
    return run_spec(before.spec_again(), replace(run_options, output=output), repeated=before)


def run_spec(spec: RunSpec, run_options: RunOptions, repeated: Manifest | None = None) -> Path:
    """Do `run` for settings that are already a spec; ``repeated`` is a manifest that it must agree with."""
    planned = plan_tasks(spec)
    for item in planned:
        if item.notice:
            run_options.notify(item.notice)
    check_judges(spec.judge, [item.task for item in planned])
    check_share(run_options.canaries)
    if spec.epochs > 1 and spec.temperature == 0:
        run_options.notify(f"--epochs {spec.epochs} at temperature 0 repeats the same request {spec.epochs} times")
    directory = Path(run_options.output or Path("runs") / spec.default_name())
    with RunStore(directory) as store:
        if store.done:
            total = sum(item.shard_size for item in planned) * spec.epochs
            run_options.notify(f"{directory}: {len(store.done)} of {total} samples done before, resuming")
        asyncio.run(_run(spec, planned, run_options, store, repeated))
    if warning := warning_of(write_summary(directory).canaries):
        run_options.notify(warning)
    return directory


async def _run(
    spec: RunSpec, planned: list[PlannedTask], run_options: RunOptions, store: RunStore, repeated: Manifest | None
) -> None:
    directory = store.directory
    options = ModelOptions(
        base_url=spec.base_url,
        api_key=run_options.api_key,
        concurrency=run_options.concurrency,
        timeout=run_options.timeout,
    )
    billing = Billing.open(run_options.budget)
    model = await asyncio.to_thread(_open, spec, run_options, options)
    try:
        _refuse_unmeasurable(model, planned)
        tasks = [item.task for item in planned]
        judge_options = replace(options, api_key=run_options.judge_api_key)
        async with open_judging(
            spec.judge, tasks, directory / VERDICTS, judge_options, billing.judge, seed=spec.seed
        ) as judge:
            passport = _passport_of(judge, run_options)
            paid = billing.subject(model, spec.model)
            opened = open_scorer_context(
                tasks, seed=spec.seed, judge=judge, sandbox=run_options.sandbox, unsafe_code=run_options.unsafe_code
            )
            async with opened as context:
                fresh = make_manifest(
                    spec, model, planned, directory.name, billing.price, judge, billing.judge_prices,
                    passport=passport,
                    sandbox=context.sandbox.name if context.sandbox is not None else None,
                )  # fmt: skip
                if repeated is not None:
                    for line in check_repeated(repeated, fresh):
                        run_options.notify(line)
                manifest = open_manifest(directory, fresh)
                billing.count_spent(directory)
                if judge is not None and not store.done:
                    prices = billing.judge_prices
                    run_options.notify(forecast_of(judge, planned, spec.epochs, run_options.canaries, prices))
                canaries = grade_canaries(
                    planned, directory, context, share=run_options.canaries, epochs=spec.epochs, seed=spec.seed
                )
                async with alongside(canaries):
                    tally = await execute(
                        spec,
                        planned,
                        paid,
                        store,
                        context=context,
                        concurrency=run_options.concurrency or model.concurrency,
                        make_view=partial(open_view, spec.model) if run_options.show_progress else silent_view,
                    )
    finally:
        await model.close()
    finish_manifest(directory, manifest)
    if len(store.done) == tally.total and not store.unscored:
        store.drop_answers()


def _open(spec: RunSpec, run_options: RunOptions, options: ModelOptions) -> Model:
    if run_options.executor == "local":
        return open_model(spec.model, options)
    from .engine.ray_executor import open_on_ray

    return open_on_ray(spec.model, options, workers=run_options.workers, address=run_options.cluster)


def _passport_of(judge: Judge | None, run_options: RunOptions) -> dict[str, Any] | None:
    """Check the judge's passport, and return its entry of the manifest."""
    if run_options.passport is None:
        if run_options.thresholds:
            raise UsageError("--threshold requires --require-passport FILE")
        return None
    if judge is None:
        raise UsageError("--require-passport requires --judge")
    from .studies.passport import Threshold, require_passport

    thresholds = [Threshold.parse(text) for text in run_options.thresholds]
    passport = require_passport(judge, run_options.passport, thresholds)
    return {"sha256": passport.sha256, "line": passport.line(), "path": str(run_options.passport)}


def _refuse_unmeasurable(model: Model, planned: list[PlannedTask]) -> None:
    wanting = [item.registered_as for item in planned if item.measures]
    if wanting and not isinstance(model, LikelihoodModel):
        raise UsageError(
            f"{', '.join(wanting)}: this needs log-likelihoods, which {model.name} cannot give;"
            " hf:PATH and vllm:PATH can (pip install 'evalkit-ru[hf]')"
        )
