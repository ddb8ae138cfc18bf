"""The stream of a run with several metrics, event by event."""

from __future__ import annotations

import pytest

from fakes.tui_runs import begun, ended, started
from tunesmith.cli.stream import Stream
from tunesmith.events import Event, Progress
from tunesmith.space import Categorical, Float, Space
from tunesmith.task import Task

SPACE = Space({"learning_rate": Float(1e-4, 1), "optimizer": Categorical(["adamw", "sgd"])})


def lines(capsys: pytest.CaptureFixture[str], *events: Event, **keys: object) -> list[str]:
    task = Task.model_validate(
        {
            "metrics": {"acc": "maximize", "ms": "minimize"}, "limits": {"ms": "<= 20"}, "space": SPACE,
            "cost": "learning_rate * 1000", "budget": {"trials": 9, "cost": 30.0}, **keys,
        }
    )  # fmt: skip
    stream = Stream(task)
    for event in events:
        stream.show(event)
    return capsys.readouterr().out.splitlines()


def start(number: int) -> Event:
    return started(number).model_copy(update={"cost": 3.0})


def end(number: int, acc: float, ms: float, **how: bool) -> Event:
    event = ended(number, acc, values={"acc": acc, "ms": ms}, improved=how.get("improved", False))
    return event.model_copy(update={"on_front": how.get("improved", False)})


def progress(**more: float | None) -> Progress:
    given = {"done": 1, "total": 9, "running": 0, "workers": 1, "seconds": 60.0, "left_s": 300.0, **more}
    return Progress.model_validate({"cost": 3.0, "cost_total": 30.0, **given})


def test_what_is_left_of_the_cost_budget_is_told_once_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(
        capsys, begun(resumed=True, trials_before=4), start(4), end(4, 0.5, 30.0),
        progress(done=5, cost=15.0), start(5), end(5, 0.6, 10.0, improved=True),
    )  # fmt: skip
    assert any(line.endswith("ms 30 (breaks <= 20), cost 3") for line in told)
    assert any(line.endswith("ms 10, on the front, cost 3 (12 of 30 left)") for line in told)
    assert "  5 of 9 done; cost 15 of 30 left; about 5 min for the other 4 trials with 1 worker" in told


def test_a_continued_run_knows_what_is_left_from_its_first_trial_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = lines(
        capsys, begun(resumed=True, trials_before=4, cost_before=12.0), start(4), end(4, 0.5, 19.0)
    )  # fmt: skip
    assert any(line.endswith("ms 19, cost 3 (15 of 30 left)") for line in told)


def test_a_primary_metric_that_counts_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    ends = [end(0, 1.0, 19.0), end(1, 300.0, 19.0), end(2, 0.5, 19.0), end(3, 300.0, 19.0)]
    told = lines(capsys, begun(), *(e for n in range(4) for e in (start(n), ends[n])))
    shown = [line.split()[1] for line in told if line.lstrip(" *").startswith("#")]
    assert shown == ["1.0000", "300", "0.5000", "300.0000"]


def test_a_trial_of_equal_value_that_is_better_in_another_metric_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = lines(
        capsys, begun(), start(0), end(0, 0.6, 10.0, improved=True), start(1),
        end(1, 0.6, 8.0, improved=True), start(2), end(2, 0.7, 8.0, improved=True),
    )  # fmt: skip
    gains = [line.split("best feasible")[1] for line in told if "best feasible" in line]
    assert gains == [" so far", ", better in another metric", ", +0.1000"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "about 5 min for the other 8 trials with 1 worker"),
        (
            {"affordable": 3, "running": 1},
            "about 5 min for the other 4 trials that the cost budget has room for",
        ),
        ({"affordable": 0}, ""),
    ],
    ids=["all", "some", "none"],
)
def test_trials_that_the_cost_budget_has_no_room_for_are_not_promised(
    more: dict[str, float | None], text: str
) -> None:
    found = progress(**more).text
    assert (text in found) if text else not found
