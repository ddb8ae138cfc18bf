"""The agent's tools with several metrics, limits and a budget of costs."""

from __future__ import annotations

import pytest

from fakes.histories import briefing, configured, grown, limited, proposal
from tunesmith.budget import Budget
from tunesmith.errors import ToolError
from tunesmith.tools.toolbox.base import Turn, arguments_model
from tunesmith.tools.toolbox.finish import finish
from tunesmith.tools.toolbox.history import history as history_table
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import Origin


class NoSuggestions:
    left = ()

    def __call__(self, history, n, /, on_advice=None):
        return []


def turn(*, least: float = 0.0, cost: float | None = None, queued=()) -> Turn:
    about, past = limited(14, least=least, budget=Budget(trials=40, cost=cost))
    given = briefing(past, about=about)
    launch = {"launch": lambda proposals: list(range(14, 14 + len(proposals))), "queued": lambda: queued}
    return Turn(given, StudyToolbox(given, suggest=NoSuggestions(), **launch))


def numbers(text: str) -> list[str]:
    return [line.split(" ")[0] for line in text.splitlines() if line.startswith("#")]


def test_trials_are_put_in_the_order_of_another_metric_or_of_the_front():
    assert numbers(history_table(turn(), best=2, recent=1, by="latency_ms")) == ["#12", "#4", "#2"]
    assert numbers(history_table(turn(), best=2, recent=0, by="val_accuracy")) == ["#7", "#11"]
    by_limit = numbers(history_table(turn(), best=12, recent=12, by="params_m"))
    assert by_limit[0] == "#2" and by_limit[-1] == "#3", "what breaks a limit comes last"
    assert numbers(history_table(turn(), by="front")) == ["#7", "#11", "#6", "#0", "#4", "#12"]
    assert numbers(history_table(turn(least=100.0), by="front")) == []
    with pytest.raises(ToolError, match="no metric 'speed'; .* val_accuracy, latency_ms, params_m, front"):
        history_table(turn(), by="speed")


def test_an_order_is_offered_only_where_there_is_more_than_one_metric():
    past = grown(5)
    for goals in (None, past.goals):
        schema = arguments_model("history", history_table, past.space, goals).model_json_schema()
        assert set(schema["properties"]) == {"best", "recent"}
    goals = limited(0)[1].goals
    model = arguments_model("history", history_table, past.space, goals)
    offered = model.model_json_schema()["properties"]["by"]["anyOf"][0]["enum"]
    assert offered == ["val_accuracy", "latency_ms", "params_m", "front"]
    assert model.model_validate({"by": None}).by is None


def test_a_run_cannot_be_ended_without_a_feasible_trial_nor_for_an_infeasible_one():
    with pytest.raises(ToolError, match=r"too early to finish: 11 trials completed, none keeps .*closest"):
        finish(turn(least=100.0), "Good enough.")
    about = turn()
    with pytest.raises(ToolError, match="#3 breaks latency_ms <= 20 with 39.5, so it is not the best"):
        finish(about, "#3 is the best and cannot be beaten.")
    assert about.stop is None
    finish(about, "#7 is the best that keeps the limits.")
    assert about.stop == "#7 is the best that keeps the limits."


def test_a_launch_that_cannot_be_paid_for_is_refused_with_the_cost():
    dear, cheap = (proposal(configured(width=w), origin=Origin.MODEL) for w in (256, 20))  # 5 and 1.3125
    about = turn(cost=30.0)  # 25.109375 are spent
    with pytest.raises(ToolError, match="configuration 1 costs 5, and 4.8906 of the budget of 30 is left"):
        about.toolbox.launch_trials([dear])
    with pytest.raises(ToolError, match="configuration 2 costs 1.3125, and 0.875"):
        turn(cost=27.3125).toolbox.launch_trials([cheap, proposal(configured(width=21, lr=0.02))][::-1])
    with pytest.raises(ToolError, match="and 0.89"):
        turn(cost=31.0, queued=[dear]).toolbox.launch_trials([cheap])
    assert about.toolbox.launch_trials([cheap]) == [14]
    assert turn().toolbox.launch_trials([dear]) == [14]


def test_suggestions_are_asked_for_with_what_the_next_trial_may_cost():
    asked = []

    class Listening(NoSuggestions):
        def __call__(self, history, n, /, on_advice=None):
            asked.append(history.affordable)
            return []

    about, past = limited(14, budget=Budget(trials=40, cost=30.0))
    StudyToolbox(briefing(past, about=about), suggest=Listening(), launch=lambda p: []).suggest(1)
    assert asked == [pytest.approx(30 - 25.109375)]
