"""`pruner: race` in a run: what is stopped, what a stopped trial keeps, and what is never stopped."""

import pytest

from tunesmith.errors import TaskError
from tunesmith.goals import Limit
from tunesmith.items import Items
from tunesmith.outcome import TrialState
from tunesmith.space import Int, Space
from tunesmith.task import PrunerSpec, Task, load_task
from tunesmith.tools.analysis.limits import limits_told
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Origin, Proposal, Trial

N = 30
SPACE = Space({"x": Int(0, 100)})
FULL = Items(tuple(float(k % 10 < 8) for k in range(N)))
SCRIPT = """
def scores(config):
    return [float((k * 7) % 40 < config["x"]) for k in range(40)]

def train(config, trial):
    seen = []
    for k, score in enumerate(scores(config), 1):
        seen.append(score)
        trial.report({"quality": sum(seen) / k, "cost": config["x"]} if {both} else sum(seen) / k, k)
        if trial.should_prune():
            break
    trial.report_items(seen, "quality")
    return {"quality": sum(seen) / len(seen), "cost": 1.0 * config["x"], "first.calls": 2.5}
"""
TASK = """
name: race
metric: quality
direction: maximize
objective: job.py:train
space: {x: {type: int, low: 0, high: 40}}
default: {x: 36}
tuner: random
preload: []
budget: {trials: 10}
pruner: {kind: race, startup_trials: 1}
"""


def make_trial(number, **fields):
    configuration = SPACE.validate({"x": number})
    proposal = Proposal(configuration=configuration, origin=Origin.SURROGATE, reason="")
    return Trial(number=number, proposal=proposal, **fields)


def means(scores):
    return [(k, sum(scores[:k]) / k) for k in range(1, len(scores) + 1)]


def judge(pruner, number, scores, **more):
    """After how many items the trial is stopped; None: never."""
    points = means(scores)
    return next(
        (k for k in range(1, len(points) + 1) if pruner.should_stop(number, points[:k], **more)), None
    )


def done(number, items, *, curve=None, values=None, state=TrialState.COMPLETED):
    return make_trial(
        number,
        state=state,
        value=items.mean if state is TrialState.COMPLETED else None,
        values={"acc": items.mean, **(values or {})},
        curve=tuple(means(items.scores)) if curve is None else curve,
        items={"acc": items.pack()},
    )


def racing(limits=(), **spec):
    return Pruner(
        PrunerSpec(kind="race", startup_trials=1, **spec), "maximize", limits, metric="acc", trials=9
    )


@pytest.mark.long
def test_a_stopped_trial_keeps_its_first_items_and_a_resumed_run_races_on(tmp_path):
    from tunesmith.api import run_task

    (tmp_path / "job.py").write_text(SCRIPT.replace("{both}", "False"))
    (tmp_path / "task.yaml").write_text(TASK)
    result = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None)
    history, run = result.history, RunFolder.open(result.folder)
    assert history.pruned and history.completed
    best = history.incumbent
    report = (result.folder / "report.md").read_text()
    assert "## Failures" not in report, "to be stopped is no failure"
    assert report.count(" of 40 items: it ") == len(history.pruned)
    for trial in history.pruned:
        assert trial.message.startswith(f"stopped after {trial.report_count} of 40 items: it "), trial.message
        kept = Items.unpack(trial.items["quality"])
        assert len(kept) == trial.report_count < 40 and trial.value is None
        assert kept.mean == pytest.approx(trial.values["quality"]) == pytest.approx(trial.curve[-1][1])
        assert trial.values["first.calls"] == 2.5
        assert kept.mean < 1 and trial.configuration["x"] <= best.configuration["x"]
        assert run.read_outcome(trial.number).items == trial.items
    assert all(len(Items.unpack(t.items["quality"])) == 40 for t in history.completed)

    (tmp_path / "task.yaml").write_text(TASK.replace("trials: 10", "trials: 13"))
    again = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None).history
    assert len(again.finished) == 13 and again.trials[:10] == history.trials


@pytest.mark.long
def test_a_limit_on_items_is_raced_by_what_is_reported_beside_the_cost(tmp_path):
    from tunesmith.api import run_task

    (tmp_path / "job.py").write_text(SCRIPT.replace("{both}", "True"))
    text = TASK.replace("metric: quality", "metric: cost").replace(
        "direction: maximize", "direction: minimize"
    )
    (tmp_path / "task.yaml").write_text(text + 'limits: {quality: ">= 0.8"}\n')
    history = run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None).history
    assert history.pruned and all(t.configuration["x"] < 32 for t in history.pruned)
    assert all({"quality", "cost"} <= set(t.values) for t in history.pruned)
    assert all(t.configuration["x"] >= 32 for t in history.feasible), "dear ones are not stopped"
    assert f"{len(history.pruned)} trial" in limits_told(history)[-1], "what a limit costs is not all known"


def test_only_trials_that_report_items_are_raced():
    bad = [0.0] * N
    pruner = racing()
    assert judge(pruner, 5, bad) is None, "nothing has completed"
    pruner.observe(done(0, FULL, curve=((1, 0.2), (2, 0.5), (3, 0.8))))
    assert judge(pruner, 6, bad) is None, "reports after epochs, and items at the end"
    pruner.observe(done(1, FULL))
    assert judge(pruner, 7, bad) == 5
    epochs = [(10 * k, 0.0) for k in range(1, N)]
    assert not any(pruner.should_stop(8, epochs[:k]) for k in range(1, N)), "steps that are no items"
    late = [(k, 0.0) for k in range(0, N)]
    assert not any(pruner.should_stop(9, late[:k]) for k in range(1, N)), "steps that begin at 0"
    assert judge(pruner, 10, [3.0] + bad[1:]) is None, "a score beyond the stated range"
    assert judge(pruner, 11, FULL.scores) is None


def test_nothing_is_predicted_against_a_bound():
    """The cheapest that keeps it lies near it: a trial that begins just below it goes on."""
    limit = (Limit.read("acc", ">= 0.8"),)
    near = [float(k % 10 not in (0, 3, 6)) for k in range(N)]
    below = Pruner(PrunerSpec(kind="race", startup_trials=1), "minimize", limit, metric="cost", trials=9)
    curve = tuple((k, 3.0) for k in range(1, N + 1))
    below.observe(done(0, FULL, values={"cost": 3.0}, curve=curve))

    def stopped(number, scores):
        points = means(scores)
        for k in range(1, N):
            if below.should_stop(number, curve[:k], others={"acc": points[k - 1][1]}):
                return k, below.why(number)
        return None

    assert stopped(5, near) == (21, "stopped after 21 of 30 items: it cannot keep acc >= 0.8 any more")
    assert stopped(6, [0.0] * N)[0] <= 7


def test_the_opponent_keeps_the_limits_and_a_limit_on_items_is_a_bound():
    limit = (Limit.read("ms", "<= 20"),)
    pruner = racing(limit, futility=0)
    pruner.observe(done(0, FULL, values={"ms": 30.0}))
    assert judge(pruner, 5, [0.0] * N) is None
    pruner.observe(done(1, FULL, values={"ms": 10.0}))
    assert judge(pruner, 6, [0.0] * N) is not None

    cheapest = Pruner(
        PrunerSpec(kind="race", startup_trials=1),
        "minimize",
        (Limit.read("quality", ">= 0.7"),),
        metric="cost",
        trials=9,
    )
    trial = make_trial(
        0,
        state=TrialState.COMPLETED,
        value=3.0,
        values={"cost": 3.0, "quality": FULL.mean},
        curve=tuple((k, 3.0) for k in range(1, N + 1)),
        items={"quality": FULL.pack()},
    )
    cheapest.observe(trial)

    def stopped(number, scores):
        points = means(scores)
        return next(
            (
                k
                for k, quality in points
                if cheapest.should_stop(number, [(k, 9.0)], others={"quality": quality})
            ),
            None,
        )

    assert stopped(5, FULL.scores) is None, "dear, but good enough: no business of a race"
    assert stopped(6, [0.0] * N) is not None


def test_the_first_trials_and_steps_are_granted():
    spec = PrunerSpec(kind="race", startup_trials=2, warmup_steps=12)
    pruner = Pruner(spec, "maximize", metric="acc", trials=9)
    pruner.observe(done(0, FULL))
    assert judge(pruner, 5, [0.0] * N) is None
    pruner.observe(done(1, FULL))
    assert judge(pruner, 6, [0.0] * N) == 12


@pytest.mark.parametrize(
    "pruner, told",
    [
        ({"kind": "race", "scores": [1, 0]}, "`scores` should be rising, got 1 and 0"),
        ({"kind": "race", "alpha": 1}, "pruner.alpha"),
        (
            {"kind": "forecast", "futility": 0.2},
            "`futility` is a setting of `race`, and the kind is forecast",
        ),
    ],
)
def test_settings_that_are_no_good_are_told(pruner, told):
    with pytest.raises(TaskError) as caught:
        Task(name="t", metric="acc", direction="maximize", space=SPACE, pruner=pruner)
    assert told in str(caught.value)


def test_the_settings_are_kept_in_a_task_file(tmp_path):
    pruner = {"kind": "race", "scores": [0, 5], "alpha": 0.1, "futility": 0.0}
    task = Task(name="t", metric="acc", direction="maximize", space=SPACE, objective="t.py:f", pruner=pruner)
    (tmp_path / "task.yaml").write_text(task.to_yaml())
    assert load_task(tmp_path / "task.yaml").pruner == task.pruner and task.pruner.scores == (0.0, 5.0)
