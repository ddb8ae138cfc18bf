"""Our tools and what they act through: bounded results, refusals, and the gate."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.histories import briefing, configured, grown, history, proposal, trial
from tunesmith.agent.methods.hybrid.gate import ShareGate
from tunesmith.budget import Budget
from tunesmith.errors import ToolError
from tunesmith.history import History
from tunesmith.tools.toolbox.base import Turn
from tunesmith.tools.toolbox.describe_task import describe_task
from tunesmith.tools.toolbox.finish import finish
from tunesmith.tools.toolbox.history import history as history_table
from tunesmith.tools.toolbox.learning_curve import learning_curve
from tunesmith.tools.toolbox.study_toolbox import MAX_LAUNCH, StudyToolbox
from tunesmith.trial import WARM_START, Configuration, Origin, Proposal, Provenance, TrialState


class Suggesting:
    """Suggests what it was made with; what it holds back is `left`."""

    def __init__(self, *proposals: Proposal, left: tuple[Proposal, ...] = ()) -> None:
        self.proposals, self.left = list(proposals), left

    def __call__(self, history: History, n: int, /, on_advice=None) -> list[Proposal]:
        return self.proposals[:n]


class Queue:
    """A launch queue like the engine's: it numbers from the end of the history."""

    def __init__(self, first: int) -> None:
        self.first, self.waiting = first, []

    def __call__(self, proposals: list[Proposal]) -> list[int]:
        start = self.first + len(self.waiting)
        self.waiting += proposals
        return list(range(start, start + len(proposals)))


def toolbox(past: History | None = None, *suggested: Proposal, **more: Any) -> tuple[StudyToolbox, Queue]:
    past = history() if past is None else past
    queue = Queue(len(past))
    about = {key: more.pop(key) for key in ("budget",) if key in more}
    suggesting = Suggesting(*suggested, left=more.pop("left", ()))
    more.setdefault("gate", ShareGate())
    box = StudyToolbox(briefing(past, **about), suggest=suggesting, launch=queue, **more)
    return box, queue


def turn(*arguments: Any, **more: Any) -> Turn:
    box, _ = toolbox(*arguments, **more)
    return Turn(box._briefing, box)


def own(**values: Any) -> Proposal:
    return proposal(configured(**values), origin=Origin.MODEL)


def test_every_result_is_as_long_after_3000_trials_as_after_60():
    turns = [turn(grown(n), budget=Budget(trials=5000)) for n in (60, 3000)]
    for tool, arguments in (
        (describe_task, ()),
        (history_table, ()),
        (history_table, (10**9, 10**9)),
        (learning_curve, (7,)),
    ):
        short, long = (len(tool(each, *arguments)) for each in turns)
        assert long <= 1.3 * short + 20 and long < 6000


def test_wrong_arguments_are_refused_with_what_is_legal_and_large_ones_are_capped():
    with pytest.raises(ToolError, match="no trial #99; numbers run from #0 to #11"):
        learning_curve(turn(grown(12)), 99)
    with pytest.raises(ToolError, match="no trial has been started yet"):
        learning_curve(turn(), 0)
    box, _ = toolbox(grown(5), *[proposal(configured(width=w)) for w in range(20, 60)])
    with pytest.raises(ToolError, match="n must be at least 1"):
        box.suggest(0)
    assert len(box.suggest(1000)) == 8


def test_a_suggestion_keeps_its_provenance_and_what_was_not_suggested_is_the_policys_own():
    suggested = proposal(configured(width=100), expected=0.8, spread=0.1)
    box, queue = toolbox(grown(5), suggested)
    box.suggest(1)
    assert box.launch_trials([own(width=100), own(width=99)]) == [5, 6]
    assert queue.waiting[0] == suggested
    assert queue.waiting[1].provenance == Provenance(own_choice=True, side="model")


def test_what_was_tried_launched_or_queued_is_refused_and_a_lost_trial_is_not():
    past = history(
        trial(0, configured(), 0.41),
        trial(1, configured(width=9), state=TrialState.CRASHED),
        trial(2, configured(width=20), state=TrialState.LOST),
    )
    box, queue = toolbox(past)
    for values, known in (
        ({}, "already tried as #0 -> 0.41"),
        ({"width": 9}, "already tried as #1 -> crashed"),
        ({"lr": 0.00101}, "all but tried as #0 -> 0.41"),
    ):
        with pytest.raises(ToolError, match=known):
            box.launch_trials([own(**values)])
    with pytest.raises(ToolError, match="repeats another"):
        box.launch_trials([own(width=20), own(width=20)])
    assert queue.waiting == []
    assert box.launch_trials([own(width=20)]) == [3]
    with pytest.raises(ToolError, match="already launched as #3"):
        box.launch_trials([own(width=20)])
    other, _ = toolbox(past, queued=lambda: queue.waiting)
    with pytest.raises(ToolError, match="already queued"):
        other.launch_trials([own(width=20)])


def test_what_the_gate_keeps_back_goes_on_competing_and_may_be_launched_after_a_trial_of_the_surrogates():
    past = grown(5)
    box, queue = toolbox(past)
    with pytest.raises(ToolError, match="configuration 2 may not be launched now: at least half"):
        box.launch_trials([own(width=99), own(width=33)])
    assert queue.waiting == [] and [p.configuration["width"] for p in box.candidates()] == [99, 33]
    box.launch_trials([own(width=99)])
    assert box.own_allowance() == 0
    past = past.with_trial(trial(5, configured(width=99), 0.5, provenance=Provenance(own_choice=True)))
    with pytest.raises(ToolError):
        toolbox(past)[0].launch_trials([own(width=33)])
    past = past.with_trial(trial(6, configured(width=50), 0.5))
    assert toolbox(past)[0].launch_trials([own(width=33)]) == [7]


def test_without_a_gate_the_policy_may_launch_as_many_of_its_own_as_a_turn_allows():
    box, queue = toolbox(grown(5), gate=None)
    assert box.own_allowance() == MAX_LAUNCH
    assert box.launch_trials([own(width=99), own(width=33)]) == [5, 6]
    assert box.own_allowance() == MAX_LAUNCH - 2


def test_a_suggestion_that_the_model_had_a_say_in_passes_the_gate_only_in_its_turn():
    ours, theirs = (
        proposal(configured(width=60)),
        proposal(configured(width=61), provenance=Provenance(side="model")),
    )
    past = grown(5).with_trial(trial(5, configured(width=99), 0.5, provenance=Provenance(side="model")))
    box, queue = toolbox(past, ours, theirs)
    box.suggest(2)
    with pytest.raises(ToolError, match="at least half"):
        box.launch_trials([theirs])
    assert box.launch_trials([ours, theirs]) == [6, 7]


def test_an_illegal_configuration_never_reaches_the_queue():
    box, queue = toolbox(grown(5))
    forged = Proposal(
        configuration=Configuration({**configured(), "lr": 5.0}, "0" * 16), origin=Origin.MODEL, reason="?"
    )
    with pytest.raises(ToolError, match=r"'lr' = 5\.0: out of range.*nearest legal value: 0\.1"):
        box.launch_trials([own(width=20), forged])
    assert queue.waiting == []


def test_a_launch_beyond_the_budget_or_the_turns_limit_is_refused():
    box, _ = toolbox(grown(5), budget=Budget(trials=6))
    with pytest.raises(ToolError, match="room for 1 more trials, 2 were asked for"):
        box.launch_trials([own(width=20), own(width=30)])
    box.launch_trials([own(width=20)])
    with pytest.raises(ToolError, match="room for 0 more"):
        box.launch_trials([own(width=30)])
    many = [own(width=w) for w in range(20, 20 + 10 * (MAX_LAUNCH + 1), 10)]
    with pytest.raises(ToolError, match=f"at most {MAX_LAUNCH} trials"):
        toolbox(grown(30))[0].launch_trials(many)
    with pytest.raises(ToolError, match="no configuration was given"):
        box.launch_trials([])


def test_own_configurations_never_outnumber_the_strategys_own_however_often_it_is_woken():
    past = history(
        trial(0, configured(), 0.4, origin=Origin.DEFAULT),
        trial(1, configured(width=10), 0.4, origin=Origin.MODEL, provenance=Provenance(stage=WARM_START)),
        trial(2, configured(width=11), 0.4, origin=Origin.MODEL, provenance=Provenance(stage=WARM_START)),
    )
    widths = iter(range(20, 256, 4))
    for _ in range(12):  # every turn launches as many as it may, then one trial of the strategy runs
        box, queue = toolbox(past)
        while True:
            try:
                box.launch_trials([own(width=next(widths))])
            except ToolError as error:
                assert "at least half" in str(error)
                break
        for p in queue.waiting:
            past = past.with_trial(
                trial(len(past), dict(p.configuration), 0.5, origin=p.origin, provenance=p.provenance)
            )
        past = past.with_trial(trial(len(past), configured(width=next(widths)), 0.5))
        made = [t.proposal.provenance for t in past]
        counted = [provenance for provenance in made if provenance.stage != WARM_START]
        assert sum(provenance.own_choice for provenance in counted) <= len(counted) / 2
    assert len(past) > 20


def test_model_suggestions_that_were_not_launched_are_candidates_with_what_the_suggester_holds():
    a, b, c = (own(width=w) for w in (20, 30, 40))
    surrogates = proposal(configured(width=50))
    box, _ = toolbox(grown(5), a, surrogates, b, left=(c,))
    box.suggest(3)
    box.launch_trials([a])
    assert box.candidates() == (b, c)


def test_finishing_needs_a_reason_and_a_completed_trial():
    with pytest.raises(ToolError, match="0 trials have completed, 1 are needed"):
        finish(turn(), "enough")
    with pytest.raises(ToolError, match="say why"):
        finish(turn(grown(5)), " ")
    ended = turn(grown(5))
    finish(ended, "enough")
    assert ended.closed and ended.decision("").stop == "enough"
