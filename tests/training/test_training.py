from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tunesmith.training import count_parameters, load_checkpoint, save_checkpoint, seed_everything


def test_one_seed_sets_python_numpy_and_torch():
    def draw():
        seed_everything(5)
        return random.random(), np.random.random(), torch.rand(1).item()

    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        assert draw() == draw()
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path):
    net = torch.nn.Linear(2, 3)
    path = save_checkpoint(tmp_path / "new" / "last.pt", {"epoch": 3, "net": net.state_dict()})
    loaded = load_checkpoint(path)
    assert loaded["epoch"] == 3
    assert torch.equal(loaded["net"]["weight"], net.weight)
    assert [file.name for file in path.parent.iterdir()] == ["last.pt"]


def test_a_checkpoint_that_fails_half_way_leaves_the_older_one(tmp_path: Path):
    path = save_checkpoint(tmp_path / "last.pt", {"epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, {"epoch": lambda: 2})
    assert load_checkpoint(path) == {"epoch": 1}


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path):
    torch.save({"code": print}, tmp_path / "evil.pt")
    with pytest.raises(Exception, match="[Ww]eights"):
        load_checkpoint(tmp_path / "evil.pt")


def test_parameters_are_counted_once_and_frozen_ones_on_demand():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    net.append(net[1])  # shared
    net[0].weight.requires_grad = False
    assert count_parameters(net) == 9 + 12 + 6
    assert count_parameters(net, trainable=True) == 3 + 12 + 6


def test_importing_the_helpers_does_not_import_torch():
    code = "import sys, tunesmith.training; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
