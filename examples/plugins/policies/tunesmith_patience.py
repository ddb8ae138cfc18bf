"""A policy in a package of its own: ends the run when nothing better was found for some trials.

After `pip install .` here, a task file may say `policy: patience`.
"""

from tunesmith.agent.policy.base import PolicyMember
from tunesmith.interfaces import Briefing, Decision, Policy, Toolbox

PATIENCE = 4
"""Trials without a better one."""


class PatiencePolicy(Policy):
    """Leaves every choice to the method, and ends the run once it no longer improves."""

    name = "patience"

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        history = briefing.history
        since = len(history) - 1 - history.incumbent.number if history.incumbent else 0
        stop = f"nothing better in {since} trials" if since >= PATIENCE else None
        return Decision(reason=f"{since} trials since the best one.", stop=stop, wake_after=1)


POLICY = PolicyMember(
    summary=f"ends the run after {PATIENCE} trials without a better one",
    build=lambda context: PatiencePolicy(),
)
