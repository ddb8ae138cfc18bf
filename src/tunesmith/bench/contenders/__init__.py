"""The contenders, by name.

random tpe gp cmaes hyperband      Optuna's samplers as they come
...+default                        the same, with the task's default as the first evaluation of its own
gp+default-no-startup              Optuna's GP from its second own evaluation on, without random ones
tunesmith, tunesmith-no-priors     ours without a language model, with and without priors
tunesmith-no-data                  ours without the data card of tasks that have one
tunesmith:names-wrong              every prior card moved by 3 standard deviations
tunesmith:names-shuffled           every parameter under its neighbour's name
tunesmith:worst-default            started from the worst of 8 corners instead of the default
openings:...                       ours started from a model's recorded answer (`bench/openings`)
module:factory, module:factory+default    any Optuna sampler: a class, or a function of `seed`
"""

from __future__ import annotations

from tunesmith.bench.contenders.base import DEFAULTED, Contender
from tunesmith.errors import UsageError
from tunesmith.text.suggestions import perhaps

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


def contender(name: str) -> Contender:
    """The contender of that name; the optimiser itself is loaded when it runs.

    Raises:
        UsageError: There is none.
    """
    if name in NAMES and name.startswith("tunesmith"):
        from tunesmith.bench.contenders import ours

        return ours.contender(name)
    if name.startswith("openings:"):
        from tunesmith.bench.openings import contender as opening

        return opening.contender(name)
    if name in NAMES and name.startswith("hyperband"):
        from tunesmith.bench.contenders import hyperband

        return hyperband.contender(name)
    if name in NAMES or ":" in name:
        from tunesmith.bench.contenders import optuna_side

        return optuna_side.contender(name)
    raise UsageError(
        f"there is no contender {name!r}{perhaps(name, NAMES)}; there are {', '.join(NAMES)}, and any Optuna "
        f"sampler as "
        f"`module:factory`, with `{DEFAULTED}` if it should start from the default."
    )
