"""Whole runs whose task names LLAMBO as its tuner: real processes, a real server, every end it can have."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, failing, hanging
from fakes.llambo_model import Oracle
from fakes.tiny_job import write_job
from tunesmith.api import Result, run_task
from tunesmith.events import Degraded, Event, RunFinished, RunStarted
from tunesmith.settings import ModelSettings
from tunesmith.task import Task, load_task
from tunesmith.trial import Origin, TrialState


def truth(values: Any) -> float:
    return -((math.log10(values["lr"]) + 2.5) ** 2) - (values["width"] - 48) ** 2 / 1000


def task(folder: Path, tuner: object, *, trials: int = 8, workers: int = 1, calls: int = 2000) -> Task:
    path = write_job(folder, trials=trials, workers=workers)
    written = path.read_text().replace(
        "trial_time: 600}", f"trial_time: 30, model: {{calls: {calls}, tokens: null}}}}"
    )
    path.write_text(written.replace("confirm:", "# confirm:") + f"pruner: none\ntuner: {tuner}\n")
    return load_task(path)


def run_session(
    given: Task, folder: Path, server: ChatServer | None, **more: Any
) -> tuple[Result, list[Event]]:
    settings = None
    if server is not None:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("k"))
    events: list[Event] = []
    result = run_task(given, runs=folder / "runs", model=settings, listen=events.append, **more)
    return result, events


def lost(events: list[Event], what: str = "fallback") -> list[Degraded]:
    """What went wrong; a candidate that the surrogate leaves out of its choice is no such thing."""
    told = [e for e in events if isinstance(e, Degraded) and e.what == what]
    return [e for e in told if e.where != "llambo.discriminative"]


def test_a_run_with_llambo_is_its_choice_from_the_first_trial_to_the_last(tmp_path: Path) -> None:
    oracle = Oracle(truth, noise=0.02)
    with ChatServer(oracle) as server:
        result, events = run_session(task(tmp_path, "{preset: llambo, initial: 3}"), tmp_path, server)
    (started,) = [e for e in events if isinstance(e, RunStarted)]
    assert started.policy == "llambo with initial=3" and started.model == "m"
    trials = result.history.trials
    assert [t.proposal.origin for t in trials] == [Origin.DEFAULT] + [Origin.MODEL] * 7
    assert lost(events) == []
    assert all(t.proposal.expected is not None and t.proposal.prompt_id for t in trials[4:])
    assert result.history.incumbent.value > trials[0].value
    assert {"propose", "predict"} <= set(oracle.asked)


@pytest.mark.long
def test_the_time_budget_of_a_run_ends_one_whose_model_hangs(tmp_path: Path) -> None:
    given = task(tmp_path, "{preset: llambo, initial: 3}")
    given = given.model_copy(update={"budget": given.budget.model_copy(update={"wall_time_s": 3.0})})
    with ChatServer([hanging()]) as server:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("k"), timeout_s=3000)
        events: list[Event] = []
        run_task(given, runs=tmp_path / "runs", model=settings, listen=events.append)
    (ended,) = [event for event in events if isinstance(event, RunFinished)]
    assert ended.reason == "the time budget of 3 s is used"


def test_upstreams_preset_runs_with_its_many_calls_and_says_when_the_caps_are_too_low(tmp_path: Path) -> None:
    def shown(values: Any) -> float:
        return truth({"lr": 10 ** values["lr"], "width": values["width"]})

    given = task(tmp_path, "{preset: llambo-paper, candidates: 4, initial: 3}", trials=6, calls=25)
    with ChatServer(Oracle(shown, noise=0.02)) as server:
        result, events = run_session(given, tmp_path, server)
    # Three trials after the three random ones, each 2 + 4 x 2 calls: the caps allow two and a half.
    (warning,) = [e for e in lost(events, "warning") if e.where == "tuner"]
    assert "needs about 30 calls of the model, and 25 are left" in warning.cause
    assert [t.state for t in result.history.trials] == [TrialState.COMPLETED] * 6
    reasons = [t.proposal.reason for t in result.history.trials]
    assert all("of 4 candidates" in reason for reason in reasons[3:5])
    assert reasons[5].startswith("Without the language model (ModelBudgetReached")
    assert len(server.chats) == 25


@pytest.mark.long
def test_several_workers_are_kept_busy_by_llambo_alone_and_never_with_the_same(tmp_path: Path) -> None:
    with ChatServer(Oracle(truth, noise=0.02)) as server:
        given = task(tmp_path, "{preset: llambo, initial: 6}", trials=12, workers=3)
        result, events = run_session(given, tmp_path, server)
    trials = result.history.trials
    assert len({t.configuration.digest for t in trials}) == len(trials) == 12
    assert {t.proposal.origin for t in trials} == {Origin.DEFAULT, Origin.MODEL}
    assert lost(events) == []
    assert any("Being tried at this moment" in chat.last for chat in server.chats)


@pytest.mark.long
@pytest.mark.parametrize("script", [[failing(500)], ["I had rather not."], [failing(401)]])
def test_a_model_that_fails_costs_fallbacks_and_no_trial(tmp_path: Path, script: Any) -> None:
    with ChatServer(script) as server:
        result, events = run_session(task(tmp_path, "llambo", trials=6), tmp_path, server)
    assert result.status == "finished" and len(result.history.completed) == 6
    by_llambo = [t for t in result.history.trials if t.proposal.origin is Origin.MODEL]
    assert by_llambo == [] and len(lost(events)) >= 5
    assert all(t.proposal.reason.startswith("Without the language model") for t in result.history.trials[1:])


def test_without_a_model_the_numeric_strategy_runs_and_it_is_told(tmp_path: Path) -> None:
    result, events = run_session(task(tmp_path, "llambo-paper", trials=4), tmp_path, None)
    assert result.status == "finished" and len(result.history.completed) == 4
    (fallback,) = lost(events)
    assert fallback.where == "tuner" and "llambo-paper, and there is no language model" in fallback.cause
    (started,) = [e for e in events if isinstance(e, RunStarted)]
    assert (started.policy, started.model) == ("rules", None)


def test_numeric_asks_no_model_even_where_one_is_configured(tmp_path: Path) -> None:
    with ChatServer([failing(500)]) as server:
        result, events = run_session(task(tmp_path, "numeric", trials=4), tmp_path, server)
    assert server.requests == [] and lost(events) == []
    assert result.status == "finished"


@pytest.mark.long
def test_a_recorded_run_replays_without_network_to_the_same_trials(tmp_path: Path) -> None:
    with ChatServer(Oracle(truth, noise=0.02)) as server:
        live, _ = run_session(task(tmp_path / "live", "{initial: 3}", trials=7), tmp_path / "live", server)
    again, events = run_session(
        task(tmp_path / "again", "{initial: 3}", trials=7),
        tmp_path / "again",
        None,
        replay=live.folder / "exchanges.jsonl",
    )
    assert [t.proposal.configuration for t in again.history.trials] == [
        t.proposal.configuration for t in live.history.trials
    ]
    assert lost(events) == []


@pytest.mark.long
def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    with ChatServer(Oracle(truth, noise=0.02)) as server:
        run_session(task(tmp_path, "{initial: 3}", trials=5), tmp_path, server)
        result, events = run_session(task(tmp_path, "{initial: 3}", trials=8), tmp_path, server)
    assert len(result.history.completed) == 8 and lost(events) == []
    assert {t.proposal.origin for t in result.history.trials[5:]} == {Origin.MODEL}


@pytest.mark.long
def test_the_python_door_takes_a_tuner(tmp_path: Path) -> None:
    from tunesmith import Float, tune

    with ChatServer(Oracle(lambda v: -((v["x"] - 0.3) ** 2))) as server:
        result = tune(
            lambda config, trial: -((config["x"] - 0.3) ** 2),
            {"x": Float(0.0, 1.0)},
            metric="score",
            direction="maximize",
            trials=5,
            runs=tmp_path,
            model=ModelSettings(base_url=server.url, model="m", api_key=SecretStr("k")),
            tuner={"preset": "llambo", "initial": 2, "recalibrate": False},
        )
    assert {t.proposal.origin for t in result.history.trials} == {Origin.MODEL}
