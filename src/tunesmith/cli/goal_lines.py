"""What `tunesmith check` says of metrics, limits and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.task import Task


def goal_lines(task: Task) -> list[str]:
    """A line for each metric, the primary one first, and one for each limit."""
    from tunesmith.goal_words import limit_text

    how = task.metric_spec.words() if task.metric_spec is not None else ""
    if task.goals.several:
        how = "; ".join(filter(None, ["the primary metric, which is shown and ends the search", how]))
    lines = [f"  metric     {task.direction} {task.metric}" + (f": {how}" if how else "")]
    for one in task.further:
        limited = any(limit.metric == one.name for limit in task.limits)
        aim = f"{one.direction} " if one.direction is not None else ""
        told = []
        if one.direction is None:
            told = ["measured for its limit" if limited else "not optimised, but every trial has to give it"]
        told += [words] if (words := one.spec.words()) else []
        lines.append(f"             {aim}{one.name}" + (f": {', '.join(told)}" if told else ""))
    for place, limit in enumerate(task.limits):
        named = [task.metric, *(one.name for one in task.further)]
        other = "" if limit.metric in named else ": a further metric that every trial gives"
        lines.append(f"  {'' if place else 'limits':<11}{limit_text(limit)}{other}")
    return lines


def kind_lines(task: Task) -> list[str]:
    """What the kind of problem says of the task; empty where it leaves that to the task's keys."""
    from tunesmith.task.costs import kind_of

    if task.problem is None:
        return []
    default = None if task.default is None else task.space.originals(task.default)
    told = list(kind_of(task.problem).summary(task.problem.settings, default))
    if not told:
        return []
    head = f"  {task.problem.name[:10]:<10} {told[0]}"
    return [head, *(f"    {line}" for line in told[1:]), "    its code and its data load"]


def cost_lines(task: Task) -> list[str]:
    """What a trial costs over the space, and how many trials the budget of costs pays for."""
    from tunesmith.task.costs import cost_range, paid_trials
    from tunesmith.text.numbers import counted

    costs = cost_range(task)
    if costs is None:
        return []
    kind = "" if task.problem is None else f"as {task.problem.name} says"
    head = f"  cost       {task.cost or kind}: {costs.least:.3g} to {costs.most:.3g} a trial"
    lines = [head + f", {costs.mean:.3g} on average" * (costs.most > costs.least)]
    if (paid := paid_trials(task)) is not None:
        many = f"{paid.least:,} to {counted(paid.most, 'trial')}" if paid.most > paid.least else ""
        usual = f", about {paid.usual:,} of average cost" if paid.usual < task.budget.trials else ""
        lines.append(
            f"             {task.budget.cost:g} pays for {many or counted(paid.most, 'trial')}"
            + (usual if many else "")
        )
    return lines


def goals_as_data(task: Task) -> dict[str, Any]:
    """For JSON, where the task has more than one metric to maximise or minimise."""
    from tunesmith.task.costs import cost_range

    data: dict[str, Any] = {}
    if len(task.readings) > 1 or task.limits:
        directions: dict[str, str | None] = {one.name: one.direction for one in task.further}
        directions[task.metric] = task.direction
        data["metrics"] = {name: directions.get(name) for name, _ in task.readings}
        data["limits"] = [limit.text for limit in task.limits]
    if (costs := cost_range(task)) is not None:
        data["cost"] = {"budget": task.budget.cost, **costs._asdict()}
    return data
