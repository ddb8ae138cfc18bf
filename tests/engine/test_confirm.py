"""The comparison on fresh seeds: durable run by run, resumable, and never about something else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.inline_engine import DEFAULT, SPACE, InlineExecutor, completed
from tunesmith.budget import Budget
from tunesmith.events import Confirmed, Degraded, Event, Noted
from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.objective import Objective
from tunesmith.recommendation import Recommendation
from tunesmith.task import Task
from tunesmith.tools.engine.confirmation import Confirmation
from tunesmith.tools.execution.base import Job
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

SEARCHED = Objective(function="/train.py:train")


def found(x: float, number: int = 1) -> History:
    """A search in which the default gave 0.5 and trial `number` gave `x`."""
    tried = [(0, DEFAULT), (number, SPACE.validate({"x": x, "k": 1}))]
    trials = [
        Trial(
            number=n,
            proposal=Proposal(configuration=c, origin=Origin.RANDOM, reason=""),
            state=TrialState.COMPLETED,
            value=float(c["x"]),
        )
        for n, c in tried
    ]
    return History(SPACE, "score", "maximize", default=DEFAULT, trials=tuple(trials))


class Bench:
    """A confirmation over a real folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.emitted: list[Event] = []

    def compare(
        self,
        history: History,
        executor: InlineExecutor | None = None,
        stop_after: int | None = None,
        recommendation: Recommendation | None = None,
        goals: dict[str, object] | None = None,
        **spec: object,
    ) -> tuple[str, InlineExecutor]:
        task = Task.model_validate(
            {
                "name": "job",
                **(goals or {"metric": "score", "direction": "maximize"}),
                "space": SPACE,
                "default": DEFAULT,
                "objective": {"function": "train.py:train"},
                "budget": Budget(trials=5),
                "confirm": {"seeds": 3, "function": "train.py:test", **spec},
            }
        )
        self.folder = FolderStore.create(self.path, task)
        executor = executor or InlineExecutor(2)

        def should_stop() -> bool:
            return stop_after is not None and len(executor.jobs) >= stop_after

        emit = self.emitted.append
        comparison = Confirmation(task, self.folder, executor, emit, SEARCHED, should_stop)
        return comparison.run(history, recommendation), executor

    @property
    def written(self) -> dict[str, object]:
        data: dict[str, object] = json.loads((self.folder.path / "confirm.json").read_bytes())
        return data


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_both_are_trained_on_the_same_fresh_seeds_by_the_code_named_for_it(bench: Bench) -> None:
    sentence, executor = bench.compare(found(0.9))
    assert len(executor.jobs) == 6
    by_seed: dict[int, set[float]] = {}
    for job in executor.jobs:
        by_seed.setdefault(job.seed, set()).add(float(job.configuration["x"]))
    assert len(by_seed) == 3 and all(values == {0.5, 0.9} for values in by_seed.values())
    assert all(job.number < 0 for job in executor.jobs), "these are no trials"
    assert {str(job.objective.function).rpartition(":")[2] for job in executor.jobs} == {"test"}
    assert "better" in sentence
    assert bench.written["best"] == [0.9] * 3 and bench.written["default"] == [0.5] * 3
    assert isinstance(bench.emitted[-1], Confirmed) and bench.emitted[-1].text == sentence


def test_what_was_trained_before_an_interruption_is_not_trained_again(bench: Bench) -> None:
    sentence, first = bench.compare(found(0.9), InlineExecutor(1), stop_after=4)
    assert "interrupted" in sentence
    assert not (bench.folder.path / "confirm.json").exists()
    sentence, second = bench.compare(found(0.9))
    done = {job.folder for job in first.jobs}
    assert not done & {job.folder for job in second.jobs}
    assert (len(first.jobs), len(second.jobs)) == (4, 2) and "better" in sentence


@pytest.mark.parametrize(
    ("history", "spec"),
    [
        (found(0.95), {}),
        (found(0.9), {"function": "train.py:other_test"}),
        (found(0.9), {"function": None}),
    ],
    ids=["another best", "other code", "the objective itself"],
)
def test_runs_of_something_else_are_not_taken_for_this_comparison(
    bench: Bench, history: History, spec: dict[str, object]
) -> None:
    bench.compare(found(0.9))
    _, executor = bench.compare(history, **spec)
    assert len(executor.jobs) == (3 if not spec else 6)


def test_a_failed_run_leaves_its_pair_out_and_says_so(bench: Bench) -> None:
    failed: list[int] = []

    def train(job: Job) -> Outcome:
        if not failed:
            failed.append(job.number)
            return Outcome(state=TrialState.CRASHED, message="no memory")
        return completed(job)

    sentence, _ = bench.compare(found(0.9), InlineExecutor(1, train))
    assert "1 of 3 pairs had a failed run and were left out (the default, seed " in sentence
    assert ": no memory)." in sentence
    assert bench.written["default"] == [None, 0.5, 0.5]


def test_when_no_process_can_be_started_the_comparison_ends_and_the_search_is_kept(bench: Bench) -> None:
    executor = InlineExecutor(2)
    executor.refuses = True
    sentence, _ = bench.compare(found(0.9), executor)
    assert "3 of 3 pairs had a failed run" in sentence
    warnings = [event for event in bench.emitted if isinstance(event, Degraded)]
    assert len(warnings) == 6 and "out of processes" in warnings[0].cause
    sentence, again = bench.compare(found(0.9))
    assert len(again.jobs) == 6 and "better" in sentence, "the next session starts them"


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (History(SPACE, "score", "maximize", default=DEFAULT), "no trial completed"),
        (found(0.1), "the default configuration is itself the best found"),
    ],
    ids=["nothing completed", "default is best"],
)
def test_where_there_is_nothing_to_compare_it_says_why(bench: Bench, history: History, why: str) -> None:
    sentence, executor = bench.compare(history)
    assert sentence == f"Not compared with the default: {why}."
    assert executor.jobs == []


def test_trainings_are_killed_when_it_is_interrupted(bench: Bench) -> None:
    executor = InlineExecutor(2, lambda job: None)
    bench.compare(found(0.9), executor, stop_after=2)
    assert set(executor.killed) == {-1, -2}


def varied(gain: float) -> InlineExecutor:
    """The best is better by `gain` on average, and a pair's difference varies by 1 around it."""
    steps = [1.0, -1.0, 0.6, -0.6, 1.2, -1.2, 0.2, -0.2]
    seeds: dict[int, int] = {}

    def train(job: Job) -> Outcome:
        index = seeds.setdefault(job.seed, len(seeds))
        best = job.configuration["x"] != DEFAULT["x"]
        value = gain + steps[index % len(steps)] if best else 0.0
        return Outcome(state=TrialState.COMPLETED, values={"score": value})

    return InlineExecutor(1, train)


def test_more_seeds_are_taken_while_the_two_cannot_be_told_apart(bench: Bench) -> None:
    sentence, executor = bench.compare(found(0.9), varied(0.9), seeds=4, most=32)
    written = bench.written
    assert len(executor.jobs) == 2 * 16 and len(written["best"]) == 16  # type: ignore[arg-type]
    assert "is better than the default by 0.9" in sentence and "over 16 paired seeds" in sentence
    notes = [event.text for event in bench.emitted if isinstance(event, Noted)]
    assert notes == [
        "Not told apart by 4 seeds: 4 more of each are trained (at most 32).",
        "Not told apart by 8 seeds: 8 more of each are trained (at most 32).",
    ]


def test_equals_are_called_not_distinguishable_at_the_bound(bench: Bench) -> None:
    sentence, executor = bench.compare(found(0.9), varied(0.0), seeds=4, most=16)
    assert len(executor.jobs) == 32 and "not distinguishable over 16 paired seeds" in sentence


def test_a_longer_comparison_goes_on_after_an_interruption(bench: Bench) -> None:
    train = varied(0.9)
    sentence, first = bench.compare(found(0.9), train, stop_after=20, seeds=4, most=32)
    assert "interrupted" in sentence
    train.jobs = []
    sentence, second = bench.compare(found(0.9), train, seeds=4, most=32)
    assert "over 16 paired seeds" in sentence and len(second.jobs) == 2 * 16 - 20


def test_what_is_recommended_is_compared_and_not_the_luckiest_value(bench: Bench) -> None:
    history = found(0.9)
    other = SPACE.validate({"x": 0.7, "k": 1})
    trial = history.trials[1].model_copy(
        update={
            "number": 2,
            "value": 0.7,
            "proposal": Proposal(configuration=other, origin=Origin.RANDOM, reason=""),
        }
    )
    recommendation = Recommendation(
        trial=2, configuration=other, expected=0.7, best_trial=1, best_value=0.9, best_expected=0.6
    )
    executor = InlineExecutor(1)
    bench.compare(history.with_trial(trial), executor, recommendation=recommendation)
    assert {job.configuration["x"] for job in executor.jobs} == {0.5, 0.7}
    assert bench.written["trial"] == 2


GOALS: dict[str, object] = {
    "metrics": {"score": "maximize", "ms": "minimize", "width": "maximize"},
    "limits": {"ms": "<= 20", "size": "<= 5"},
}


def measured(ms: float = 12.0, *, noise: float = 1.0, left_out: tuple[str, ...] = ()) -> InlineExecutor:
    """The best takes `ms` (and `noise` more from seed to seed), the default 30; both are as wide."""

    def train(job: Job) -> Outcome:
        best = job.configuration["x"] != DEFAULT["x"]
        values = {"score": float(job.configuration["x"]), "width": 3.0, "size": 4.0}
        values["ms"] = (ms if best else 30.0) + noise * (job.seed % 7) / 7
        kept = {name: value for name, value in values.items() if name not in left_out}
        return Outcome(state=TrialState.COMPLETED, values=kept)

    return InlineExecutor(1, train)


def test_every_metric_is_compared_and_the_limits_on_the_fresh_seeds(bench: Bench) -> None:
    sentence, executor = bench.compare(found(0.9), measured(), goals=GOALS)
    assert len(executor.jobs) == 6, "the primary metric decides how many seeds are taken"
    assert {tuple(name for name, _ in job.further) for job in executor.jobs} == {("ms", "width", "size")}
    assert sentence.startswith("The best configuration is better than the default by 0.4")
    assert "Other metrics: ms better by 18 (mean 12." in sentence
    assert "width the same (3); size the same (4)." in sentence
    kept = "The best configuration keeps ms <= 20 on 3 of 3 seeds and keeps size <= 5 on 3 of 3 seeds."
    assert f"{kept} The default breaks ms <= 20 on 3 of 3: it is not feasible." in sentence
    further: Any = bench.written["further"]
    assert [one["metric"] for one in further["metrics"]] == ["ms", "width", "size"]
    assert len(further["metrics"][0]["best"]) == 3 and further["limits"][1]["default"] == 3


def test_a_winner_that_breaks_a_limit_on_fresh_seeds_is_said_plainly(bench: Bench) -> None:
    sentence, _ = bench.compare(found(0.9), measured(19.5, noise=7.0), goals=GOALS)
    assert "The best configuration breaks ms <= 20 on " in sentence
    assert "at worst: on fresh seeds it is not feasible. It also keeps size <= 5 on 3 of 3 seeds." in sentence


def test_a_metric_that_the_comparisons_code_does_not_report_is_not_measured(bench: Bench) -> None:
    sentence, _ = bench.compare(found(0.9), measured(left_out=("ms", "width", "size")), goals=GOALS)
    assert "ms not measured; width not measured; size not measured." in sentence
    assert "Whether ms <= 20 and size <= 5 holds on fresh seeds was not measured." in sentence


def test_without_a_feasible_trial_it_says_how_near_the_search_came(bench: Bench) -> None:
    limits = Task.model_validate(
        {"space": SPACE, **GOALS, "objective": {"function": "train.py:train"}}
    ).limits
    history = replace(found(0.9), limits=limits[:1])
    slow = [t.model_copy(update={"values": {"ms": 23.5 + t.number}}) for t in history.trials]
    sentence, executor = bench.compare(replace(history, trials=tuple(slow)), goals=GOALS)
    assert executor.jobs == [] and sentence == (
        "Not compared with the default: 2 trials completed, none keeps ms <= 20; the closest is trial 0 with "
        "23.5."
    )


def with_items(best: tuple[float, ...], default: tuple[float, ...], metric: str = "score") -> InlineExecutor:
    """Gives these scores by item, whatever the seed."""

    def train(job: Job) -> Outcome:
        items = Items(best if float(job.configuration["x"]) > 0.5 else default)
        values = {"score": 0.5, metric: items.mean}
        return Outcome(state=TrialState.COMPLETED, values=values, items={metric: items.pack()})

    return InlineExecutor(2, train)


@pytest.mark.parametrize(
    ("right", "verdict", "told"),
    [
        (90, "better", "is better than the default by 0.2 (95% interval"),
        (72, "not distinguishable", "are not distinguishable over the same 100 items"),
        (70, "not distinguishable", "scored alike on each of 100 items"),
        (40, "worse", "is worse than the default by 0.3 (95% interval"),
    ],
)
def test_with_one_seed_the_items_decide(bench: Bench, right: int, verdict: str, told: str) -> None:
    """However many seeds there could be: one evaluation of each on the same items is the evidence."""
    scores = [(1.0,) * count + (0.0,) * (100 - count) for count in (right, 70)]
    sentence, executor = bench.compare(found(0.9), with_items(*scores), seeds=1)
    assert told in sentence and "100 items" in sentence, sentence
    assert len(executor.jobs) == 2, "no second seed"
    judged: Any = bench.written["comparison"]
    assert (judged["verdict"], judged["unit"], judged["n"]) == (verdict, "items", 100)
    assert "Item by item" not in sentence, "said once"
    further: Any = bench.written["further"]
    own = further["own"][0]
    assert own["mean"] == right / 100 and own["low"] < right / 100 < own["high"]
    assert f"On items that the search never saw the best configuration has score 0.{right // 10}" in sentence


def test_more_seeds_or_items_of_the_search_are_judged_by_seeds_as_before(bench: Bench) -> None:
    scores = ((1.0,) * 90 + (0.0,) * 10, (1.0,) * 70 + (0.0,) * 30)
    sentence, executor = bench.compare(found(0.9), with_items(*scores), seeds=2)
    assert bench.written["comparison"]["unit"] == "seeds" and "paired seeds" in sentence
    assert "On items that the search never saw" in sentence and len(executor.jobs) == 4
    sentence, _ = bench.compare(found(0.9), with_items(*scores), seeds=1, function=None)
    assert bench.written["comparison"]["unit"] == "seeds" and "never saw" not in sentence


def test_with_one_seed_further_metrics_are_judged_by_their_items_too(bench: Bench) -> None:
    """As with the lowest cost at a quality that is kept: the cost is the same on every item."""

    def train(job: Job) -> Outcome:
        best = float(job.configuration["x"]) > 0.5
        cost, quality = Items((2.0,) * 100 if best else (5.0,) * 100), Items((1.0,) * (95 if best else 70))
        quality = Items((*quality.scores, *(0.0,) * (100 - len(quality))))
        values = {"cost": cost.mean, "quality": quality.mean}
        items = {"cost": cost.pack(), "quality": quality.pack()}
        return Outcome(state=TrialState.COMPLETED, values=values, items=items)

    tried = [(0, DEFAULT, 5.0), (1, SPACE.validate({"x": 0.9, "k": 1}), 2.0)]
    limits = (Limit.read("quality", ">= 0.6"),)
    trials = tuple(
        Trial(
            number=n,
            proposal=Proposal(configuration=c, origin=Origin.RANDOM, reason=""),
            state=TrialState.COMPLETED,
            value=cost,
            values={"cost": cost, "quality": 0.97},
        )
        for n, c, cost in tried
    )
    history = History(SPACE, "cost", "minimize", default=DEFAULT, trials=trials, limits=limits)
    goals = {"metric": "cost", "direction": "minimize", "limits": {"quality": ">= 0.6"}}
    sentence, _ = bench.compare(history, InlineExecutor(2, train), goals=goals, seeds=1)
    assert "better than the default by 3, the same on every item over the same 100 items" in sentence
    assert "quality higher by 0.25 (95% interval 0.1" in sentence
    assert "one seed alone" not in sentence and "Item by item" not in sentence
    assert "has quality 0.95 (95% interval 0.887 to 0.984 over 100 items; 0.97 in the search)" in sentence
