from __future__ import annotations

from tunesmith.tools.analysis.task_text import task_text
from tunesmith.tools.toolbox.base import Turn


def describe_task(turn: Turn) -> str:
    """The task, its search space, metric and default configuration, and what is left of the budget."""
    own = f"Configurations of your own that you may launch now: {turn.toolbox.own_allowance()}."
    return f"{task_text(turn.briefing)}\n{own}"
