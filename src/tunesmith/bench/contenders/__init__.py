"""The contenders, by name.

random tpe gp cmaes hyperband      Optuna's samplers as they come
...+default                        the same, with the task's default as the first evaluation of its own
gp+default-no-startup              Optuna's GP from its second own evaluation on, without random ones
tunesmith, tunesmith-no-priors     ours without a language model, with and without priors
tunesmith-no-data                  ours without the data card of tasks that have one
tunesmith:names-wrong              every prior card moved by 3 standard deviations
tunesmith:names-shuffled           every parameter under its neighbour's name
tunesmith:worst-default            started from the worst of 8 corners instead of the default
module:factory, module:factory+default    any Optuna sampler: a class, or a function of `seed`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import Evaluator, Trace
from tunesmith.errors import UsageError
from tunesmith.text.suggestions import perhaps

DEFAULTED = "+default"
NAMES = (
    "tunesmith",
    "tunesmith-no-priors",
    "tunesmith-no-data",
    "tunesmith:names-wrong",
    "tunesmith:names-shuffled",
    "tunesmith:worst-default",
    "gp+default",
    "gp+default-no-startup",
    "gp",
    "tpe+default",
    "tpe",
    "cmaes+default",
    "cmaes",
    "hyperband+default",
    "hyperband",
    "random+default",
    "random",
)


@dataclass(frozen=True)
class Contender:
    """An optimiser that takes part.

    Attributes:
        name: As on the command line; stored runs are found by it.
        version: Changes when its code does, so that runs of two builds are never mixed.
        reads_words: Whether it reads the task's words, so that other words make other runs.
        run: Runs it once: task, seed, evaluations, evaluator.
        needs_fidelities: Whether it takes part only where tasks can be evaluated in part.
        missing: Which package it needs that is not installed, and the extra to install; empty if none.
    """

    name: str
    version: str
    reads_words: bool
    run: Callable[[BenchTask, int, int, Evaluator], Trace]
    needs_fidelities: bool = False
    missing: str = ""


def contender(name: str) -> Contender:
    """The contender of that name; the optimiser itself is loaded when it runs.

    Raises:
        UsageError: There is none.
    """
    if name in NAMES and name.startswith("tunesmith"):
        from tunesmith.bench.contenders import ours

        return ours.contender(name)
    if name in NAMES or ":" in name:
        from tunesmith.bench.contenders import optuna_side

        return optuna_side.contender(name)
    raise UsageError(
        f"there is no contender {name!r}{perhaps(name, NAMES)}; there are {', '.join(NAMES)}, and any Optuna "
        f"sampler as "
        f"`module:factory`, with `{DEFAULTED}` if it should start from the default."
    )
