"""The Python interface: `tune` for a function, `run_task` for a task.

    task -> run folder (locked) -> study (reconciled) -> strategy, policy, toolbox, executor -> engine
         -> comparison on fresh seeds -> report and other sinks

Heavy libraries load when a run starts, not when this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tunesmith.agent.models import Answering, Provider
from tunesmith.api.result import Result
from tunesmith.api.stopping import stop
from tunesmith.data_card import DataCard
from tunesmith.errors import RunFailed, SpaceError, UsageError, short
from tunesmith.events import Event
from tunesmith.history import Direction
from tunesmith.noise import Noise
from tunesmith.settings import ModelSettings
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.task.task import slug
from tunesmith.trial import Value

__all__ = ["Listener", "ModelChoice", "Result", "run_task", "stop", "tune"]

ModelChoice = ModelSettings | Provider | Answering | Literal["environment"] | None
"""`"environment"`: what the environment variables name, or none; None: no language model. A function from
messages (`role`, `content`) to a text is one."""
Listener = Callable[[Event], None]


def tune(
    train: Callable[..., Any],
    space: Space | Mapping[str, Any],
    *,
    metric: str | Mapping[str, str] | None = None,
    direction: Direction | None = None,
    metrics: Mapping[str, Any] | None = None,
    limits: Mapping[str, str | Sequence[str]] | None = None,
    cost: str | None = None,
    trials: int = 16,
    cost_budget: float | None = None,
    default: Mapping[str, Value] | None = None,
    constraints: Sequence[str] = (),
    name: str | None = None,
    runs: str | Path = "runs",
    description: str = "",
    data: tuple[Any, Any] | DataCard | None = None,
    wall_time_s: float | None = None,
    trial_time_s: float | None = None,
    target: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    workers: int = 1,
    threads: int = 1,
    confirm_seeds: int = 0,
    confirm: Mapping[str, Any] | None = None,
    pruner: str | Mapping[str, Any] | None = None,
    storage: str | None = None,
    noise: Noise | None = None,
    env: Mapping[str, Any] | None = None,
    trial_memory: str | None = None,
    model: ModelChoice = "environment",
    tuner: str | Mapping[str, Any] | None = None,
    fresh: bool = False,
    start_from: str | Path | None = None,
    listen: Listener | None = None,
) -> Result:
    """Tune a Python function. Ctrl-C stops cleanly and returns what is there.

    Args:
        train: `train(config, trial) -> float | dict`; closures and notebook functions are fine. It runs
            in processes of its own, so what it changes in memory is not seen here.
        space: A Space, or parameters by name, such as `{"lr": Float(1e-5, 1e-1, scale="log")}`.
        metric: Name of the value to optimise; a dict returned by `train` must hold it. As
            `{"name": "accuracy", "take": "best"}` it also says which of a trial's values counts, `best` or
            `last`; None: the returned one, or the last report of a function that returns nothing.
        direction: `"maximize"` or `"minimize"`.
        metrics: In place of `metric` and `direction`, several metrics that `train` returns, such as
            `{"accuracy": "maximize", "latency_ms": "minimize"}`. The first, or the one that `metric` names,
            is what is shown and what ends a search; the result has the Pareto front.
        limits: Bounds that metrics must keep, such as `{"latency_ms": "<= 20"}`, two in a list for a range. A
            trial that breaks one is never the best.
        cost: What a trial costs, in units of the problem: arithmetic over parameters, such as
            `"epochs * width / 1000"`, known before the trial is run.
        trials: Trials to run, failed ones included.
        cost_budget: What all trials may cost together, in the units of `cost`; None for no limit.
        default: The configuration in use today; it is tried first and compared with the best.
        name: Name of the run folder. Given again, the run is continued; without it every call
            makes a new folder named after the function.
        description: What is trained, in words; used by a language model and by the priors.
        data: The training data as `(X, y)`, y None for no target, or its DataCard; figures of it are used as
            the description is. The data itself is not kept and not sent.
        wall_time_s, trial_time_s: Seconds for the whole run, and for one trial.
        target, patience: End the search when the metric reaches this value, or after so many trials without
            an improvement beyond the noise.
        confirm_seeds: Train the best and the default again on this many fresh seeds and compare.
        confirm: The same with all that a task file's `confirm` has, such as
            `{"function": "test.py:test", "seeds": 5, "most": 20}`; `confirm_seeds` is then its `seeds`.
        pruner: How poor trials are stopped early: `"forecast"`, `"median"`, `"halving"`, `"none"`, or a
            mapping as in a task file; None: `"forecast"`.
        storage: Optuna storage URL, such as `sqlite:///study.db`; None for a journal in the run folder.
        noise: The metric's standard deviation between seeds, in its units; `"measure"` to repeat a trial or
            two for it; `"none"` where training is deterministic; None: nothing is known.
        env: Environment variables that trials get beyond the usual ones, as in a task file, such as
            `{"pass": ["MY_DATA"], "set": {"STAGE": "tuning"}}`; secrets are passed only by name.
        trial_memory: Main memory that one trial may use, such as `"2GB"`; None for no limit.
        model: Which language model to use; None for none.
        tuner: The method that proposes the trials: a name of `registry.METHODS`, or a mapping of `method` and
            its settings; None: the first of them.
        fresh: Start a new run beside one of that name, which the next call with this name continues.
        start_from: Start a new run with the results of another, as `run_task`.
        listen: Called with every event of `tunesmith.events`, in the thread that raised it.
    Returns:
        The result; its `status` is `stopped` after Ctrl-C or `tunesmith.stop()`.
    Raises:
        UsageError: The space, the default, a limit or the run folder cannot be used.
        RunFailed: No trial completed; it names the latest cause and has the result.
    """
    if not isinstance(space, Space):
        space = Space(space, constraints)
    elif constraints:
        raise SpaceError("constraints belong to the Space: give them to Space(..., constraints=...)")
    if listen is not None and not callable(listen):
        raise UsageError(f"listen should be a function of one event, got {short(listen)}.")
    if confirm is not None and not isinstance(confirm, Mapping):
        raise UsageError(
            f"confirm should be a mapping, got {short(confirm)}. "
            'Write confirm={"function": "test.py:test", "seeds": 5}, or confirm_seeds=5 for `train` itself.'
        )
    seeds = {"seeds": confirm_seeds} if confirm_seeds else {}
    stated = {"metric": metric, "direction": direction, "metrics": metrics, "limits": limits, "cost": cost}
    # Validated as a task file is, so that a wrong number has the same message.
    task = Task.model_validate(
        {
            "name": slug(getattr(train, "__name__", "train")) if name is None else name,
            "description": description,
            "data_card": DataCard.from_arrays(*data) if isinstance(data, tuple) else data,
            **{key: value for key, value in stated.items() if value is not None},
            "space": space,
            "default": None if default is None else space.validate(default),
            "confirm": {**(confirm or {}), **seeds} if confirm or confirm_seeds else None,
            "budget": {
                "trials": trials,
                "cost": cost_budget,
                "wall_time_s": wall_time_s,
                "trial_time_s": trial_time_s,
                "target": target,
                "patience": patience,
            },
            "noise": noise,
            "seed": seed,
            "workers": workers,
            "threads": threads,
            "tuner": tuner,
            **({} if env is None else {"env": env}),
            "trial_memory": trial_memory,
            **({} if pruner is None else {"pruner": pruner}),
        }
    )
    from tunesmith.tools.records.run_names import unused_name

    if name is None:  # a run of its own, which no later call under that name goes on with
        task = task.model_copy(update={"name": unused_name(Path(runs), task.name)})
    result = run_task(
        task,
        runs=runs,
        fresh=fresh,
        start_from=start_from,
        model=model,
        storage=storage,
        listen=listen,
        train=train,
    )
    if result.status == "failed":
        raise RunFailed(_why(result), result)
    return result


def run_task(
    task: Task,
    *,
    runs: str | Path = "runs",
    fresh: bool = False,
    newest: bool = True,
    start_from: str | Path | None = None,
    model: ModelChoice = "environment",
    storage: str | None = None,
    replay: Path | None = None,
    listen: Listener | None = None,
    train: Callable[..., Any] | None = None,
) -> Result:
    """Run a task to its end, continuing where an earlier session ended.

    Args:
        runs: Folder of run folders; this run's is `<runs>/<task.name>`, or the newest begun beside it.
        fresh: Start anew beside an existing run, as `<task.name>-2` and so on.
        newest: False: go on with exactly `<runs>/<task.name>`, though newer ones were begun beside it.
        start_from: Start a new run with the results of another: a run folder, a table (.csv) or a storage
            such as `sqlite:///study.db` or `sqlite:///study.db:STUDY`. Given again it continues that run.
        storage: Optuna storage URL, such as `sqlite:///study.db`; None for a journal in the run folder.
        replay: An exchanges.jsonl to take the model's answers from, instead of any network.
        train: The training function of a task built in Python.
    Raises:
        UsageError: The task or run folder cannot be used; nothing was changed.
    """
    from tunesmith.api.checking import check_code
    from tunesmith.api.choosing import chosen_run
    from tunesmith.api.session import run_session
    from tunesmith.tools.records.folder_store import FolderStore

    check_code(task, train)
    if replay is not None and not replay.is_file():
        raise UsageError(f"{replay}: no such file. Name the exchanges.jsonl of a run that used a model.")
    task, source, begun_as = chosen_run(task, Path(runs), fresh=fresh, start_from=start_from, newest=newest)
    store = FolderStore.create(Path(runs), task, storage, source=source, begun_as=begun_as)
    settings = ModelSettings.from_environment() if model == "environment" else model
    with store.lease():
        objective = None
        if train is not None:
            from tunesmith.tools.execution.pickling import pickle_objective

            objective = pickle_objective(train, store.path / "objective.pkl")
            store.keep(store.path / "objective.pkl")
        return run_session(
            task,
            store,
            settings=settings,
            objective=objective,
            replay=replay,
            listen=listen,
        )


def _why(result: Result) -> str:
    """Why no trial completed: the run's own reason, the latest failure, and where its log is."""
    failed = result.history.failures
    text = f"no trial completed: {result.reason}"
    if not failed:
        return text
    latest = failed[-1]
    log = result.folder / "trials" / f"{latest.number:05d}" / "log.txt"
    cause = f"{text}.\nTrial {latest.number} ({latest.state.value}): {latest.message} (log: {log})"
    return f"{cause}\n{latest.traceback}" if latest.traceback else cause
