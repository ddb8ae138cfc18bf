"""What a run may spend, and what it has spent. Checked before every launch and every model call."""

from __future__ import annotations

from pydantic import Field

from tunesmith.trial import Frozen

COST_ROUNDING = 1e-9
"""Relative; by how much rounding may let the costs of trials go beyond their budget."""


class ModelCaps(Frozen):
    """Hard caps on language-model use; None means no cap of that kind."""

    calls: int | None = Field(default=60, ge=0)
    tokens: int | None = Field(default=300_000, ge=0)
    dollars: float | None = Field(default=2.0, ge=0)


class ConversationCaps(ModelCaps):
    """Caps on what questions and instructions of people may cost, apart from those of the search."""

    calls: int | None = Field(default=100, ge=0)
    tokens: int | None = Field(default=600_000, ge=0)
    dollars: float | None = Field(default=1.0, ge=0)


class Budget(Frozen):
    """The caps of one run."""

    trials: int = Field(default=30, ge=1)
    """Trials to start in all, failed ones included."""
    wall_time_s: float | None = Field(default=None, gt=0)
    """Seconds of running, summed over resumptions; None means no limit."""
    trial_time_s: float | None = Field(default=None, gt=0)
    """Seconds one trial may take before it is killed; None means no limit."""
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """What all trials may cost together, in units of the problem (`Task.cost_of`); None means no limit."""
    target: float | None = Field(default=None, allow_inf_nan=False)
    """Value of the metric at which the search is over; None for none."""
    patience: int | None = Field(default=None, ge=1)
    """Trials without improvement after which the search is over; None: it never is for that."""
    model: ModelCaps = ModelCaps()
    """Of the search."""
    conversation: ConversationCaps = ConversationCaps()

    def cost_left(self, spent: float) -> float | None:
        """What the next trial may cost at most after `spent`; None: there is no limit.

        A little more than the difference, so that ten trials of 0.1 fit a budget of 1.
        """
        return None if self.cost is None else max(self.cost * (1 + COST_ROUNDING) - spent, 0.0)


class ModelSpend(Frozen):
    """What the language model has cost so far."""

    calls: int = 0
    """Attempts sent, failed and retried ones included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float | None = 0.0
    """None once a model whose price is unknown was used: unknown, never free."""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Spend(Frozen):
    """What one run has spent."""

    trials: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    """In units of the problem; 0 where no cost is stated."""
    model: ModelSpend = ModelSpend()

    def exhausted(self, budget: Budget) -> str | None:
        """Why no further trial may start, or None while one may."""
        if self.trials >= budget.trials:
            return f"the budget of {budget.trials} trials is used"
        if budget.wall_time_s is not None and self.seconds >= budget.wall_time_s:
            return f"the time budget of {budget.wall_time_s:g} s is used"
        if budget.cost is not None and self.cost >= budget.cost:
            return f"the cost budget of {budget.cost:g} is used"
        return None
