"""From a recipe's model string to weights that can be trained: the same folder that evaluations then open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...evals.models.base import ModelOptions
from ...evals.models.hf.model import OPTIONS
from ...evals.models.open import parse_spec
from ...evals.models.options import read_options
from ...evals.models.weights.checkpoints import Checkpoint, find_adapter, find_checkpoint, split_adapter

if TYPE_CHECKING:
    from ...evals.models.hf.chat_template import ChatTemplate
    from ...evals.models.hf.loading import Loaded, Settings

# What answers are made with, and (the sizes of batches) what evaluations are told besides.
_TAKEN = (
    "dtype", "device", "threads", "context", "chat_template", "think", "revision", "attention", "lora",
    "trust_remote_code", "batch_size", "batch_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BaseModel:
    """Frozen weights by their folder, options of the model string, and the adapter that training starts from."""

    checkpoint: Checkpoint
    options: Mapping[str, str]
    adapter: Path | None = None

    def model_string(self, adapter: Path | None) -> str:
        """Return the model string of these weights with an adapter (or none) for ``evalkit run``."""
        options = "".join(f",{key}={value}" for key, value in self.options.items())
        return f"hf:{self.checkpoint.folder}{options}" + (f"+lora:{adapter}" if adapter is not None else "")

    def with_adapter(self, adapter: Path | None) -> BaseModel:
        """Return the same weights with another adapter to start from."""
        return replace(self, adapter=adapter)


def find_base(model: str) -> BaseModel:
    """Find the weights of ``hf:PATH``, ``gguf:FILE`` or ``embedded[:NAME]``, each with ``+lora:DIR`` if wanted.

    The embedded models' weights are fetched and converted the first time.

    Raises:
        UsageError: the backend cannot be trained, or an option is none that training knows.
        InputError, ModelError: the weights cannot be had.
    """
    backend, argument, extra = parse_spec(model)
    name, options = split_adapter(argument, ModelOptions(extra=extra))
    if backend == "embedded":
        from ...evals.models.weights.catalog import find_entry
        from ...evals.models.weights.fetching import fetch

        name = str(fetch(find_entry(name)))
    elif backend not in ("hf", "gguf"):
        raise UsageError(f"field 'model': {backend} cannot be trained; hf:PATH, gguf:FILE and embedded can")
    settings = dict(options.extra or {})
    adapter = settings.pop("lora", None)
    values = read_options("hf", replace(options, extra=settings), {key: OPTIONS[key] for key in _TAKEN})
    checkpoint = find_checkpoint(name, revision=values.get("revision"))
    settings.pop("revision", None)
    return BaseModel(checkpoint, settings, find_adapter(adapter) if adapter is not None else None)


def settings_of(base: BaseModel) -> Settings:
    """Return how the weights are loaded here.

    Raises:
        UsageError: there is no such device.
        MissingExtraError: torch or transformers is not installed.
    """
    from ...evals.models.hf.loading import Settings

    return Settings.of(read_options("hf", ModelOptions(extra=dict(base.options)), OPTIONS))


def device_of(base: BaseModel) -> str:
    """Return the device of this process: of several processes on a machine, each has a GPU of its own.

    Raises:
        UsageError: there is no such device.
        MissingExtraError: torch or transformers is not installed.
    """
    from .parallel import own_gpu, world

    device = settings_of(base).device
    return f"cuda:{own_gpu()}" if device == "cuda" and world()[1] > 1 else device


def load_base(base: BaseModel, *, on_cpu: bool = False) -> tuple[Loaded, ChatTemplate, int]:
    """Load weights and tokenizer; return them with the chat template and the context in tokens.

    With ``on_cpu`` the weights stay there for now, in the precision that their device is to have.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        ModelError: they cannot be loaded.
    """
    from ...evals.models.hf.chat_template import chat_template
    from ...evals.models.hf.loading import Settings, load

    values = read_options("hf", ModelOptions(extra=dict(base.options)), OPTIONS)
    settings = replace(Settings.of(values), device="cpu" if on_cpu else device_of(base))
    loaded = load(base.checkpoint, settings)
    template = chat_template(loaded.tokenizer, values.get("chat_template"), think=values.get("think"))
    return loaded, template, min(values.get("context", loaded.context), loaded.context)
