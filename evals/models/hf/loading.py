"""Loads a model of transformers with its tokenizer; errors become one-line messages."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....errors import MissingExtraError, ModelError, UsageError
from ..weights.checkpoints import Checkpoint, adapter_sha256, find_adapter

if TYPE_CHECKING:
    from .causal_lm import CausalLM

DTYPES = ("auto", "float32", "float64", "bfloat16", "float16")
UNKNOWN_CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Settings:
    """How the weights are loaded, checked against what this machine has."""

    dtype: str
    device: str
    adapter: str | None
    attention: str | None
    trust_remote_code: bool

    @property
    def device_type(self) -> str:
        """``cpu`` or ``cuda``."""
        return self.device.partition(":")[0]

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> Settings:
        """Take the options of a model string, filled up with what suits this machine.

        Raises:
            UsageError: the device is not available.
            MissingExtraError: torch or transformers is not installed.
        """
        torch, _ = _libraries()
        device = chosen.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.partition(":")[0] not in ("cpu", "cuda"):
            raise UsageError(f"unsupported device={device}: use cpu, cuda, cuda:1, …")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise UsageError(f"device={device}: this torch ({torch.__version__}) finds no CUDA device")
        threads = chosen.get("threads") or int(os.environ.get("EVALKIT_THREADS", "0"))
        if threads:
            torch.set_num_threads(threads)
        return cls(
            dtype=chosen.get("dtype") or ("float32" if device == "cpu" else "auto"),
            device=device,
            adapter=chosen.get("lora"),
            attention=chosen.get("attention"),
            trust_remote_code=chosen.get("trust_remote_code", False),
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to answer; ``identity`` is what of the loading changes an answer."""

    tokenizer: Any
    lm: CausalLM
    identity: dict[str, Any]

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together, at most, as the model's configuration says."""
        config = self.lm.model.config.get_text_config()
        for key in ("n_positions", "max_position_embeddings", "n_ctx"):
            if getattr(config, key, None) is not None:
                return int(getattr(config, key))
        length = self.tokenizer.model_max_length
        return int(length) if length < 1e9 else UNKNOWN_CONTEXT


def load(checkpoint: Checkpoint, settings: Settings) -> Loaded:
    """Load the weights and the tokenizer, and put the adapter on.

    Raises:
        MissingExtraError: torch, transformers or peft is not installed.
        ModelError: they cannot be loaded, do not fit together, or do not fit into memory.
    """
    torch, transformers = _libraries()
    from .causal_lm import CausalLM

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    dtype = "auto" if settings.dtype == "auto" else getattr(torch, settings.dtype)
    common = {"trust_remote_code": settings.trust_remote_code, "local_files_only": True}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint.folder, **common)
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            attn_implementation=settings.attention,
            output_loading_info=True,
            **common,
        )
    except Exception as error:
        raise ModelError(f"{checkpoint.folder} cannot be loaded: {_first_line(error)}", fatal=True) from error
    if missing := sorted(report["missing_keys"]):
        # transformers would go on with random numbers in their place.
        raise ModelError(
            f"{checkpoint.folder}: the checkpoint is incomplete: {len(missing)} missing weights, e.g. {missing[0]}",
            fatal=True,
        )
    identity = {
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": settings.device_type,
        "attention": model.config._attn_implementation,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    if settings.adapter is not None:
        model, identity["adapter_sha256"] = _with_adapter(model, settings.adapter)
    try:
        model = model.to(settings.device).eval()
    except torch.OutOfMemoryError as error:
        raise ModelError(f"out of memory on {settings.device}: {_first_line(error)}", fatal=True) from error
    pad = next((id for id in (tokenizer.pad_token_id, tokenizer.eos_token_id) if id is not None), 0)
    return Loaded(tokenizer, CausalLM(model, stop_tokens=_stop_tokens(model, tokenizer), pad_token=pad), identity)


def release_memory() -> None:
    """Release the memory of dropped weights to the system and to other CUDA processes."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError:
        raise MissingExtraError("hf") from None
    return torch, transformers


def _with_adapter(model: Any, name: str) -> tuple[Any, str]:
    folder = find_adapter(name)
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("hf") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is missing is an error below
            # Not merged: merging into half-precision weights rounds a good part of a small adapter away.
            adapted = PeftModel.from_pretrained(model, str(folder))
            found = adapted.load_adapter(str(folder), "default")
        strange = [*found.missing_keys, *found.unexpected_keys]
        if strange:
            raise ValueError(f"{len(strange)} missing or unexpected weights, e.g. {strange[0]}")
    except Exception as error:
        raise ModelError(
            f"the adapter {folder} does not fit this base model: {_first_line(error)}", fatal=True
        ) from error
    return adapted, adapter_sha256(folder)


def _stop_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    configured = model.generation_config.eos_token_id if model.generation_config is not None else None
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(id for id in (*ids, tokenizer.eos_token_id) if id is not None)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
