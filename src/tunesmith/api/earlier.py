"""Whether a run is continued, and what a decision of an earlier session still says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.budget import Spend
from tunesmith.events import Decided, Event, RunFinished, RunStarted, TrialStarted
from tunesmith.history import History
from tunesmith.interfaces import Decision
from tunesmith.recommendation import by_best_value
from tunesmith.stopping import why_over
from tunesmith.task import Task
from tunesmith.tools.engine.cost_budget import CostBudget
from tunesmith.tools.records.certificate_file import certificate_due
from tunesmith.tools.records.log_reading import last_ending, latest_recommendation, recommended
from tunesmith.tools.report.comparison import comparison_due


def nothing_left(
    before: Sequence[Event], used: Spend, task: Task, history: History, *, new_space: bool = False
) -> str | None:
    """Why there is nothing to continue, or None. A larger budget lets a finished run continue.

    Args:
        new_space: Whether the search space was changed since: whatever ended the run was about another one.
    """
    last = last_ending(before)
    if last is None or last.status != "finished":
        return None
    over = why_over(history, task.budget, task.noise)
    if over is not None:
        return over
    if _more_trials(last, task):
        return None
    if new_space and used.exhausted(task.budget) is None:
        return None
    if last.budget_cost is not None and task.budget.cost is not None:
        # Nothing new could be paid for then; what a trial costs, and the budget, may be other ones now.
        costs = CostBudget(task)
        if (used_up := used.exhausted(task.budget)) is not None or costs.instead(history):
            return used_up
        return costs.why_over(history) or last.reason
    if last.by_budget and used.exhausted(task.budget) is None:
        return None
    return last.reason


def end_is_stale(before: Sequence[Event], used: Spend, task: Task, history: History, run: Path) -> bool:
    """Whether what a finished run says at its end is not about its task of now, and can be said anew.

    The search space, the limits or the default may have been changed since, or a comparison asked for.

    Args:
        run: The run's folder.
    """
    if not history.completed:
        return False
    if why_over(history, task.budget, task.noise) is None and used.exhausted(task.budget) is None:
        return False  # it ended by a decision: a session would go on searching
    last = last_ending(before)
    if last is not None and last.infeasible != (by_best_value(history) is None):
        return True  # none was feasible, or by now none is, whatever was compared
    if by_best_value(history) is None:
        return False
    found, latest = recommended(before, history), latest_recommendation(before)
    if certificate_due(run, task):
        return True
    return (found is None and latest is not None) or comparison_due(run, task, history, found)


def earlier_python(before: Sequence[Event]) -> str:
    """The Python that trials of the latest earlier session ran in; empty where none is known."""
    last = next((event.python for event in reversed(before) if isinstance(event, RunStarted)), "")
    return last.partition(": ")[0]


def standing_plan(before: Sequence[Event], task: Task) -> Decision | None:
    """What the last decision of the earlier sessions still says; None where there was none.

    A decision to end the search, made before the comparison was interrupted, still applies. Of any other the
    candidates go on competing; what it launched is queued no more, or has run.
    """
    decision = next((event.decision for event in reversed(before) if isinstance(event, Decided)), None)
    if decision is None:
        return None
    last = last_ending(before)
    over = last is not None and (last.status == "finished" or _more_trials(last, task))
    later = next((e for e in reversed(before) if isinstance(e, Decided | TrialStarted)), None)
    if decision.stop is not None and not over and isinstance(later, Decided):
        return decision
    return decision.model_copy(update={"launch": (), "stop": None})


def _more_trials(ending: RunFinished, task: Task) -> bool:
    return ending.budget_trials is not None and task.budget.trials > ending.budget_trials
