"""The report of a pipeline: allocations, scaling, why, what was not tried; with hostile names."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.task import Task
from tunesmith.tools.pipelines.store import SAMPLES, SampleStore, Spend
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.pipeline import pipeline_part
from tunesmith.tools.report.pipeline_data import BeliefInPipeline, PipelinePart
from tunesmith.tools.report.pipeline_plots import allocation_plot, cost_plot, scaling_plot
from tunesmith.tools.report.pipeline_spend import spend_lines
from tunesmith.trial import Origin, Proposal, Trial, TrialState

MODELS = {"small": {"parameters": 1e9}, "large": {"parameters": 1e10}}
STAGE: dict[str, Any] = {"models": MODELS, "samples": [1, 4, 8], "tokens": {"prompt": 10, "completion": 10}}


def task() -> Task:
    return Task.model_validate(
        {
            "name": "answers",
            "problem": {
                "name": "pipeline",
                "item_budget": 4e12,
                "stages": {"find": STAGE, "answer": STAGE | {"temperature": [0.2, 0.9]}},
            },
        }
    )


def history(made: Task, rows: list[tuple[dict[str, Any], str, int, float]]) -> History:
    """Rows of (configuration, state, scored items, share of them that are right)."""
    trials = []
    for number, (values, state, n, share) in enumerate(rows):
        base = {"find.model": "small", "find.samples": 1, "answer.model": "small", "answer.samples": 1}
        configuration = made.space.validate(base | {"answer.temperature": 0.2} | values)
        scores = tuple(float(i < share * 20) for i in range(20))[:n]
        items = Items(scores)
        done = state == "completed"
        trials.append(
            Trial(
                number=number,
                proposal=Proposal(
                    configuration=configuration,
                    origin=Origin.SURROGATE,
                    reason="r",
                    details={"belief capability answer": 0.1 if number else 0.75, "belief interaction": 0.0},
                ),
                state=TrialState(state),
                value=items.mean if done else None,
                values={"quality": items.mean, "cost": 100.0 * number + 10, "find.cost": 5.0} if done else {},
                items={"quality": items.pack()},
            )
        )
    return replace(made.empty_history(), trials=tuple(trials))


def part(rows: list[tuple[dict[str, Any], str, int, float]], best: int | None) -> PipelinePart:
    made = task()
    told = history(made, rows)
    built = pipeline_part(made, told, None if best is None else told.get(best), Anonymous(Path("/nowhere")))
    assert built is not None
    return built


ROWS = [
    ({}, "completed", 20, 0.2),
    ({"answer.model": "large"}, "completed", 20, 0.9),
    ({"answer.model": "large", "answer.samples": 4}, "completed", 20, 0.8),
    ({"find.model": "large", "answer.model": "large"}, "pruned", 6, 0.1),
    ({"find.samples": 8}, "completed", 20, 0.3),
]


def test_what_a_search_says_of_an_allocation() -> None:
    told = part(ROWS, best=1)
    assert [(line.trial, line.best, line.on_front) for line in told.allocations] == [
        (0, False, True),
        (1, True, True),
    ]
    assert told.allocations[1].stages[1].text == "large x 1, temperature 0.2"
    assert told.allocations[1].stages[0].cost == 5.0
    assert (told.items_run, told.items_whole) == (86, 100)
    curves = {(curve.stage, curve.model): curve.points for curve in told.curves}
    assert [(p.samples, p.trial, p.alike) for p in curves["answer", "large"]] == [(1, 1, True), (4, 2, True)]
    assert [(p.samples, p.trial, p.alike) for p in curves["find", "small"]] == [(1, 1, True), (8, 4, False)]
    (stopped,) = curves["find", "large"]  # 6 items, on 4 of which the best is better: 0.9 - 4 / 6
    assert stopped.stopped and stopped.quality == pytest.approx(0.9 - 4 / 6)
    assert told.beliefs == (
        BeliefInPipeline(name="a larger model is better at answer", at_first=0.75, at_last=0.1),
    )
    assert any("answer: large x 1, temperature 0.2 rather than small x 1" in line for line in told.why)
    assert any("the same 6 items" in line for line in told.why)
    assert "answer.samples: never 8" in told.untried
    assert told.untried[0].startswith("5 of 72 allocations")


def test_pictures_have_every_stage_and_stay_in_the_frame() -> None:
    told = part(ROWS, best=1)
    bars, curves, cost = allocation_plot(told), scaling_plot(told), cost_plot(told)
    assert bars is not None and curves is not None and cost is not None
    assert [len(bar.segments) for bar in bars.bars] == [2, 2]
    assert all(0 <= s.x and s.x + s.width <= bars.width for bar in bars.bars for s in bar.segments)
    assert [panel.stage for panel in curves.panels] == ["find", "answer"]
    small, large = (line.colour for line in curves.panels[1].lines)
    assert curves.panels[0].lines[0].colour == small != large  # a model has one colour
    assert len(cost.points) == 4 and cost.points[-1][2] == "best"
    assert all(cost.left <= x <= cost.right and cost.top <= y <= cost.bottom for x, y, _, _ in cost.points)


def test_allocations_that_cost_nothing_have_a_picture() -> None:
    told = part(ROWS, best=1)
    free = [
        line.model_copy(
            update={"cost": 0.0, "stages": tuple(s.model_copy(update={"cost": 0.0}) for s in line.stages)}
        )
        for line in told.allocations
    ]
    bars = allocation_plot(told.model_copy(update={"allocations": tuple(free), "item_budget": None}))
    assert bars is not None and all(s.width == 0 for bar in bars.bars for s in bar.segments)


def test_a_run_without_a_completed_trial_and_one_that_is_no_pipeline() -> None:
    told = part([({}, "crashed", 3, 0.0)], best=None)
    assert told.allocations == told.curves == told.points == told.why == ()
    assert allocation_plot(told) is scaling_plot(told) is cost_plot(told) is None
    plain = Task.model_validate(
        {
            "name": "x",
            "metric": "m",
            "direction": "minimize",
            "objective": "t.py:t",
            "space": {"x": {"type": "float", "low": 0, "high": 1}},
        }
    )
    assert pipeline_part(plain, plain.empty_history(), None, Anonymous(Path("/nowhere"))) is None


def test_what_the_search_spent_is_read_from_its_store(tmp_path: Path) -> None:
    text = Anonymous(tmp_path)
    assert spend_lines(tmp_path, text) == ()
    store = SampleStore(tmp_path / SAMPLES)
    for trial, made, stored in ((0, 10, 0), (1, 4, 6)):
        store.put({}, [Spend("trials", trial, "find", "small", made, stored, 1, 50, 20, 0.5, 7.0)])
    store.put({}, [Spend("confirm", -1, "find", "small", 8, 0, 0, 40, 16, 0.4, 5.0)])
    store.close()
    search, confirm = spend_lines(tmp_path, text)
    assert (search.part, search.calls, search.reused, search.failed) == ("search", 14, 6, 2)
    assert (search.tokens, search.cost, confirm.part, confirm.calls) == (140, 14.0, "confirm", 8)
    (tmp_path / SAMPLES).write_text("no database")
    assert spend_lines(tmp_path, text) == ()


def test_a_cheaper_trial_that_the_items_do_not_tell_apart_is_named() -> None:
    rows = [
        ({"answer.model": "small"}, "completed", 20, 0.3),
        ({"answer.model": "large"}, "completed", 20, 0.9),
        ({"answer.model": "large", "answer.samples": 4}, "completed", 20, 0.95),
    ]
    said = part(rows, 2).why[0]
    assert said.startswith("Trial 1 costs ") and "less and is not distinguishable" in said, said
    assert "on the same 20 items" in said
    assert not any("not distinguishable in quality" in line for line in part(rows, 0).why)
