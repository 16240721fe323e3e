"""The settings of a run that change answers or verdicts, and no others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import Field, ValidationError

from ...errors import UsageError
from ...judges.spec import NAMES, JudgeSpec, wrong_setting
from ..models.base import Sampling
from ..solvers import open_solver

# Identical drafts would be useless.
DRAFT_TEMPERATURE = 0.7
# Seeds of the drafts of one epoch keep clear of those of other epochs.
EPOCHS_APART = 1_000_003


class RunSpec(pydantic.BaseModel):
    """The settings of a run.

    Two runs of equal specs, equal model identities and equal data give the same numbers; so this is what a
    resumed run is compared with. Where to write, how many requests at once and keys are not part of it.

    The judge is one value, a `JudgeSpec`. Manifests and callers give it as five settings:
    ``judge`` (model strings), ``judge_base_url``, ``judge_language``, ``jury_rule`` and ``judge_options``.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    model: str
    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    data: dict[str, str] = {}
    base_url: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    epochs: Annotated[int, Field(ge=1)] = 1
    solver: str = "single"
    judge: JudgeSpec = JudgeSpec()
    seed: Annotated[int, Field(ge=0)] = 0
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    shard: Annotated[str, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _with_one_judge(cls, given: Any) -> Any:
        if not isinstance(given, dict) or isinstance(given.get("judge"), JudgeSpec):
            return given
        of_judge = {name: value for name, value in given.items() if name in NAMES.values()}
        others = {name: value for name, value in given.items() if name not in of_judge}
        return {**others, "judge": JudgeSpec.of(**of_judge)}

    @pydantic.model_serializer(mode="wrap")
    def _as_settings(self, as_fields: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        # The names, and the order, that manifests and the names of folders have had from the first day.
        settings: dict[str, Any] = {}
        for field, value in as_fields(self).items():
            settings |= {NAMES[key]: one for key, one in value.items()} if field == "judge" else {field: value}
        return settings

    @classmethod
    def of(cls, **settings: Any) -> RunSpec:
        """Make a spec, with a `UsageError` that names the setting where one is wrong."""
        try:
            spec = cls(**settings)
        except ValidationError as error:
            raise wrong_setting(error) from None
        open_solver(spec.solver)
        repeated = {name for name in spec.tasks if spec.tasks.count(name) > 1}
        if repeated:
            raise UsageError(f"--tasks: {', '.join(sorted(repeated))} is named twice")
        if spec.shard is not None and spec.shard_index >= spec.shard_count:
            raise UsageError(f"--shard: {spec.shard} is not one of {spec.shard_count} shards (numbered from 1)")
        unused = set(spec.data) - set(spec.tasks)
        if unused:
            raise UsageError(f"--data names {', '.join(sorted(unused))}, which is not among --tasks")
        return spec

    @property
    def shard_index(self) -> int:
        """The shard's number, from 0."""
        return int(self.shard.partition("/")[0]) - 1 if self.shard else 0

    @property
    def shard_count(self) -> int:
        """How many shards the run is cut into; 1 for a whole run."""
        return int(self.shard.partition("/")[2]) if self.shard else 1

    def sampling(
        self, *, max_tokens: int, wanted: Mapping[str, Any], epoch: int, draw: int = 0, drafts: int = 1
    ) -> Sampling:
        """Return how one answer is drawn; every epoch, and every draft in it, has a seed of its own.

        The user's settings override those of the sample (``wanted``), which override the task's ``max_tokens``
        and greedy decoding. One of several drafts is drawn at `DRAFT_TEMPERATURE` where greedy decoding was wanted,
        but not set by the user.
        """
        own = {name: getattr(self, name) for name in ("temperature", "top_p", "max_tokens")}
        settings = {"max_tokens": max_tokens, **wanted, **{k: v for k, v in own.items() if v is not None}}
        settings["stop"] = tuple(settings.get("stop", ()))
        if drafts > 1 and self.temperature is None and not settings.get("temperature"):
            settings["temperature"] = DRAFT_TEMPERATURE
        return Sampling(seed=self.seed + epoch + EPOCHS_APART * draw, **settings)

    def default_name(self) -> str:
        """Return a folder name that is the same for the same spec and differs for any other."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]
        model = self.model.partition(",")[0].rstrip("/").rpartition("/")[2]
        words = "-".join((model.replace(":", "-"), *(name.rpartition(":")[2] for name in self.tasks)))
        name = re.sub(r"[^\w.-]+", "-", words)[:80]
        return f"{name}-{digest}"


def split_tasks(text: str) -> list[str]:
    """Split task names at commas; a ``key=value`` belongs to the name before it, as options of models do."""
    names: list[str] = []
    for part in filter(None, text.split(",")):
        if names and re.match(r"[a-z_]+=", part):
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names
