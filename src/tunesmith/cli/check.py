"""`tunesmith check`: find what is wrong before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import FAILED, Debug, report_errors
from tunesmith.cli.goal_lines import cost_lines, goal_lines, goals_as_data, kind_lines
from tunesmith.cli.passing_lines import passing_notes, passing_warnings
from tunesmith.registry import FAMILIES, POLICIES
from tunesmith.text.terminal import print_json

if TYPE_CHECKING:
    from tunesmith.api.dry_run import DryRun
    from tunesmith.errors import UsageError
    from tunesmith.interfaces import Strategy
    from tunesmith.stated_prior import StatedPrior
    from tunesmith.task import Task


@report_errors
def check(
    task: Annotated[Path, typer.Argument(help="The task file (YAML).", show_default=False)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Also start one real trial, for some steps, and keep nothing.")
    ] = False,
    steps: Annotated[
        int, typer.Option("--steps", min=1, help="Of --dry-run: stop after so many reported values.")
    ] = 3,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="Of --dry-run: stop after so many seconds.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Validate a task file and load its training code as a trial does, without training.

    Exit codes: 0 it can be run, 1 the trial of --dry-run failed, 2 it cannot be run.
    """
    from tunesmith.errors import UsageError

    try:
        loaded, python, warnings, tried = _examine(task, dry_run, steps, seconds)
    except UsageError as error:
        if as_json:
            print_json(json.dumps(_refused(error), indent=2))
        raise
    if as_json:
        found = {
            "task": loaded.name,
            "legal": True,
            "python": python,
            **goals_as_data(loaded),
            "priors": [_as_data(prior) for prior in _priors(loaded)],
            "warnings": warnings,
            "dry_run": None if tried is None else tried.as_data(),
        }
        print_json(json.dumps(found, indent=2))
    else:
        _print(task, loaded, python, warnings, tried)
    if tried is not None and tried.failed:
        raise typer.Exit(FAILED)


def _examine(
    path: Path, with_dry_run: bool, steps: int, seconds: float
) -> tuple[Task, str, list[str], DryRun | None]:
    """The task, its Python, what to warn of, and the dry run where one was asked for.

    Raises:
        UsageError: It cannot be run.
    """
    from tunesmith.api.checking import check_code, check_loading, code_to_run, hints
    from tunesmith.api.dry_run import dry_run
    from tunesmith.api.session import build_executor
    from tunesmith.events import Degraded
    from tunesmith.task import load_task
    from tunesmith.task.budget_size import too_small

    task = load_task(path)
    check_code(task)
    warnings = [*hints(task), *passing_warnings(task), *too_small(task)]

    def heard(event: object) -> None:
        if isinstance(event, Degraded):
            warnings.append(f"{event.cause}: {event.continuation}")

    objective, interpreter = code_to_run(task)
    assert interpreter is not None, "code that a task names has one"
    executor = build_executor(task, objective, heard)
    try:
        check_loading(task, executor, objective)
        tried = dry_run(task, executor, objective, reports=steps, seconds=seconds) if with_dry_run else None
    finally:
        executor.close()
    return task, interpreter.line(), warnings, tried


def _refused(error: UsageError) -> dict[str, object]:
    from tunesmith.errors import TaskError

    faults = [error, *error.also] if isinstance(error, TaskError) else []
    listed = [
        {"line": fault.line, "key": fault.key, "problem": fault.problem, "fix": fault.fix}
        for fault in faults
        if isinstance(fault, TaskError)
    ]
    return {"legal": False, "kind": type(error).__name__, "error": str(error), "faults": listed}


def _print(path: Path, loaded: Task, python: str, warnings: list[str], tried: DryRun | None) -> None:
    from tunesmith.noise import noise_text
    from tunesmith.settings import ModelSettings
    from tunesmith.stated_prior import prior_lines
    from tunesmith.text.numbers import counted

    priors = _priors(loaded)
    size = loaded.space.cardinality
    parameters = counted(len(loaded.space), "hyperparameter")
    print(f"{path}: a legal task, {loaded.name!r}")
    kinds = kind_lines(loaded)
    if not kinds:
        print(f"  objective  {loaded.objective_text()}: loads")
    for line in kinds:
        print(line)
    print(f"  python     {python}")
    if loaded.confirm is not None and loaded.confirm.spec is not None and not kinds:
        print(f"  confirm    {loaded.confirm.spec.text()}: loads")
    for line in passing_notes(loaded):
        print(f"             {line}")
    for line in goal_lines(loaded):
        print(line)
    if loaded.noise is not None:
        print(f"  noise      {noise_text(loaded.noise)}")
    print(f"  space      {parameters}" + (f", {size} configurations" if size else ""))
    for line in loaded.space.describe().splitlines():
        print(f"    {line}")
    for note in loaded.space.notes:
        print(f"    note: {note}")
    if loaded.default is not None:
        print(f"  default    {loaded.space.format(loaded.default)}")
    else:
        print("  default    none stated: the best will be compared with nothing")
    if loaded.data_card is not None:
        print(f"  data       {loaded.data_card.words()}")
        if loaded.data_card.task is None:
            print("             no column to predict is named: add `target: COLUMN` to data_file")
    if priors:
        print("  priors     share at the start; what the results do not bear out fades")
    for line in prior_lines(priors):
        print(f"    {line}")
    budget = loaded.budget
    caps = [f"{budget.trials} trials"]
    caps += [f"{budget.wall_time_s:g} s in all"] if budget.wall_time_s else []
    caps += [f"{budget.trial_time_s:g} s a trial"] if budget.trial_time_s else []
    caps += [f"cost {budget.cost:g}"] if budget.cost is not None else []
    print(f"  budget     {', '.join(caps)}; {loaded.workers} at a time")
    for line in cost_lines(loaded):
        print(line)
    print(f"  pruner     {loaded.pruner.words()}")
    for line in _tuner_lines(loaded):
        print(line)
    if loaded.policy is not None:
        print(f"  policy     {loaded.policy}: {POLICIES.get(loaded.policy).summary}")
    settings = ModelSettings.from_environment()
    if not loaded.uses_model:
        print("  model      not used by this tuner")
    elif settings is None:
        print("  model      none configured: the run will work without a language model")
    else:
        place = settings.base_url or f"the provider {settings.provider}"
        print(f"  model      {settings.model or 'the first that the server lists'} at {place}")
    for warning in warnings:
        print(f"  warning    {warning}")
    if tried is not None:
        print("  dry run    " + "\n             ".join(tried.lines()))
    print("installed, by name:")
    for line in _registered():
        print(line)


def _priors(task: Task) -> tuple[StatedPrior, ...]:
    """What the task's method believes before the first trial, as a run without a model would."""
    from tunesmith.agent.methods.base import MethodContext

    tuner = task.tuner
    context = MethodContext(task, lambda event: event, name=tuner.name, settings=tuner.settings)
    strategy: Strategy = tuner.member.build(context).strategy
    return strategy.stated_priors(task.default)


def _as_data(prior: StatedPrior) -> dict[str, object]:
    return {**prior.model_dump(), "from": prior.label}


def _tuner_lines(task: Task) -> list[str]:
    """The method, and whether the model's caps allow what it needs."""
    tuner, cap = task.tuner, task.budget.model.calls
    if tuner.member.calls_needed is None:
        return [f"  tuner      {tuner.text()}: {tuner.member.summary}"]
    calls = tuner.member.calls_needed(tuner.settings, task.budget.trials)
    lines = [f"  tuner      {tuner.text()}: about {calls} calls of the model in all"]
    if cap is not None and cap < calls:
        lines.append(
            f"             budget.model.calls is {cap}: what it does not reach is chosen numerically"
        )
    return lines


def _registered() -> list[str]:
    """A line for every family that has members; those of other packages with the package's name."""
    lines = []
    for family in FAMILIES:
        packages = {name: family.package_of(name) for name in family.names}
        names = [name if package is None else f"{name} ({package})" for name, package in packages.items()]
        if names:
            lines.append(f"  {family.family:<17}{', '.join(names)}")
    return lines
