"""`tunesmith check`: find what is wrong before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.registry import FAMILIES, POLICIES

if TYPE_CHECKING:
    from tunesmith.interfaces import Strategy
    from tunesmith.stated_prior import StatedPrior
    from tunesmith.task import Task


@report_errors
def check(
    task: Annotated[Path, typer.Argument(help="The task file (YAML).", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the priors as JSON on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Validate a task file and load its training code, without training."""
    from tunesmith.noise import noise_text
    from tunesmith.settings import ModelSettings
    from tunesmith.stated_prior import prior_lines
    from tunesmith.task import load_task
    from tunesmith.text.numbers import counted
    from tunesmith.tools.execution.loading import check_objective

    loaded = load_task(task)
    check_objective(loaded.objective_ref())
    if (confirm := loaded.confirm_ref()) is not None:
        check_objective(confirm)
    priors = _priors(loaded)
    if as_json:
        found = {"task": loaded.name, "legal": True, "priors": [_as_data(prior) for prior in priors]}
        print(json.dumps(found, indent=2))
        return
    size = loaded.space.cardinality
    parameters = counted(len(loaded.space), "hyperparameter")
    print(f"{task}: a legal task, {loaded.name!r}")
    print(f"  objective  {loaded.objective_text()}: loads")
    print(f"  metric     {loaded.direction} {loaded.metric}")
    if loaded.noise is not None:
        print(f"  noise      {noise_text(loaded.noise)}")
    print(f"  space      {parameters}" + (f", {size} configurations" if size else ""))
    for line in loaded.space.describe().splitlines():
        print(f"    {line}")
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
    limits = [f"{budget.trials} trials"]
    limits += [f"{budget.wall_time_s:g} s in all"] if budget.wall_time_s else []
    limits += [f"{budget.trial_time_s:g} s a trial"] if budget.trial_time_s else []
    print(f"  budget     {', '.join(limits)}; {loaded.workers} at a time")
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
