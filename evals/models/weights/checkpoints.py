"""Where a model's weights lie: a folder, a GGUF file (converted once), or the Hugging Face hub (fetched once)."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....errors import InputError, MissingExtraError, ModelError, UsageError
from ..base import ModelOptions
from .cache import cache_folder, file_sha256, locked

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
READ_BY_MODELS = ("*.safetensors", "*.bin", "*.json", "*.jinja", "*.model", "*.txt", "*.py")
FETCHED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.py")
NOT_FETCHED = ("original/*", "consolidated*", "onnx/*", "openvino/*")
REMEMBERED = 1 << 24
"""Bytes of a file whose sha256 is worth remembering."""
CONVERSION = 1
"""Part of the name of every converted folder: raise it when conversions come out differently."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that transformers and vLLM can load; ``revision`` is the hub's commit."""

    folder: Path
    revision: str | None = None

    def identity(self) -> dict[str, Any]:
        """Return what tells these weights from all others, wherever they lie."""
        digest = folder_sha256(self.folder)
        return {"weights_sha256": digest} | ({"revision": self.revision} if self.revision else {})


def find_checkpoint(name: str, *, revision: str | None = None) -> Checkpoint:
    """Return the weights that ``name`` means: a folder, a ``.gguf`` file, or a hub id with an optional revision.

    The hub is asked only for what its cache lacks, and not at all when ``HF_HUB_OFFLINE`` is set.

    Raises:
        InputError: there is no such folder or file.
        ModelError: the hub cannot give it.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(f"{path} is not a model: it has no config.json")
        return Checkpoint(path)
    if path.suffix == ".gguf":
        return Checkpoint(gguf_to_safetensors(path))
    if HUB_ID.fullmatch(name) is None:
        raise InputError(f"there is no folder {name} (a model of the hub is named 'owner/model')")
    return _from_hub(name, revision)


def find_adapter(name: str) -> Path:
    """Return the folder of a LoRA adapter as PEFT saves it.

    Raises:
        InputError: there is none.
    """
    folder = Path(name).expanduser()
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / file).is_file():
            raise InputError(f"{folder} is not a LoRA adapter: it has no {file}")
    return folder


def gguf_to_safetensors(gguf: Path) -> Path:
    """Return the folder of a GGUF file's weights as float32 safetensors, converting them the first time.

    Reading a GGUF file takes transformers half a minute and up, the folder a second. It lies in evalkit's cache,
    named after the file's sha256, and appears there whole or not at all.

    Raises:
        InputError: there is no such file.
        MissingExtraError: transformers is not installed.
        ModelError: the file cannot be read, or its architecture is not supported.
    """
    if not gguf.is_file():
        raise InputError(f"there is no file {gguf}")
    folder = cache_folder() / "safetensors" / f"{gguf.stem}-{file_sha256(gguf)[:12]}-{CONVERSION}"
    if folder.is_dir():
        return folder
    with locked(folder.with_name(f"{folder.name}.lock")):
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        if not folder.is_dir():
            shutil.rmtree(unfinished, ignore_errors=True)
            _convert(gguf, unfinished)
            unfinished.rename(folder)
    return folder


def folder_sha256(folder: Path) -> str:
    """Return one sha256 for all files of a model folder that a loader may read."""
    return _joint_sha256(file for pattern in READ_BY_MODELS for file in folder.glob(pattern))


def adapter_sha256(folder: Path) -> str:
    """Return one sha256 for a LoRA adapter: its weights and its configuration."""
    return _joint_sha256(folder / name for name in ("adapter_config.json", "adapter_model.safetensors"))


def split_adapter(name: str, options: ModelOptions) -> tuple[str, ModelOptions]:
    """Take ``+lora:FOLDER`` off a model's name, or off the last of its options, and make it the option ``lora``.

    Raises:
        UsageError: an adapter without a folder, or two adapters.
    """
    texts = {"": name, **(options.extra or {})}
    found = [texts["lora"]] if "lora" in texts else []
    for key, text in texts.items():
        texts[key], mark, folder = text.partition("+lora:")
        if mark:
            found.append(folder)
    if len(found) > 1 or "" in found or any("+lora:" in folder for folder in found):
        raise UsageError("+lora:FOLDER may be given once, with a folder")
    name = texts.pop("")
    return name, replace(options, extra=texts | ({"lora": found[0]} if found else {}))


def _joint_sha256(files: Iterable[Path]) -> str:
    lines = sorted(f"{_sha256(file)}  {file.name}\n" for file in set(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(file: Path) -> str:
    # The hub's cache names large files by their sha256, which spares reading them.
    real = file.resolve()
    if real.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", real.name):
        return real.name
    if real.stat().st_size < REMEMBERED:
        return hashlib.sha256(real.read_bytes()).hexdigest()
    return file_sha256(real)


def _from_hub(name: str, revision: str | None) -> Checkpoint:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise MissingExtraError("hf") from None
    try:
        folder = snapshot_download(
            name, revision=revision, allow_patterns=list(FETCHED), ignore_patterns=list(NOT_FETCHED)
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(
            f"'{name}' is not a local folder and cannot be downloaded from the Hugging Face hub: {reason}",
            fatal=True,
        ) from error
    return Checkpoint(Path(folder), revision=Path(folder).name)


def _convert(gguf: Path, target: Path) -> None:
    try:
        import accelerate  # noqa: F401
        import gguf as gguf_package  # noqa: F401
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingExtraError("hf") from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    except Exception as error:
        raise ModelError(f"{gguf} cannot be read by transformers: {error}", fatal=True) from error
    # transformers refuses to save what it marks as quantised, though the weights are plain float32 by now.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config._name_or_path = ""
    length = getattr(model.config, "max_position_embeddings", None)
    if length is not None:
        tokenizer.model_max_length = length
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
