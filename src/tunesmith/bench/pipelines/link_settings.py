"""The settings of the Link-and-Add tasks; apart, so that listing them does not import PyTorch."""

BUDGETS = (0.4, 0.75, 1.5, 3.0)
"""In costs of one sample of every stage's largest model."""
AGGREGATORS = ("majority", "check_then_vote")
"""Of totals; places are always voted on."""
