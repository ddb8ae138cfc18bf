"""The model may speak, statistics decides: provenance, the gate, and nothing changed where it is silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.histories import SPACE, configured, grown, history, limited, proposal, trial
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.events import ElicitedPrior
from tunesmith.history import History
from tunesmith.trial import WARM_START, Origin, Prediction, Proposal, Provenance

WIDE = ElicitedPrior(parameter="width", low=150, best=200, high=250, why="Wider is better here.")


def alone(seed: int = 0) -> GaussianProcessStrategy:
    return GaussianProcessStrategy(SPACE, seed, words="small net")


def hybrid(*priors: ElicitedPrior, seed: int = 0) -> HybridStrategy:
    return HybridStrategy(alone(seed), ElicitedPriors(SPACE, priors) if priors else None)


def candidate(width: int = 240, expected: float | None = 0.9, **values: object) -> Proposal:
    predicted = Provenance(model_prediction=Prediction.of(expected, 0.02))
    made = configured(width=width, **values)
    return proposal(made, origin=Origin.MODEL, reason="Wide nets.", provenance=predicted, prompt_id="p.v1")


def seen(n: int) -> History:
    """Trials of a task without a default of its own, which would go first."""
    return replace(grown(n) if n else history(), default=None)


def spoken(past: History) -> History:
    """The same with the model's say in the latest trial, which did well: the gate is shut."""
    number = past.trials[-1].number + 1
    return past.with_trial(trial(number, configured(width=256), 0.9, provenance=Provenance(side="model")))


@pytest.mark.parametrize("n", [0, 1, 2, 9, 30])
def test_without_a_word_of_the_model_every_proposal_is_the_same_to_the_bit(n):
    assert hybrid().propose(seen(n), 3) == alone().propose(seen(n), 3)
    advised = alone().with_advice({}, None)
    assert advised.propose(seen(n), 2) == alone().propose(seen(n), 2)


@pytest.mark.parametrize("n", [1, 9, 30])
def test_behind_a_shut_gate_the_surrogate_proposes_as_if_there_were_no_model(n):
    past = spoken(seen(n))
    (kept,) = hybrid(WIDE).propose(past, 1, [candidate(), candidate(230)])
    (own,) = alone().propose(past, 1)
    assert kept.configuration == own.configuration and kept.expected == own.expected
    assert kept.provenance == own.with_provenance(side="surrogate").provenance
    assert kept.reason == f"{own.reason} The gate kept the language model out of this one."


def test_an_open_gate_takes_a_candidate_with_its_provenance_and_both_predictions():
    past = seen(20)
    past = replace(past, trials=tuple(t for t in past if t not in past.pruned))
    (chosen,) = hybrid(WIDE).propose(past, 1, [candidate(width=w, lr=0.002) for w in (256, 255, 254)])
    assert chosen.origin is Origin.MODEL and chosen.prompt_id == "p.v1"
    provenance = chosen.provenance
    assert provenance.side == "model" and provenance.elicited_priors == 1
    assert provenance.model_weight == pytest.approx(0.2) and 0 <= chosen.details["trust"] <= 1
    assert provenance.model_prediction.mean == 0.9 and provenance.model_prediction.std > 0
    assert provenance.surrogate_prediction == Prediction(mean=chosen.expected, std=chosen.spread)
    assert "The language model predicts 0.9; its predictions weigh 20%." in chosen.reason


def test_after_a_warm_start_that_missed_the_surrogate_still_takes_its_own_first_look():
    warm = {"origin": Origin.MODEL, "provenance": Provenance(stage=WARM_START)}
    default = trial(0, configured(), 0.5, origin=Origin.DEFAULT)
    missed = history(default, trial(1, configured(width=8), 0.1, **warm))
    (first,) = hybrid(WIDE).propose(missed, 1, [candidate()])
    assert first.configuration == alone().propose(history(default), 1)[0].configuration
    helped = history(default, trial(1, configured(width=99), 0.9, **warm))
    (next_,) = hybrid(WIDE).propose(helped, 1, [candidate()])
    assert next_.provenance.side == "model"


def test_a_stated_prior_moves_early_proposals_and_is_named_in_the_reason():
    past = history(trial(0, configured(), 0.5), trial(1, configured(width=20, lr=0.01), 0.4))
    (plain,) = alone().propose(past, 1)
    (moved,) = hybrid(WIDE).propose(past, 1)
    assert moved.configuration != plain.configuration
    assert "The language model expects width near 200 (150 to 250)." in moved.reason


def test_a_batch_goes_through_the_gate_one_by_one_and_holds_no_repeats():
    batch = hybrid(WIDE).propose(seen(20), 5, [candidate(w) for w in (240, 241, 242)])
    sides = [p.provenance.side for p in batch]
    assert sides[:4] == [
        "model",
        "surrogate",
        "surrogate",
        "model",
    ]  # 20 trials are counted: two of the surrogate's between
    assert len({p.configuration for p in batch}) == 5


def test_a_zero_shot_configuration_that_had_to_wait_counts_as_the_models_say():
    waiting = candidate(lr=0.003).with_provenance(stage=WARM_START)
    (chosen,) = hybrid().propose(history(trial(0, configured(), 0.5)), 1, [waiting])
    assert chosen.configuration == waiting.configuration
    assert chosen.provenance.side == "model" and chosen.provenance.stage is None


def test_the_default_goes_first_whatever_the_model_says():
    (first,) = hybrid(WIDE).propose(history(), 1, [candidate()])
    assert first.origin is Origin.DEFAULT and first.provenance.side is None


def test_with_several_metrics_a_prediction_of_one_of_them_is_told_and_has_no_weight():
    past = replace(limited(20)[1], default=None)
    (chosen,) = hybrid(WIDE).propose(past, 1, [candidate(width=8)])
    for _ in range(20):  # until what is found is not found better still from there
        (chosen,) = hybrid(WIDE).propose(past, 1, [candidate(**chosen.configuration)])
        if chosen.provenance.model_prediction is not None:
            break
    assert chosen.origin is Origin.MODEL and chosen.provenance.side == "model"
    assert chosen.provenance.model_weight is None and chosen.provenance.model_prediction is not None
    assert "predicts val_accuracy 0.9; which has no weight here." in chosen.reason
