"""The end of a run on the terminal: the best configuration, the comparison, and where the files are."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tunesmith.goal_words import measured, primary, table
from tunesmith.stopping import why_over
from tunesmith.text.literal import literal
from tunesmith.tools.analysis.limits import limit_costs, none_feasible, together_text
from tunesmith.tools.analysis.pareto import front_text
from tunesmith.tools.records.trial_folder import newest_checkpoint

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.api import Result
    from tunesmith.history import History
    from tunesmith.task import Task
    from tunesmith.trial import Trial

FRONT_ROWS = 10
"""Trials of the Pareto front that are shown."""
WIDTH = 80


def print_outcome(result: Result, console: Console, *, task: Task, argv: Sequence[str]) -> None:
    """Print the end of a run.

    Args:
        task: The task as it was run; a run that ended by its budget continues with a larger one.
        argv: This very command, to print how the run continues.
    """
    history, best = result.history, result.best_trial
    space = history.space

    def line(text: str = "", style: str = "") -> None:
        console.print(Text(literal(text), style=style))

    line()
    if result.status == "stopped":
        line(f"Stopped: {result.reason}.", "yellow")
    elif result.status == "failed":
        line(f"Failed: {result.reason}.", "bold red")
    else:
        line(f"Finished: {result.reason}.")
    if result.health and best is not None:
        line()
        line("To be asked first:", "yellow")
        for text in result.health:
            line(f"  {text}", "yellow")
    if best is not None and best.value is not None:
        line()
        found = result.recommendation
        if found is None or not found.differs:
            shown = f"{history.metric} {primary(history.goals, best.value)} in the search"
            feasible = "Best feasible" if history.limits else "Best"
            line(f"{feasible} configuration (trial {best.number}, {shown})", "bold")
        else:
            line(f"Recommended configuration (trial {found.trial})", "bold")
        for name, value in (result.recommended or best.configuration).items():
            line(f"  {name}: {space.format_value(name, value)}")
        if found is not None and (found.differs or found.spread is not None):
            text = found.text(history)
            line(f"  {text[:1].upper()}{text[1:]}.")
        for text in _further(history, best):
            line(text)
    elif result.closest is not None:
        line()
        if none_feasible(history) not in result.reason:  # a finished search says so in its reason
            line(f"{none_feasible(history)}.", "yellow")
            line()
        line(f"Closest configuration (trial {result.closest.number}, which is not feasible)", "bold")
        for name, value in result.closest.configuration.items():
            line(f"  {name}: {space.format_value(name, value)}")
        line(f"  {_metrics(history, result.closest)}")
        line("Loosen the limit in the task or give it more trials; the same command continues.")
    else:
        failed = next((t for t in reversed(history.failures) if t.traceback or t.message), None)
        if failed is not None:
            line(f"Trial {failed.number} ({failed.state.value}): {failed.message}", "red")
            for text in failed.traceback.splitlines()[-12:]:
                line(f"  {text}", "dim")
    if result.certificate is not None:
        line()
        style = "bold yellow" if result.certificate.certified is None else "bold"
        line(result.certificate.sentence, style)
    if result.verdict:
        line()
        line(result.verdict, "bold")
    line()
    if result.report is not None:
        line(f"Report      {_relative(result.report)}  (report.html and report.json beside it)")
    if result.study:
        study = Path(result.study)
        line(f"Study       {result.study if '://' in result.study else _relative(study)}")
    number = best and (best.number if result.recommendation is None else result.recommendation.trial)
    checkpoint = newest_checkpoint(result.folder / "trials" / f"{number:05d}") if best else None
    if checkpoint:
        line(f"Checkpoint  {_relative(checkpoint)}")
    line(f"Look at it  {program(argv[0])} chat {shlex.quote(_relative(result.folder))}")
    if result.status == "stopped":
        # What --fresh made is the newest run, which the command without it goes on with.
        again = shlex.join(argument for argument in argv[1:] if argument != "--fresh")
        line(f"Continue    {program(argv[0])} {again}")
    elif result.status == "finished":
        line(f"More        {_more(result, task)}--fresh starts anew")


def _metrics(history: History, trial: Trial) -> str:
    return ", ".join(each.text for each in measured(history.goals, trial.values))


def _further(history: History, best: Trial) -> list[str]:
    """The best trial's metrics, the Pareto front and what limits cost; nothing with one metric alone."""
    if history.goals.plain:
        return []
    lines = [f"  Trial {best.number} has {_metrics(history, best)}."]
    if history.others:
        front = [(t.number, t.values, history.space.format(t.configuration)) for t in history.front]
        found = front_text(history)
        lines += ["", found]
        rows = table(history.goals, front, width=WIDTH - 2, most=FRONT_ROWS)
        lines += [f"  {row}" for row in rows]
    told = [*(cost.text for cost in limit_costs(history)), together_text(history)]
    costs = [f"  {text}" for text in told if text]
    return lines + (["", "What the limits cost, by the trials that were run", *costs] if costs else [])


def _more(result: Result, task: Task) -> str:
    """How a run that has ended goes on; empty where it ended by a decision."""
    if result.spend.trials >= task.budget.trials:
        return "the same command with a larger --trials continues; "
    limit = task.budget.wall_time_s
    if limit is not None and result.spend.seconds >= limit:
        return "the same command continues once `budget.wall_time` is raised in the task; "
    if why_over(result.history, task.budget, task.noise) is not None:
        return "the same command continues once `budget.target` or `patience` is changed in the task; "
    cheapest = min((t.cost for t in result.history if t.cost is not None), default=0.0)
    if task.budget.cost is not None and result.history.cost + cheapest > task.budget.cost:
        return "the same command continues once `budget.cost` is raised in the task; "
    return ""


def program(called_as: str) -> str:
    """How to call this program: its name where that is on PATH, else its path."""
    path = Path(called_as)
    if path.name != "tunesmith" or shutil.which("tunesmith") == str(path.absolute()):
        return "tunesmith"
    return shlex.quote(_relative(path))


def _relative(path: Path) -> str:
    """A path relative to the current folder where it is below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
