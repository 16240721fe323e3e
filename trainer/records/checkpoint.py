"""Checkpoints: everything that the next step depends on, in one folder that appears whole or not at all.

::

    checkpoints/step-000012/adapters.safetensors   policy, reference and critic, by "adapter/name"
                            optimizers.pt          moments of the optimizers
                            state.json             step, reset history; the method's cursor, surplus, buffers

No generator has a state to be saved: every answer is drawn from a seed made of run, step and prompt, and torch's
own generator is set anew at every step.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor

from ...errors import InputError, RunError
from ...files import encode, take_lock
from ..policy.resets import ResetState

KEPT = 2
"""Checkpoints that stay: the newest, and the one before it."""


@dataclass(frozen=True, slots=True)
class TrainState:
    """What training knows beside its tensors.

    Attributes:
        step: steps that are done.
        resets: of the reference.
        method: what the method's next step depends on (`methods.base.Method.state`), as JSON values.
    """

    step: int = 0
    resets: ResetState = field(default_factory=ResetState)
    method: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, those of the method beside the others."""
        return {"step": self.step, "resets": asdict(self.resets), **self.method}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainState:
        """Inverse of `as_json`."""
        own = {name: value for name, value in data.items() if name not in ("step", "resets")}
        return cls(data["step"], ResetState.from_json(data["resets"]), own)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved moment of training."""

    state: TrainState
    adapters: Mapping[str, Mapping[str, Tensor]]
    optimizers: Mapping[str, Any]


def save_checkpoint(
    directory: Path, state: TrainState, adapters: Mapping[str, Mapping[str, Tensor]], optimizers: Mapping[str, Any]
) -> None:
    """Save a checkpoint; a kill at any moment leaves the older ones or this one, whole.

    Raises:
        RunError: the disk is full or the folder is read-only.
    """
    from safetensors.torch import save_file

    folder = directory / f"step-{state.step:06d}"
    part = folder.with_suffix(".part")
    flat = {
        f"{adapter}/{name}": tensor.detach().cpu().contiguous()
        for adapter, tensors in adapters.items()
        for name, tensor in tensors.items()
    }
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(flat, str(part / "adapters.safetensors"))
        torch.save({name: optimizer.state_dict() for name, optimizer in optimizers.items()}, part / "optimizers.pt")
        with (part / "state.json").open("wb") as file:
            file.write(encode(state.as_json()))
        for saved in part.iterdir():
            _sync(saved)
        _sync(part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        _sync(directory)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise RunError(
            f"cannot save {folder}: {error.strerror or error}; the checkpoint before it is whole"
        ) from None
    for old in _folders(directory)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(directory: Path) -> Checkpoint | None:
    """Load the newest checkpoint; None where there is none.

    Raises:
        InputError: it is damaged (names the folder).
    """
    from safetensors.torch import load_file

    for unfinished in directory.glob("*.part"):
        shutil.rmtree(unfinished, ignore_errors=True)
    folders = _folders(directory)
    if not folders:
        return None
    folder = folders[-1]
    try:
        state = TrainState.from_json(orjson.loads((folder / "state.json").read_bytes()))
        adapters: dict[str, dict[str, Tensor]] = {}
        for key, tensor in load_file(str(folder / "adapters.safetensors")).items():
            adapter, _, name = key.partition("/")
            adapters.setdefault(adapter, {})[name] = tensor
        optimizers = torch.load(folder / "optimizers.pt", weights_only=True)
    except Exception as error:
        raise InputError(f"{folder} is damaged ({error}); delete it to go on from the one before it") from error
    return Checkpoint(state, adapters, optimizers)


def scale_moments(optimizer: Any, factor: float) -> None:
    """Multiply an optimizer's moments by what `recipe.fields.Reset` decides; 0 forgets all of its past."""
    if factor == 0:
        optimizer.state.clear()
        return
    for state in optimizer.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name].mul_(factor)


@contextlib.contextmanager
def only_writer(directory: Path) -> Iterator[None]:
    """Hold a training directory for this process alone; the system lets go of it when the process dies.

    Raises:
        UsageError: another process trains there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = take_lock(directory)
    try:
        yield
    finally:
        os.close(file)


def replace_folder(part: Path, folder: Path) -> None:
    """Put a finished folder in the place of another; a kill leaves one of them, or the older set aside."""
    old = folder.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _folders(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("step-*") if path.suffix != ".part")


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
