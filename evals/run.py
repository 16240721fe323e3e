"""``evalkit run`` as a Python call: plan, open the model, execute, summarise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..errors import UsageError
from ..tasks.types import Judge
from .engine.progress import open_view, silent_view
from .engine.results import summarize
from .engine.runner import execute
from .engine.scorer_context import lend
from .judging.billing import Till
from .judging.canaries import SHARE, alongside, check_share, grade_canaries, warning_of
from .judging.forecast import forecast_of
from .judging.opening import VERDICTS, Judging, check_judges, open_judging
from .models.base import LikelihoodModel, Model, ModelOptions
from .models.open import open_model
from .records.manifest import check_repeated, finish_manifest, make_manifest, open_manifest, read_manifest
from .records.parquet import write_parquet
from .records.plan import PlannedTask, plan_tasks
from .records.spec import RunSpec
from .records.store import RunStore, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
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
        canaries: how many worthless answers that ask for a good mark a judge grades among the real ones, as a share
            of them; at least one a task, none where it is 0 (see `canaries`).
        sandbox: where programs that the model writes run: ``auto`` for the strongest that works here, or its name.
        unsafe_code: allow them to run without isolation.
        executor: ``local``, or ``ray`` to open the model on the machines of a Ray cluster.
        workers: copies of the model that ``ray`` opens; by default one a machine.
        cluster: the Ray cluster's address; by default the one that runs here, else one started for the run.
        notify: receives the lines that a person should read.
        show_progress: draw progress on stderr.
    """

    output: Path | None = None
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


def run(model: str, tasks: Sequence[str], *, conduct: Conduct | None = None, **settings: Any) -> Path:
    """Score a model on tasks and return the run directory.

    Call it again with the same arguments after any interruption: it does what is left. Must not be called from
    inside a running event loop.

    Args:
        model: a model string (``embedded``, ``gguf:PATH``, ``openai:NAME``, …).
        tasks: task names or ``path/to/file.py:object``.
        conduct: how; each of its attributes may be given as an argument of its own instead.
        settings: attributes of `Conduct`, and the remaining fields of `RunSpec`: ``data``, ``limit``, ``epochs``,
            ``solver``, ``seed``, ``temperature``, ``top_p``, ``max_tokens``, ``base_url``, ``shard``.

    Raises:
        UsageError, InputError: something given is wrong; nothing was asked of the model.
        ModelError, RunError: the run stopped before its end; what was answered is saved.
    """
    ways = {way.name for way in fields(Conduct)}
    given = {name: settings.pop(name) for name in list(settings) if name in ways}
    spec = RunSpec.of(model=model, tasks=tuple(tasks), **settings)
    return run_spec(spec, replace(conduct or Conduct(), **given))


def repeat(manifest: Path, conduct: Conduct) -> Path:
    """Run again what made a manifest (or the run directory that holds it), and return the new run directory.

    Other versions of packages are reported through ``notify``, since they can move a number.

    Raises:
        UsageError: the model, a task or its data is not what it was (every difference is shown), so that this would
            be another run; or what `run` raises.
        InputError: the file is not a manifest.
    """
    before = read_manifest(manifest if manifest.is_dir() else manifest.parent)
    output = conduct.output or Path("runs") / f"{before['name']}-again"
    return run_spec(RunSpec.of(**before["spec"]), replace(conduct, output=output), repeated=before)


def run_spec(spec: RunSpec, conduct: Conduct, repeated: Mapping[str, Any] | None = None) -> Path:
    """Do `run` for settings that are already a spec; ``repeated`` is a manifest that it must agree with."""
    planned = plan_tasks(spec)
    for item in planned:
        if item.notice:
            conduct.notify(item.notice)
    check_judges(Judging.of(spec), [item.task for item in planned])
    check_share(conduct.canaries)
    if spec.epochs > 1 and spec.temperature == 0:
        conduct.notify(f"--epochs {spec.epochs} at temperature 0 asks the same thing {spec.epochs} times")
    directory = conduct.output or Path("runs") / spec.default_name()
    _carry_out(spec, planned, conduct, directory, repeated)
    results = summarize(directory)
    write_json(directory / "results.json", results)
    write_parquet(directory)
    if results["judging"] and (warning := warning_of(results["judging"]["canaries"])):
        conduct.notify(warning)
    return directory


def _carry_out(
    spec: RunSpec,
    planned: list[PlannedTask],
    conduct: Conduct,
    directory: Path,
    repeated: Mapping[str, Any] | None,
) -> None:
    # A function of its own, so that what the store remembers is gone when the run is summarised.
    with RunStore(directory) as store:
        total = sum(item.shard_size for item in planned) * spec.epochs
        if store.done:
            conduct.notify(f"{directory}: {len(store.done)} of {total} done before, going on")
        asyncio.run(_run(spec, planned, conduct, store, repeated))


async def _run(
    spec: RunSpec,
    planned: list[PlannedTask],
    conduct: Conduct,
    store: RunStore,
    repeated: Mapping[str, Any] | None,
) -> None:
    directory = store.directory
    options = ModelOptions(
        base_url=spec.base_url,
        api_key=conduct.api_key,
        concurrency=conduct.concurrency,
        timeout=conduct.timeout,
    )
    till = Till.open(conduct.budget)
    model = await asyncio.to_thread(_open, spec, conduct, options)
    try:
        _refuse_unmeasurable(model, planned)
        tasks = [item.task for item in planned]
        judge_options = replace(options, api_key=conduct.judge_api_key)
        async with open_judging(Judging.of(spec), tasks, directory / VERDICTS, judge_options, till.judge) as judge:
            passport = _passport_of(judge, conduct)
            paid = till.subject(model, spec.model)
            lent = lend(
                tasks, seed=spec.seed, judge=judge, sandbox=conduct.sandbox, unsafe_code=conduct.unsafe_code
            )
            async with lent as context:
                fresh = make_manifest(spec, model, planned, directory.name, till.price, judge, till.judge_prices)
                fresh["passport"] = passport
                fresh["sandbox"] = context.sandbox.name if context.sandbox is not None else None
                if repeated is not None:
                    for line in check_repeated(repeated, fresh):
                        conduct.notify(line)
                manifest = open_manifest(directory, fresh)
                till.count_spent(directory)
                if judge is not None and not store.done:
                    prices = till.judge_prices
                    conduct.notify(forecast_of(judge, planned, spec.epochs, conduct.canaries, prices))
                canaries = grade_canaries(
                    planned, directory, context, share=conduct.canaries, epochs=spec.epochs, seed=spec.seed
                )
                async with alongside(canaries):
                    tally = await execute(
                        spec,
                        planned,
                        paid,
                        store,
                        context=context,
                        concurrency=conduct.concurrency or model.concurrency,
                        make_view=partial(open_view, spec.model) if conduct.show_progress else silent_view,
                    )
    finally:
        await model.close()
    finish_manifest(directory, manifest)
    if len(store.done) == tally.total and not store.unscored:
        store.drop_answers()


def _open(spec: RunSpec, conduct: Conduct, options: ModelOptions) -> Model:
    if conduct.executor == "local":
        return open_model(spec.model, options)
    from .engine.ray_executor import open_on_ray

    return open_on_ray(spec.model, options, workers=conduct.workers, address=conduct.cluster)


def _passport_of(judge: Judge | None, conduct: Conduct) -> dict[str, Any] | None:
    """Return what the manifest says of the judge's passport, once it is found to be in order."""
    if conduct.passport is None:
        if conduct.thresholds:
            raise UsageError("--threshold is held against a passport: give --require-passport FILE")
        return None
    if judge is None:
        raise UsageError("--require-passport: there is no --judge")
    from .studies.passport import Threshold, require_passport

    thresholds = [Threshold.parse(text) for text in conduct.thresholds]
    passport = require_passport(judge, conduct.passport, thresholds)
    return {"sha256": passport.sha256, "line": passport.line(), "path": str(conduct.passport)}


def _refuse_unmeasurable(model: Model, planned: list[PlannedTask]) -> None:
    wanting = [item.registered_as for item in planned if item.measures]
    if wanting and not isinstance(model, LikelihoodModel):
        raise UsageError(
            f"{', '.join(wanting)}: this needs log-likelihoods, which {model.name} cannot give;"
            " hf:PATH and vllm:PATH can (pip install 'evalkit-ru[hf]')"
        )
