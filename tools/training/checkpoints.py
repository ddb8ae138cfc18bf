"""Checkpoints that are whole or absent, whenever the process is killed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.extras import require
from tunesmith.tools.records.atomic_write import write_atomic

if TYPE_CHECKING:
    import torch


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> Path:
    """Save `state` to `path` by `torch.save`, replacing an older file; returns the path.

    Args:
        path: In `trial.checkpoint_dir`, usually. Missing folders are made.
        state: Tensors, `state_dict()`s, numbers, strings, and dicts and lists of them: what
            `load_checkpoint` reads back. It is held in memory once more while it is written.
    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require("torch", "save_checkpoint")
    import torch

    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, buffer.getvalue())
    return path


def load_checkpoint(path: str | Path, *, device: str | torch.device | None = "cpu") -> dict[str, Any] | None:
    """What `save_checkpoint` saved, with tensors on `device`; None when there is no such file.

    Only tensors and plain values are read: a file from elsewhere cannot run code.

    Raises:
        MissingExtra: PyTorch is not installed.
        pickle.UnpicklingError: The file holds something else.
    """
    require("torch", "load_checkpoint")
    import torch

    try:
        loaded: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        return None
    return loaded
