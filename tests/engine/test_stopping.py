"""Early stopping as a whole: it saves training and costs nothing in what a run finds."""

import numpy as np
import pytest

from fakes.inline_engine import EngineMaker, InlineExecutor, completed
from fakes.noisy_training import STEPS, final, tuned
from tunesmith.events import Noted
from tunesmith.task import PrunerSpec
from tunesmith.tools.analysis.collapse import flat_predictions
from tunesmith.trial import Outcome, TrialState

TRIALS = 30


@pytest.fixture(scope="module")
def run():
    return tuned(PrunerSpec(), seed=0, trials=TRIALS)


def test_the_default_pruner_stops_hopeless_trials_and_hardly_any_good_one(run):
    good = [trial for trial in run if final(trial.configuration) > 0.845]
    hopeless = [trial for trial in run if final(trial.configuration) < 0.7]
    assert sum(trial.value is None for trial in good) <= 0.2 * len(good) and len(good) >= TRIALS / 2
    assert all(trial.value is None for trial in hopeless[2:])  # the first ones complete, as a measure
    assert sum(len(trial.curve) for trial in run) < TRIALS * STEPS


def test_predictions_beside_stopped_trials_stay_near_the_truth(run):
    late = [trial for trial in run.trials[10:] if trial.proposal.expected is not None]
    errors = [abs(trial.proposal.expected - final(trial.configuration)) for trial in late]
    near = [error for error, trial in zip(errors, late, strict=True) if final(trial.configuration) > 0.8]
    assert np.median(near) < 0.02
    # 'Best expected improvement' far away from all that is good, though everything looks alike:
    assert np.mean([final(trial.configuration) > 0.8 for trial in late]) > 0.7


@pytest.mark.long
def test_the_default_pruner_finds_what_a_run_without_one_finds(run):
    without = tuned(PrunerSpec(kind="none"), seed=0, trials=TRIALS)
    found, full = (final(history.incumbent.configuration) for history in (run, without))
    assert found >= full - 0.005


def test_a_run_most_of_whose_trials_are_stopped_says_so_once(maker: EngineMaker) -> None:
    def train(job):
        if job.number < 3:
            return completed(job)
        return Outcome(state=TrialState.PRUNED, curve=((1, 0.5),))

    maker.engine(executor=InlineExecutor(train=train), budget={"trials": 14}).run()
    said = [event.text for event in maker.events(Noted) if "stopped early" in event.text]
    assert said == [
        "5 of the last 8 trials were stopped early. While that is so, only clearly hopeless ones are stopped."
    ]


@pytest.mark.slow
def test_real_trainings_beside_the_default_pruner_find_what_they_find_without():
    from fakes import digits_mlp

    def tune(kind, seed):
        problem = {"train": digits_mlp.train, "space": digits_mlp.SPACE, "default": digits_mlp.DEFAULT}
        return tuned(PrunerSpec(kind=kind), seed, 30, **problem)

    best = {kind: [] for kind in ("forecast", "none")}
    for seed in (0, 1, 2):
        for kind, values in best.items():
            history = tune(kind, seed)
            values.append(history.incumbent.value)
            assert flat_predictions(history) is None
            if kind == "forecast":
                assert len(history.pruned) <= len(history) / 2
                assert sum(len(t.curve) for t in history) < 0.95 * 30 * digits_mlp.EPOCHS
    # .012: what two best results of trainings as noisy as these differ by, by chance, in the mean of three.
    assert np.mean(best["forecast"]) >= np.mean(best["none"]) - 0.012
