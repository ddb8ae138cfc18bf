from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunesmith.objective import Objective
from tunesmith.tools.execution.pickling import pickle_objective
from tunesmith.tools.execution.preload import discover_preload, with_companions


def discover(folder: Path, text: str) -> list[str]:
    (folder / "train.py").write_text(text)
    return discover_preload(Objective(function=f"{folder}/train.py:train"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import torch, json", ["torch"]),
        ("from torch import nn, Tensor", ["torch", "torch.nn"]),
        ("import torch.nn.functional as F", ["torch.nn.functional"]),
        ("from sklearn.datasets import load_digits", ["sklearn.datasets"]),
        ("from sklearn import datasets", ["sklearn", "sklearn.datasets"]),
        ("try:\n    import numpy\nexcept ImportError:\n    import scipy", ["numpy"]),
        ("if True:\n    import numpy", ["numpy"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy", []),
        ("if __name__ == '__main__':\n    import numpy", []),
        ("def train(config, trial):\n    import numpy", []),
        ("import no_such_library_anywhere", []),
        ("import antigravity, this", []),
        ("import tunesmith.training", []),
        ("from . import numpy", []),
        ("this is not python", []),
    ],
)
def test_third_party_imports_are_found_and_nothing_is_run(tmp_path, text, found):
    assert discover(tmp_path, text) == found


def test_a_pickled_function_names_what_it_uses(tmp_path):
    import numpy as np
    import psutil

    def train(config, trial):
        return np.float64(psutil.cpu_count())

    found = discover_preload(pickle_objective(train, tmp_path / "o.pkl"))
    assert {"numpy", "psutil"} <= set(found) and "torch" not in found
    assert all(name in sys.modules for name in found)


def test_torch_brings_what_its_first_optimizer_would_load():
    assert with_companions(["torch.nn", "numpy"]) == ["torch.nn", "numpy", "torch._dynamo"]
    assert with_companions(["numpy"]) == ["numpy"]
