"""The model advises, seldom; the strategy decides."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fakes.histories import SPACE, Log, configured, grown, history, proposal, trial
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.proposer import Opening
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.agent.methods.hybrid.suggester import ASKED, PAUSE, HybridSuggester
from tunesmith.agent.policy.query_schedule import LEAST, LEAST_URGENT, query_due, urgent
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded, ElicitedPrior, PriorsElicited, Thought
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.tools.toolbox.advice import Advice
from tunesmith.trial import WARM_START, Origin, Proposal, Provenance, TrialState

LR = ElicitedPrior(parameter="lr", low=0.002, best=0.004, high=0.008, why="Small nets like it.")


class Narrowest(Strategy):
    """Prefers the narrowest network, whoever proposed it; its own proposal has width 128."""

    name = "narrowest"

    def __init__(self) -> None:
        self.offered: list[int] = []

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        self.offered.append(len(candidates))
        pool = [*candidates, proposal(configured(width=128, lr=0.002 + len(history) * 1e-4))]
        return sorted(pool, key=lambda p: p.configuration["width"])[:n]


class Model:
    """Answers with the widths it is given; raises once they are used up."""

    def __init__(self, *widths: Sequence[int], beliefs: Sequence[ElicitedPrior] = ()) -> None:
        self.widths, self.beliefs, self.asked = list(widths), tuple(beliefs), []

    def opening(self, history: History, n: int) -> Opening:
        found = self._answer("opening")
        marked = [p.with_provenance(stage=WARM_START) for p in found]
        return Opening(marked, self.beliefs, "Width matters.", "hybrid/opening.v1")

    def candidates(self, history: History, n: int) -> list[Proposal]:
        return self._answer("candidates")

    def _answer(self, kind: str) -> list[Proposal]:
        self.asked.append(kind)
        if not self.widths:
            raise ModelUnavailable("nobody there")
        return [proposal(configured(width=w), origin=Origin.MODEL) for w in self.widths.pop(0)]


def widths(proposals: Sequence[Proposal]) -> list[object]:
    return [p.configuration["width"] for p in proposals]


def test_a_run_opens_with_one_call_the_default_first_then_one_of_the_models_and_the_rest_competes():
    model, log, elicited = Model([20, 200, 30, 40], beliefs=[LR]), Log(), ElicitedPriors(SPACE)
    suggest = HybridSuggester(Narrowest(), model, log, elicited)
    found = suggest(history(), 8)
    assert [p.origin for p in found] == [Origin.DEFAULT, Origin.MODEL]
    assert widths(found) == [64, 20] and widths(suggest.left) == [200, 30, 40]
    assert all(p.provenance.stage == WARM_START for p in found[1:])
    assert not any(p.provenance.stage for p in suggest.left), "the others are judged like any"
    assert model.asked == ["opening"] and elicited.priors == (LR,)
    (event,) = log.of(PriorsElicited)
    assert event.beliefs == (LR,) and event.prompt_id == "hybrid/opening.v1"
    assert [e.text for e in log.of(Thought)] == ["Width matters."]


def test_the_opening_is_asked_for_once_and_not_at_all_in_a_run_that_was_opened_before():
    model = Model([20, 200, 30, 40], [50])
    suggest = HybridSuggester(Narrowest(), model, Log(), ElicitedPriors(SPACE))
    suggest(history(), 1)
    past = history(trial(0, configured(), 0.5))
    suggest(past, 1)
    suggest(past.with_trial(trial(1, configured(width=200), 0.4)), 1)
    assert model.asked == ["opening"]
    resumed = HybridSuggester(Narrowest(), Model([50]), Log(), ElicitedPriors(SPACE, [LR]))
    assert widths(resumed(past, 2)) == [50, 128]


def test_later_candidates_compete_and_only_the_strategys_choice_is_suggested():
    model, strategy = Model([200, 20, 250]), Narrowest()
    suggest = HybridSuggester(strategy, model, Log())
    found = suggest(grown(12), 2)
    assert widths(found) == [20, 128] and strategy.offered == [3]
    assert widths(suggest.left) == [200, 250]
    assert widths(suggest(grown(12), 1)) == [128]
    assert model.asked == ["candidates"] and strategy.offered == [3, 2]


@pytest.mark.slow
def test_candidates_are_asked_for_seldom_and_less_often_as_trials_grow():
    model = Model([10, 20], *[[30 + k] for k in range(50)])
    suggest = HybridSuggester(Narrowest(), model, Log())
    asked_at = []
    for n in range(300):
        before = len(model.asked)
        suggest(calm(n), 1)
        asked_at += [n] * (len(model.asked) - before)
    assert asked_at[0] == 0 and sum(n < 30 for n in asked_at) <= 5 and len(asked_at) <= 10


def calm(n: int) -> History:
    """A history that keeps improving: nothing surprises, nothing fails, no plateau."""
    return history(*[trial(i, configured(width=8 + i % 240, lr=1e-5 * 1.02**i), float(i)) for i in range(n)])


@pytest.mark.slow
def test_something_to_make_sense_of_shortens_the_wait():
    assert query_due(0, None) and not query_due(LEAST_URGENT, 0)
    assert query_due(LEAST_URGENT, 0, urgent=True) and query_due(LEAST, 0)
    assert not query_due(100, 40) and query_due(100, 40, urgent=True)
    assert not urgent(history()) and not urgent(calm(20))
    failed = [trial(20 + i, configured(width=99 + i), state=TrialState.CRASHED) for i in range(2)]
    assert urgent(history(*calm(20), *failed))
    surprising = trial(20, configured(width=99), 50.0, expected=20.0, spread=1.0)
    assert urgent(history(*calm(20), surprising))
    flat = [trial(20 + i, configured(width=99 + i), 1.0) for i in range(9)]
    assert urgent(history(*calm(20), *flat))


def test_a_fault_of_the_model_falls_back_to_the_strategy_and_gives_the_model_a_rest():
    model, log = Model(), Log()
    suggest = HybridSuggester(Narrowest(), model, log)
    past = grown(12)
    assert widths(suggest(past, 1)) == [128]
    (event,) = log.of(Degraded)
    assert event.what == "fallback" and event.where == "hybrid.candidates" and "nobody there" in event.cause
    for n in range(12, 12 + PAUSE):
        suggest(grown(n), 1)
    assert model.asked == ["candidates"]
    suggest(grown(12 + PAUSE), 1)
    assert model.asked == ["candidates", "candidates"]


def test_a_failed_opening_states_nothing_and_may_be_made_up_for_while_little_is_known():
    model, log, elicited = Model(), Log(), ElicitedPriors(SPACE)
    suggest = HybridSuggester(Narrowest(), model, log, elicited)
    assert widths(suggest(history(), 1)) == [128]
    assert not elicited.asked and log.of(PriorsElicited) == [] and len(log.of(Degraded)) == 1
    model.widths = [[20, 30]]
    later = history(*[trial(i, configured(width=80 + i), 0.5) for i in range(PAUSE)])
    assert widths(suggest(later, 3)) == [64, 20] and elicited.asked


def test_a_candidate_of_the_model_wins_and_loses_under_the_real_acquisition():
    past = grown(25)
    alone = GaussianProcessStrategy(SPACE, 0)
    strategy = HybridStrategy(alone)
    poor = proposal(configured(width=8, lr=0.09), origin=Origin.MODEL)
    (chosen,) = strategy.propose(past, 1, [poor])
    assert chosen.configuration != poor.configuration and chosen.origin is not Origin.MODEL
    best = alone.propose(past, 1)[0]
    same = best.model_copy(update={"origin": Origin.MODEL, "provenance": Provenance()})
    (chosen,) = strategy.propose(past, 1, [same])
    assert chosen.configuration == best.configuration


def test_kept_candidates_are_few_and_newest_first():
    model = Model(*[[w + k for w in range(130, 130 + 20 * ASKED, 20)] for k in range(4)])
    suggest = HybridSuggester(Narrowest(), model, Log())
    for n in (12, 40, 120, 360):
        suggest(grown(n), 1)
    assert len(suggest.left) <= 2 * ASKED and suggest.left[0].configuration["width"] == 133


class InParts(Model):
    """Hands over a candidate or a belief at a time; breaks off where `broken`."""

    def __init__(
        self, *widths: Sequence[int], beliefs: Sequence[ElicitedPrior] = (), broken: bool = False
    ) -> None:
        super().__init__(*widths, beliefs=beliefs)
        self.broken = broken

    def opening(self, history: History, n: int, on_part=None) -> Opening:
        opening = super().opening(history, n)
        for part in (*opening.priors, *opening.proposals):
            on_part(part)
        if self.broken:
            raise ModelUnavailable("it broke off")
        return opening

    def candidates(self, history: History, n: int, on_part=None) -> list[Proposal]:
        found = super().candidates(history, n)
        for part in found:
            on_part(part)
        return found


class Taking:
    """Makes advice count as the engine does."""

    def __init__(self) -> None:
        self.taken: list[Advice] = []

    def __call__(self, advice: Advice) -> None:
        advice.apply()
        self.taken.append(advice)

    @property
    def launched(self) -> list[object]:
        return widths([p for advice in self.taken for p in advice.launch])

    @property
    def competing(self) -> list[object]:
        return widths([p for advice in self.taken for p in advice.candidates])


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken off"])
def test_an_opening_counts_part_by_part_whatever_comes_after(broken: bool):
    model, log, taking = InParts([20, 200], beliefs=[LR], broken=broken), Log(), Taking()
    elicited = ElicitedPriors(SPACE)
    suggest = HybridSuggester(Narrowest(), model, log, elicited)
    suggest(history(), 1, taking)
    assert [len(advice.launch) + len(advice.candidates) for advice in taking.taken] == [0, 1, 1]
    assert taking.launched == [20] and taking.competing == [200] and elicited.priors == (LR,)
    told = [advice.priors.beliefs for advice in taking.taken if advice.priors is not None]
    assert told == [(LR,)] and log.of(PriorsElicited) == [], "the engine stores it, with the place in the run"
    assert widths(suggest.left) == [200]
    suggest(history(trial(0, configured(), 0.5)), 1, taking)
    assert model.asked == ["opening"], "what came counts as the opening"


def test_candidates_compete_as_soon_as_each_is_written():
    model, taking = InParts([200, 20]), Taking()
    suggest = HybridSuggester(Narrowest(), model, Log(), ElicitedPriors(SPACE, [LR]))
    suggest(grown(12), 1, taking)
    assert taking.competing == [200, 20] and taking.launched == []


def test_an_opening_that_does_not_come_is_asked_for_twice_and_then_candidates_are():
    model = Model()
    suggest = HybridSuggester(Narrowest(), model, Log(), ElicitedPriors(SPACE))
    for n in range(9):
        suggest(calm(n), 1)
    assert model.asked[:3] == ["opening", "opening", "candidates"]


def test_a_resumed_run_goes_on_with_the_configurations_that_were_competing():
    suggest = HybridSuggester(
        Narrowest(), None, Log(), competing=[proposal(configured(width=20), origin=Origin.MODEL)]
    )
    assert widths(suggest(grown(3), 2)) == [20, 128]
