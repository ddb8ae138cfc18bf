"""The model proposes, the strategy decides."""

from __future__ import annotations

from collections.abc import Sequence

from fakes.histories import SPACE, Log, configured, grown, history, proposal, trial
from tunesmith.agent.strategies.hybrid import CANDIDATES, REST, HybridSuggester
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.trial import Origin, Proposal


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

    def __init__(self, *widths: Sequence[int]) -> None:
        self.widths, self.asked = list(widths), []

    def warm_start(self, history: History, n: int) -> list[Proposal]:
        return self._answer("warm_start")

    def candidates(self, history: History, n: int) -> list[Proposal]:
        return self._answer("candidates")

    def _answer(self, kind: str) -> list[Proposal]:
        self.asked.append(kind)
        if not self.widths:
            raise ModelUnavailable("nobody there")
        return [proposal(configured(width=w), origin=Origin.MODEL) for w in self.widths.pop(0)]


def widths(proposals: Sequence[Proposal]) -> list[object]:
    return [p.configuration["width"] for p in proposals]


def test_without_a_model_the_strategy_suggests_alone():
    log = Log()
    suggest = HybridSuggester(Narrowest(), None, log)
    assert widths(suggest(history(), 2)) == [128]
    assert suggest.left == () and log.events == []


def test_while_little_is_known_the_default_comes_first_then_the_warm_start():
    model = Model([20, 200, 30])
    suggest = HybridSuggester(Narrowest(), model, Log())
    found = suggest(history(), 3)
    assert [p.origin for p in found] == [Origin.DEFAULT, Origin.MODEL, Origin.MODEL]
    assert widths(found) == [64, 20, 200] and widths(suggest.left) == [30]
    assert model.asked == ["warm_start"]


def test_a_warm_start_is_asked_for_once_in_each_state_and_never_repeats_what_ran():
    model = Model([20, 200, 30, 40])
    suggest = HybridSuggester(Narrowest(), model, Log())
    past = history(trial(0, configured(), 0.5))
    assert widths(suggest(past, 1)) == [20]
    assert widths(suggest(past.with_trial(trial(1, configured(width=200))), 5)) == [30, 40]
    assert model.asked == ["warm_start"]


def test_later_candidates_compete_and_only_the_strategys_choice_is_suggested():
    model, strategy = Model([200, 20, 250]), Narrowest()
    suggest = HybridSuggester(strategy, model, Log())
    found = suggest(grown(12), 2)
    assert widths(found) == [20, 128] and strategy.offered == [3]
    assert widths(suggest.left) == [200, 250]
    assert widths(suggest(grown(12), 1)) == [128]
    assert model.asked == ["candidates"] and strategy.offered == [3, 2]


def test_kept_candidates_are_few_and_newest_first():
    model = Model(*[[w + k for w in range(130, 130 + 20 * CANDIDATES, 20)] for k in range(4)])
    suggest = HybridSuggester(Narrowest(), model, Log())
    for n in (12, 13, 14, 15):
        suggest(grown(n), 1)
    assert len(suggest.left) <= 2 * CANDIDATES and suggest.left[0].configuration["width"] == 133


def test_a_fault_of_the_model_falls_back_to_the_strategy_and_gives_the_model_a_rest():
    model, log = Model(), Log()
    suggest = HybridSuggester(Narrowest(), model, log)
    past = grown(12)
    assert widths(suggest(past, 1)) == [128]
    (event,) = log.of(Degraded)
    assert event.what == "fallback" and event.where == "llambo.candidates" and "nobody there" in event.cause
    for n in range(12, 12 + REST):
        suggest(grown(n), 1)
    assert model.asked == ["candidates"]
    suggest(grown(12 + REST), 1)
    assert model.asked == ["candidates", "candidates"]


def test_a_candidate_of_the_model_wins_and_loses_under_the_real_acquisition():
    from tunesmith.agent.strategies.gaussian_process import GaussianProcessStrategy

    past = grown(25)
    strategy = GaussianProcessStrategy(SPACE, 0)
    poor = proposal(configured(width=8, lr=0.09), origin=Origin.MODEL)
    (chosen,) = HybridSuggester(strategy, Offers([poor]), Log())(past, 1)
    assert chosen.configuration != poor.configuration and chosen.origin is not Origin.MODEL
    best = strategy.propose(past, 1)[0]
    same = best.model_copy(update={"origin": Origin.MODEL})
    (chosen,) = HybridSuggester(strategy, Offers([same]), Log())(past, 1)
    assert chosen.configuration == best.configuration


class Offers:
    """A model that always offers the same."""

    def __init__(self, offered: list[Proposal]) -> None:
        self.offered = offered

    def warm_start(self, history: History, n: int) -> list[Proposal]:
        return self.offered

    def candidates(self, history: History, n: int) -> list[Proposal]:
        return self.offered
