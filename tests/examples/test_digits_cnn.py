"""The demo's example: real data, real training, and a comparison that is fair."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits

from tunesmith.seeds import rng_for
from tunesmith.task import load_task


@pytest.fixture(scope="module")
def digits(load_example):
    return load_example("digits_cnn/train.py")


@pytest.fixture(scope="module")
def task(examples):
    return load_task(examples / "digits_cnn" / "task.yaml")


@pytest.fixture
def short(digits, monkeypatch):
    """Three epochs instead of forty."""
    monkeypatch.setattr(digits, "EPOCHS", 3)
    return digits


def test_the_task_names_functions_that_exist_and_a_default_of_its_space(task, examples):
    assert task.objective_ref().function == f"{examples}/digits_cnn/train.py:train"
    assert task.confirm_ref().function == f"{examples}/digits_cnn/train.py:test"
    assert task.confirm.separate and task.confirm.metric == "test_accuracy"
    assert task.default is not None and "momentum" not in task.default
    assert task.budget.trials >= 16 and task.budget.wall_time_s <= 180


def test_the_three_splits_share_no_image_and_leave_none_out(digits):
    parts = {part: digits.load(part)[0] for part in ("train", "validation", "test")}
    assert [len(images) for images in parts.values()] == [300, 600, 897]
    everything = torch.cat(list(parts.values())).view(-1, 64).double() * 16
    rows = sorted(map(tuple, everything.round().tolist()))
    assert rows == sorted(map(tuple, load_digits().data.tolist())), "each image in exactly one split"
    assert torch.equal(parts["train"], digits.load("train")[0]), "the split never changes"


def test_the_search_never_loads_the_test_images(short, task, make_trial, monkeypatch):
    loaded: list[str] = []
    load = short.load
    monkeypatch.setattr(short, "load", lambda part: (loaded.append(part), load(part))[1])
    short.train(dict(task.default), make_trial())
    assert set(loaded) == {"train", "validation"}
    loaded.clear()
    short.test(dict(task.default), make_trial())
    assert set(loaded) == {"train", "test"}


def test_a_trial_reports_every_epoch_and_returns_the_last(short, task, make_trial):
    trial = make_trial()
    values = short.train(dict(task.default), trial)
    assert list(trial.curve) == [0, 1, 2]
    assert values["val_accuracy"] == trial.curve[2] > 0.5
    assert set(values) == {"val_accuracy", "val_loss"}


def test_a_trial_told_to_stop_stops(short, task, make_trial):
    trial = make_trial(prune_at=1)
    short.train(dict(task.default), trial)
    assert list(trial.curve) == [0, 1]


@pytest.mark.long
def test_the_same_seed_gives_the_same_result_and_another_seed_another(short, task, make_trial):
    config = {**task.default, "shift": 0.5, "rotation": 5.0}
    first, again, other = (short.train(config, make_trial(seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_the_checkpoint_gives_the_reported_accuracy_when_loaded(short, task, make_trial):
    trial = make_trial()
    values = short.train(dict(task.default), trial)
    saved = torch.load(trial.checkpoint_dir / "model.pt", weights_only=True)
    net = short.build(saved["config"])
    net.load_state_dict(saved["model"])
    assert short.score(net, *short.load("validation")) == (values["val_accuracy"], values["val_loss"])


@pytest.mark.long
def test_any_configuration_of_the_space_trains(short, task, make_trial):
    drawn = task.space.sample(rng_for(0, "test"), 6)
    assert {configuration["optimizer"] for configuration in drawn} == {"adamw", "sgd"}
    for configuration in drawn:
        assert 0.0 <= short.train(dict(configuration), make_trial())["val_accuracy"] <= 1.0


def test_augmentation_moves_and_turns_by_no_more_than_asked(digits):
    torch.manual_seed(0)
    dot = torch.zeros(200, 1, 8, 8)
    dot[:, :, 3:5, 3:5] = 1.0  # 2x2 in the middle
    assert torch.equal(digits.augment(dot, 0.0, 0.0), dot)
    moved = digits.augment(dot, 1.0, 0.0)  # (200, 1, 8, 8)
    place = torch.arange(8.0)
    rows = (moved.sum(dim=3).squeeze(1) * place).sum(1) / moved.sum((1, 2, 3))  # centre of mass, pixels
    assert (rows - 3.5).abs().max() <= 1.0 + 1e-4
    assert (rows - 3.5).abs().max() > 0.8
    turned = digits.augment(dot, 0.0, 20.0)
    assert torch.allclose(turned.sum((1, 2, 3)), torch.full((200,), 4.0), atol=0.3)


@pytest.mark.slow
def test_a_whole_training_of_the_default_is_as_good_as_the_readme_says(digits, task, make_trial):
    assert 0.94 <= digits.test(dict(task.default), make_trial())["test_accuracy"] <= 0.985
