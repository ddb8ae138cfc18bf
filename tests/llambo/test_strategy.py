"""The parts together: warm start, candidates, surrogate, acquisition, proposal; and a run without them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from fakes.chat_server import ChatRequest, Reply, failing, text
from fakes.histories import SPACE, Log, configured, history, proposal, trial
from fakes.llambo_model import Oracle
from fakes.served_model import ServedModel
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.llambo.composition import compose
from tunesmith.agent.methods.llambo.judges import judge_of
from tunesmith.agent.methods.llambo.numeric_candidates import NumericCandidates
from tunesmith.agent.methods.llambo.settings import PRESETS, LlamboSettings, changed
from tunesmith.agent.methods.llambo.strategy import LlamboStrategy
from tunesmith.agent.models import open_model
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelUnavailable, UsageError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState

Open = Callable[..., ServedModel]
QUICK = LlamboSettings(recalibrate=False, initial=3)


def truth(values: Any) -> float:
    return -abs(math.log10(values["lr"]) + 2.5) - 0.1 * abs(math.log2(values["width"]) - 6)


def strategy(served: ServedModel, protocol: LlamboSettings = QUICK, **more: Any) -> LlamboStrategy:
    gp = GaussianProcessStrategy(SPACE, 1)
    return compose(
        served.model, SPACE, 1, "Small CNN.", protocol, fallback=gp, emit=served.events.append, **more
    )


def run(tuner: LlamboStrategy, n: int, start: History | None = None) -> History:
    past = history(default=False) if start is None else start
    for number in range(len(past), len(past) + n):
        (found,) = tuner.propose(past, 1)
        past = past.with_trial(
            Trial(
                number=number,
                proposal=found,
                state=TrialState.COMPLETED,
                value=past.sign * truth(found.configuration),
            )
        )
    return past


def test_a_run_starts_warm_then_takes_what_the_models_own_predictions_favour(serve: Open) -> None:
    oracle = Oracle(truth, noise=0.01)
    served = serve(oracle)
    past = run(strategy(served), 8)
    assert oracle.asked[0] == "propose" and all(p.proposal.origin is Origin.MODEL for p in past)
    assert [d for d in served.degraded if d.what == "fallback"] == []
    warm, chosen = past.trials[:3], past.trials[3:]
    assert all("design to start from" in t.proposal.reason for t in warm)
    for t in chosen:
        details = t.proposal.details
        assert t.proposal.expected == pytest.approx(t.value, abs=0.05)
        assert t.proposal.spread is not None and t.proposal.spread > 0
        assert details["pool"] == 10 and details["calls"] == 4 and details["tokens"] == t.proposal.tokens > 0
        assert t.proposal.prompt_id == "llambo/faithful_candidates.v1 + llambo/discriminative.v1"
        assert t.proposal.reason.startswith("Highest expected improvement of 10 candidates: predicted -")
    assert np.mean([t.value for t in chosen]) > np.mean([t.value for t in warm])
    assert sum(t.proposal.tokens for t in past) == served.model.usage.tokens


@pytest.mark.parametrize("sampler", ["llambo", "numeric"])
@pytest.mark.parametrize("surrogate", ["discriminative", "generative", "gp"])
def test_every_pair_of_parts_works(serve: Open, sampler: Any, surrogate: Any) -> None:
    oracle = Oracle(truth, noise=0.01, threshold=-1.0, logprobs=True)
    served = serve(oracle)
    tuner = strategy(served, sampler=sampler, surrogate=surrogate)
    past = run(tuner, 3)
    opening = len(oracle.asked)
    past = run(tuner, 3, past)
    assert [d for d in served.degraded if d.what == "fallback"] == []
    kinds = set(oracle.asked[opening:])
    assert ("propose" in kinds) == (sampler == "llambo")
    assert ("predict" in kinds) == (surrogate == "discriminative")
    assert ("label" in kinds) == (surrogate == "generative")
    last = past.trials[-1].proposal
    assert last.provenance.acquisition is not None and last.details["pool"] == 10


def test_the_generative_surrogate_chooses_by_probability(serve: Open) -> None:
    served = serve(Oracle(truth, threshold=-0.7, votes=0.9, logprobs=True))
    past = run(strategy(served, surrogate="generative"), 6)
    last = past.trials[-1].proposal
    assert last.details["probability"] == pytest.approx(last.provenance.acquisition)
    assert "to be among the best 25 %" in last.reason


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_runs(serve: Open, preset: str) -> None:
    def shown(values: Any) -> float:
        logs = {name: values[name] for name in ("lr", "width")}
        return truth({k: 10**v for k, v in logs.items()} if PRESETS[preset].warp else logs)

    served = serve(Oracle(shown, noise=0.01))
    past = run(strategy(served, PRESETS[preset]), 7)
    assert [d for d in served.degraded if d.what == "fallback"] == []
    opening = "Uniform over the space" if preset != "llambo" else "design to start from"
    assert opening in past.trials[0].proposal.reason
    if preset == "llambo-code":
        # Two calls for ten candidates, and each candidate asked about under two templates.
        assert past.trials[-1].proposal.details["calls"] == 22


TREE = Space(
    {
        "optimizer": Categorical(["adam", "sgd"]),
        "lr": Float(1e-5, 1e-1, scale="log"),
        "momentum": Float(0.5, 0.999, scale="logit", when={"optimizer": "sgd"}),
        "nesterov": Bool(when={"optimizer": "sgd"}),
        "dampening": Float(0, 1, step=0.1, when={"nesterov": False}),
        "batch": Ordinal([16, 32, 64, 128]),
        "warmup": Int(0, 10),
        "epochs": Int(5, 20),
    },
    constraints=["warmup < epochs / 2", "lr * batch <= 5"],
)
"""Every kind of parameter, a tree of conditions two deep, and regions known to be infeasible."""


@pytest.mark.parametrize("surrogate", ["discriminative", "generative", "gp"])
@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_any_space_and_any_scale_of_the_metric_will_do(
    serve: Open, preset: str, surrogate: Any, direction: Any
) -> None:
    def huge(values: Any) -> float:
        log = values["lr"] if PRESETS[preset].warp else math.log10(values["lr"])
        return -1e8 * (1 + abs(log + 3))

    served = serve(Oracle(huge, noise=1e5, threshold=-2e8))
    quick = {"candidates": 4, "samples": 2, "initial": 3, "recalibrate": False}
    protocol = changed(PRESETS[preset], quick)
    gp = GaussianProcessStrategy(TREE, 0)
    tuner = compose(
        served.model, TREE, 0, "", protocol, fallback=gp, surrogate=surrogate, emit=served.events.append
    )
    past = History(TREE, "energy", direction)
    for number in range(7):
        (found,) = tuner.propose(past, 1)
        assert TREE.problems(found.configuration) == ()
        value = -1e8 * (1 + abs(math.log10(found.configuration["lr"]) + 3))
        failed = number == 4
        state = TrialState.DIVERGED if failed else TrialState.COMPLETED
        past = past.with_trial(
            Trial(number=number, proposal=found, state=state, value=None if failed else value)
        )
    assert [d.cause for d in served.degraded if d.what == "fallback" and d.where == "llambo"] == []
    assert all(t.proposal.origin is Origin.MODEL for t in past.trials[3:])


def test_the_default_comes_first_and_others_candidates_compete(serve: Open) -> None:
    served = serve(Oracle(truth, noise=0.001))
    tuner = strategy(served)
    assert tuner.propose(history(), 1)[0].origin is Origin.DEFAULT
    past = run(tuner, 4)
    best = proposal(configured(lr=10**-2.5, width=64, optimizer="adam"), origin=Origin.USER)
    (found,) = tuner.propose(past, 1, [best])
    assert found.origin is Origin.USER and found.details["pool"] == 11


def test_several_proposals_at_once_are_distinct_and_none_is_running(serve: Open) -> None:
    served = serve(Oracle(truth, noise=0.01))
    tuner = strategy(served)
    past = run(tuner, 4)
    busy = tuner.propose(past, 1)[0]
    past = past.with_trial(Trial(number=4, proposal=busy))
    found = tuner.propose(past, 4)
    digests = {p.configuration.digest for p in found}
    assert len(digests) == 4 and busy.configuration.digest not in digests
    told = [chat.last for chat in served.server.chats if "eing trained now" in chat.last]
    assert told


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([failing(404, "gone")], id="unreachable"),
        pytest.param([text("I cannot help with that.")], id="refusing"),
        pytest.param([text("")], id="silent"),
        pytest.param([text("42")], id="nonsense"),
    ],
)
def test_a_model_that_fails_costs_proposals_of_its_own_and_no_trial(serve: Open, script: Any) -> None:
    served = serve(script)
    past = run(strategy(served), 6)
    assert len({t.configuration.digest for t in past}) == 6
    assert all(t.proposal.provenance.fallback for t in past)
    assert all(t.proposal.reason.startswith("Without the language model (") for t in past)
    fell = [d for d in served.degraded if d.where == "llambo"]
    assert len(fell) == 6 and "gaussian_process strategy proposes" in fell[0].continuation


def test_where_the_judge_fails_the_models_candidates_still_compete(serve: Open) -> None:
    oracle = Oracle(truth)
    served = serve(lambda r: failing(500) if "Predict the" in r.last else oracle(r))
    seen: list[int] = []

    class Watched(GaussianProcessStrategy):
        def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
            seen.append(len(candidates))
            return super().propose(history, n, candidates)

    tuner = compose(served.model, SPACE, 1, "", QUICK, fallback=Watched(SPACE, 1), emit=served.events.append)
    run(tuner, 4)
    assert seen == [10]


def test_answers_that_say_nothing_of_any_candidate_never_pick_the_first(serve: Open) -> None:
    oracle = Oracle(truth)

    def script(request: ChatRequest) -> Reply:
        return text("Hard to say.") if "Predict the" in request.last else oracle(request)

    served = serve(script)
    past = run(strategy(served), 4)
    last = past.trials[-1].proposal
    assert last.provenance.fallback and "none of the 10 candidates could be judged" in last.reason


def test_a_small_space_is_used_up_and_then_nothing_is_proposed(serve: Open) -> None:
    space = Space({"a": Bool(), "b": Categorical(["x", "y", "z"])})
    served = serve([text("## a: true, b: y ##")])
    tuner = compose(
        served.model,
        space,
        0,
        "",
        QUICK,
        fallback=GaussianProcessStrategy(space, 0),
        emit=served.events.append,
    )
    past = History(space, "loss", "minimize")
    for number in range(6):
        (found,) = tuner.propose(past, 1)
        past = past.with_trial(
            Trial(number=number, proposal=found, state=TrialState.COMPLETED, value=float(number))
        )
    assert len({t.configuration.digest for t in past}) == 6
    assert tuner.propose(past, 1) == []


def test_a_run_replays_from_its_recording(serve: Open, tmp_path: Any) -> None:
    tape = tmp_path / "exchanges.jsonl"
    first = run(strategy(serve(Oracle(truth, noise=0.01), mode="record", exchanges=tape)), 6)
    served = serve([failing(500)], mode="replay", exchanges=tape)
    again = run(strategy(served), 6)
    assert [t.proposal for t in again] == [t.proposal for t in first] and served.server.chats == []


def test_any_surrogate_can_judge_and_anything_else_is_named() -> None:
    class Widths:
        """Predicts the width; knows nothing of narrow ones."""

        def fit(self, history: History) -> None:
            self.fitted = len(history)

        def predict(self, configurations: Sequence[Configuration]) -> tuple[Any, Any]:
            widths = np.array([float(c["width"]) for c in configurations])
            return np.where(widths < 50, np.nan, widths), np.ones(len(widths))

    judge = judge_of(Widths(), "ucb")
    past = history(trial(0, configured(), 64.0))
    judged = judge.judge(past, [proposal(configured(width=w)) for w in (10, 100, 200)])
    assert [p.configuration["width"] for p in judged] == [200, 100, 10]
    assert [p.provenance.acquisition for p in judged] == [202.0, 102.0, None]
    assert judged[0].expected == 200.0 and judged[2].expected is None
    with pytest.raises(UsageError, match="a str cannot judge"):
        judge_of("gp")


def test_numeric_candidates_are_new_and_apart() -> None:
    space = Space({"x": Float(0, 1), "k": Int(1, 9)})
    rng = np.random.default_rng(0)
    past = History(space, "loss", "minimize")
    for number, c in enumerate(space.sample(rng, 6)):
        past = past.with_trial(trial(number, dict(c), float(c["x"]), space=space))
    found = NumericCandidates(GaussianProcessStrategy(space, 0)).propose(past, 8)
    digests = {p.configuration.digest for p in found}
    assert len(found) == len(digests) == 8 and not digests & past.taken
    rows = np.stack([space.encode(p.configuration)[0] for p in found])
    gaps = np.abs(rows[:, None] - rows[None]).max(axis=2)[~np.eye(8, dtype=bool)]
    assert gaps.min() >= 0.1


def test_every_fallback_is_an_event() -> None:
    log = Log()
    gp = GaussianProcessStrategy(SPACE, 0)

    def out_of_reach(messages: Any) -> str:
        raise ModelUnavailable("there is no language model")

    model = open_model(out_of_reach, ModelCaps(), log, mode="live")
    tuner = compose(model, SPACE, 0, "", QUICK, fallback=gp, emit=log)
    tuner.propose(history(default=False), 1)
    fell = [event for event in log.of(Degraded) if event.where == "llambo"]
    assert [event.what for event in fell] == ["fallback"] and "no language model" in fell[0].cause


def test_what_a_failure_cost_stands_with_the_trial_that_came_of_it(serve: Open) -> None:
    oracle = Oracle(truth)
    served = serve(lambda r: text("Hard to say.") if "Predict the" in r.last else oracle(r))
    past = run(strategy(served), 5)
    assert sum(t.proposal.tokens for t in past) == served.model.usage.tokens


def test_a_run_whose_opening_all_failed_goes_on(serve: Open) -> None:
    served = serve(Oracle(truth))
    tuner = strategy(served)
    past = history(default=False)
    for number in range(5):
        (found,) = tuner.propose(past, 1)
        past = past.with_trial(Trial(number=number, proposal=found, state=TrialState.CRASHED))
    assert len({t.configuration.digest for t in past}) == 5


def test_numeric_candidates_give_all_that_a_small_space_has_left() -> None:
    space = Space({"b": Categorical(["x", "y", "z"])})
    past = History(space, "loss", "minimize").with_trial(trial(0, {"b": "x"}, 1.0, space=space))
    found = NumericCandidates(GaussianProcessStrategy(space, 0)).propose(past, 8)
    assert sorted(str(p.configuration["b"]) for p in found) == ["y", "z"]
