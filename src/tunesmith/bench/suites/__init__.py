"""The suites, by name. Each is a file here that ends in `SUITE = Suite(...)`, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tunesmith.bench.task import Suite, SuiteOptions
from tunesmith.errors import UsageError
from tunesmith.text.suggestions import perhaps

SUITES = {
    "llambo20": "tunesmith.bench.suites.llambo20",
    "analytic": "tunesmith.bench.suites.analytic",
    "torch": "tunesmith.bench.suites.small_torch",
    "development": "tunesmith.bench.suites.development",
    "failures": "tunesmith.bench.suites.failures",
    "held-out": "tunesmith.bench.suites.held_out",
    "plateaus": "tunesmith.bench.suites.plateaus",
    "wide": "tunesmith.bench.suites.wide",
    "constrained": "tunesmith.bench.suites.constrained",
    "two-metric": "tunesmith.bench.suites.two_metric",
}
MADE = {"tables": "tunesmith.bench.suites.tables"}
"""Suites that are made for data the user has: `suite(options)` in their files, see `SuiteOptions`."""
OWN = "own"
"""Name of the suite of a user's own tasks."""


def open_suite(what: Sequence[str], options: SuiteOptions | None = None) -> Suite:
    """The suite that a command line names: one of ours by name, or task files.

    Raises:
        UsageError: There is no such suite or file, or a file is no task that can be run.
    """
    options = options or SuiteOptions()
    if len(what) == 1 and what[0] in MADE:
        made: Suite = import_module(MADE[what[0]]).suite(options)
        return made
    if options != SuiteOptions():
        raise UsageError(f"--path and what describes its data belong to {', '.join(MADE)}.")
    if len(what) == 1 and what[0] in SUITES:
        suite: Suite = import_module(SUITES[what[0]]).SUITE
        return suite
    for item in what:
        if Path(item).suffix.lower() not in (".yaml", ".yml"):
            names = (*SUITES, *MADE)
            known = ", ".join(names)
            raise UsageError(
                f"{item!r} is no suite{perhaps(item, names)}; there are {known}, or give task files (.yaml)."
            )
    from tunesmith.bench.suites.own import own_suite

    return own_suite([Path(item) for item in what])
