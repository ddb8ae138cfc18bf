"""What a stated or measured noise changes: the surrogate, repeated trials, and what is recommended."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from tunesmith.agent.methods.gp.replicates import APART, MEASURED, MEASURING
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.history import History
from tunesmith.noise import Noise, known_noise, measured_noise
from tunesmith.seeds import rng_for
from tunesmith.space import Float, Space
from tunesmith.trial import Origin, Proposal, Provenance, Trial, TrialState

SPACE = Space({"x": Float(0, 1), "y": Float(0, 1)})
DEFAULT = SPACE.validate({"x": 0.1, "y": 0.1})


def truth(x: float, y: float) -> float:
    return 0.9 - 0.3 * ((x - 0.6) ** 2 + (y - 0.4) ** 2)


@cache
def run(noise: Noise | None, trials: int, sd: float, seed: int = 0, budget: int | None = None) -> History:
    """A whole search of a noisy hill."""
    strategy = GaussianProcessStrategy(SPACE, seed, noise=noise, trials=trials if budget is None else budget)
    history = History(SPACE, "score", "maximize", default=DEFAULT)
    rng = rng_for(seed, "noise of the test")
    for number in range(trials):
        made = strategy.propose(history, 1)[0]
        value = truth(*(float(v) for v in made.configuration.values())) + sd * rng.standard_normal()
        history = history.with_trial(
            Trial(number=number, proposal=made, state=TrialState.COMPLETED, value=float(value))
        )
    return history


def replicates(history: History) -> list[Trial]:
    return [t for t in history if t.proposal.origin is Origin.REPLICATE]


def of(values: list[tuple[float, float]]) -> History:
    """A history with a value at each x, in this order."""
    history = History(SPACE, "score", "maximize", default=DEFAULT)
    for number, (x, value) in enumerate(values):
        made = Proposal(configuration=SPACE.validate({"x": x, "y": 0.5}), origin=Origin.USER, reason="")
        history = history.with_trial(
            Trial(number=number, proposal=made, state=TrialState.COMPLETED, value=value)
        )
    return history


def test_repeated_trials_measure_the_noise_by_their_pooled_deviation():
    history = of([(0.1, 1.0), (0.1, 3.0), (0.5, 5.0), (0.5, 5.5), (0.5, 6.0), (0.9, 7.0)])
    known = measured_noise(history)
    assert known is not None
    assert known.sd == pytest.approx(math.sqrt((2.0 + 0.5) / 3)) and known.freedom == 3
    assert measured_noise(of([(0.1, 1.0), (0.2, 3.0)])) is None
    stated = known_noise(0.25, history)
    assert stated is not None and stated.sd == 0.25 and math.isinf(stated.freedom)


@pytest.mark.parametrize(
    ("noise", "budget"), [(None, 30), ("none", 30), (0.02, 14), (0.02, 0), ("measure", 14)]
)
def test_nothing_is_repeated_without_noise_or_with_a_small_budget(noise, budget):
    history = run(0.03, 30, 0.03)
    for n in (4, 20, 29):
        before = History(SPACE, "score", "maximize", DEFAULT, history.trials[:n])
        made = GaussianProcessStrategy(SPACE, 0, noise=noise, trials=budget).propose(before, 1)[0]
        assert made.origin is not Origin.REPLICATE and made.configuration.digest not in before.taken


def test_leaders_within_the_noise_are_repeated_in_the_second_half_and_at_most_a_tenth_of_the_trials():
    history = run(0.03, 30, 0.03)
    repeated = replicates(history)
    assert 1 <= len(repeated) <= 3
    for trial in repeated:
        assert trial.number >= 15
        of_trial = history.get(trial.proposal.provenance.replicate_of)
        assert of_trial.configuration == trial.configuration and of_trial.number < trial.number
        assert "within the noise" in trial.proposal.reason
    apart = [b.number - a.number for a, b in zip(repeated, repeated[1:], strict=False)]
    assert all(gap > APART for gap in apart if repeated[-1].number < 27)


def test_a_noise_that_is_small_against_the_leaders_gap_repeats_nothing():
    assert not replicates(run(1e-9, 16, 0.0))


def test_measuring_repeats_the_default_at_the_beginning():
    history = run("measure", 8, 0.03, budget=30)
    measuring = [t for t in replicates(history) if t.proposal.provenance.stage == MEASURING]
    assert [t.number for t in measuring] == [2, 3] and len(measuring) == MEASURED
    assert all(t.configuration == DEFAULT and t.proposal.provenance.replicate_of == 0 for t in measuring)


def test_measuring_without_a_default_repeats_the_best_of_the_first():
    history = of([(0.2, 0.1), (0.4, 0.5), (0.6, 0.9), (0.8, 0.3)])
    made = GaussianProcessStrategy(SPACE, 0, noise="measure", trials=30).propose(
        History(SPACE, "score", "maximize", trials=history.trials), 1
    )
    assert made[0].origin is Origin.REPLICATE and made[0].provenance.replicate_of == 2


def test_the_same_history_gives_the_same_replicates_whoever_asks():
    history = run(0.03, 30, 0.03)
    for trial in replicates(history):
        before = History(SPACE, "score", "maximize", DEFAULT, history.trials[: trial.number])
        again = GaussianProcessStrategy(SPACE, 0, noise=0.03, trials=30).propose(before, 1)[0]
        assert again.configuration == trial.configuration and again.origin is Origin.REPLICATE


def test_the_lucky_value_of_a_poor_neighbourhood_is_not_recommended():
    rng = np.random.default_rng(3)
    hill = [(x, truth(x, 0.4) + 0.004 * rng.standard_normal()) for x in np.linspace(0.02, 0.98, 16)]
    history = of([*hill, (0.3, 0.93)])  # 0.873 is true there
    found = GaussianProcessStrategy(SPACE, 0, noise=0.03, trials=30).recommend(history)
    assert found is not None and found.best_trial == 16 and found.best_value == 0.93
    assert found.differs and abs(float(found.configuration["x"]) - 0.6) < 0.2
    assert found.expected == pytest.approx(0.9, abs=0.02) and found.best_expected < 0.9
    text = found.text(history)
    assert text.startswith(f"best value seen: trial 16, 0.93; recommended: trial {found.trial}, expected 0.8")
    assert "(1 run)" in text and "luck" in text


def test_replicates_count_in_what_is_recommended():
    poor = [(0.3, 0.93), (0.3, 0.85), (0.3, 0.86), (0.3, 0.86)]
    good = [(0.6, 0.91), (0.6, 0.90), (0.6, 0.905)]
    history = of([*poor, *good, (0.05, 0.8), (0.95, 0.82)])
    found = GaussianProcessStrategy(SPACE, 0, noise="measure", trials=30).recommend(history)
    assert found is not None and found.trial == 4 and found.runs == 3 and found.best_trial == 0


@pytest.mark.parametrize("noise", [None, "none", 1e-6])
def test_without_noise_the_best_value_is_recommended(noise):
    history = run(1e-9, 16, 0.0)
    found = GaussianProcessStrategy(SPACE, 0, noise=noise, trials=16).recommend(history)
    assert found is not None and not found.differs
    assert found.trial == found.best_trial == history.incumbent.number


def test_the_surrogate_takes_no_less_for_noise_than_what_is_stated():
    history = run(1e-9, 16, 0.0)

    def fitted_noise(stated):
        strategy = GaussianProcessStrategy(SPACE, 0, noise=stated, trials=16)
        return strategy._posterior(history, strategy.prior(history)).fitted.process.noise

    assert fitted_noise(0.05) > 10 * fitted_noise(1e-4)
    assert fitted_noise(1e-9) == fitted_noise("none") == fitted_noise(None)


def test_what_a_trial_repeats_is_stored_with_it():
    stored = Provenance(replicate_of=3, stage=MEASURING).model_dump()
    assert stored == {"replicate_of": 3, "stage": MEASURING}
    assert Provenance.model_validate(stored).replicate_of == 3 and Provenance().replicate_of is None
