"""The examples as a user has them: loaded from their files, run for real at a small budget."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class RecordingTrial:
    """The `trial` argument, recording what it is told."""

    def __init__(self, folder: Path, seed: int = 1, prune_at: int | None = None) -> None:
        self.seed, self.checkpoint_dir, self.curve = seed, folder, {}
        self._prune_at = prune_at

    def report(self, value: float, step: int) -> None:
        self.curve[step] = value

    def should_prune(self) -> bool:
        return self._prune_at is not None and max(self.curve) >= self._prune_at


@pytest.fixture
def make_trial(tmp_path: Path) -> Any:
    return lambda **how: RecordingTrial(tmp_path, **how)


@pytest.fixture(scope="session")
def examples() -> Path:
    return Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def load_example(examples: Path) -> Callable[[str], ModuleType]:
    """Loads a file of examples/ as a module."""

    def load(name: str) -> ModuleType:
        path = examples / name
        spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
