"""The Python programs of examples/, run for real with few trials."""

from __future__ import annotations

import json

import pytest

from tunesmith.trial import TrialState


@pytest.fixture
def quiet_optuna():
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def test_an_ordinary_optuna_program_uses_the_sampler(load_example, quiet_optuna):
    study = load_example("optuna_sampler.py").main(6)
    assert len(study.trials) == 6
    assert study.best_value > 0.8
    assert all("tunesmith" in trial.user_attrs for trial in study.trials), "each says why it was proposed"


def test_an_optuna_program_with_a_constraint_finds_a_model_within_it(load_example, quiet_optuna, capsys):
    study = load_example("optuna_constraints.py").main(9)
    assert study.best_trial.user_attrs["numbers"] <= 3000
    assert study.best_value > 0.9
    assert f"best within the limit {study.best_value:.4f}" in capsys.readouterr().out


def test_a_function_is_tuned_from_python(load_example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "TUNESMITH_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    result = load_example("python_api.py").main(5)
    assert result.status == "finished"
    assert [trial.state.failed for trial in result.history] == [False] * 5
    assert result.history.trials[0].state is TrialState.COMPLETED
    assert result.best_value == pytest.approx(result.best_trial.value) and result.best_value > 0.9
    report = json.loads((result.folder / "report.json").read_text())
    assert report["best"]["configuration"] == dict(result.best)
    assert report["model"]["sentence"] == "No language model was used."
