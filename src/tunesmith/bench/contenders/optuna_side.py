"""Optuna's samplers as contenders: its own by short name, any other as `module:factory`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from tunesmith.bench.contenders.base import DEFAULTED, Contender
from tunesmith.bench.task import BenchTask, Values
from tunesmith.bench.trace import Evaluator, Measured, Steps, Trace, optimise
from tunesmith.errors import UsageError
from tunesmith.extras import missing_extra
from tunesmith.space import Space

SAMPLERS = {"random": "RandomSampler", "tpe": "TPESampler", "gp": "GPSampler", "cmaes": "CmaEsSampler"}
AT_ONCE = "gp+default-no-startup"
LEAST_STARTUP = 2
"""Evaluations before Optuna's GP is asked, where it is to start at once: one says nothing of differences."""


def contender(name: str) -> Contender:
    """See `contenders.contender`."""
    base = "gp" if name == AT_ONCE else name.removesuffix(DEFAULTED)
    defaulted = base != name
    own = base not in SAMPLERS
    version = _source_version(base) if own else optuna_version()
    missing = ""
    if base == "cmaes":
        missing = missing_extra("cmaes", f"the contender {name}")
        if not missing:
            version += f", cmaes {metadata.version('cmaes')}"

    def run_it(task: BenchTask, seed: int, evaluations: int, evaluate: Evaluator) -> Trace:
        first = first_ones(task, seed, defaulted)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental samplers, deprecated options
            if own:
                sampler = _factory(base)(seed=seed)
            else:
                sampler = _sampler(base, task, seed, first, defaulted, at_once=name == AT_ONCE)
            return optimise(OptunaSteps(task, sampler, first), len(first), evaluations, evaluate)

    return Contender(name, version, False, run_it, missing=missing)


def first_ones(task: BenchTask, seed: int, defaulted: bool) -> list[Values]:
    """The shared starting points, and the default after them where it is wanted and there is one."""
    first = list(task.initial(seed))
    if defaulted and task.default is not None:
        first.append(task.default)
    return first


class OptunaSteps(Steps):
    """Any Optuna sampler, define-by-run: conditional parameters are asked for only where they exist.

    Optuna knows no constraints between parameters: a configuration that breaks one counts as a failed
    evaluation (see `trace.Evaluator`). Limits on metrics are told as Optuna's own constraints.
    """

    def __init__(self, task: BenchTask, sampler: Any, first: Sequence[Values]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._space = optuna, task.space
        self._distributions = task.space.to_distributions()
        self._goals = task.goals
        directions = [goal.direction for goal in self._goals.objectives]
        self._study = optuna.create_study(directions=directions, sampler=sampler)
        for configuration in first:
            self._study.enqueue_trial(dict(configuration))
        self._trial: Any = None

    def ask(self) -> Values | None:
        self._trial = self._study.ask()
        return suggest(self._trial, self._space, self._distributions)

    def tell(self, measured: Measured) -> None:
        states = self._optuna.trial.TrialState
        if measured.ended.failed:
            self._study.tell(self._trial, state=states.FAIL)
            return
        for limit in self._goals.limits:
            self._trial.set_constraint(limit.text, limit.excess(measured.metrics[limit.metric]))
        self._study.tell(self._trial, [measured.metrics[goal.metric] for goal in self._goals.objectives])

    def winners(self) -> tuple[int, ...]:
        return tuple(trial.number for trial in self._study.best_trials)


def suggest(trial: Any, space: Space, distributions: Any) -> dict[str, Any]:
    """A configuration of Optuna's trial, by its public `suggest_...` methods, parents before children."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    values: dict[str, Any] = {}
    # In the space's own order where that will do: samplers draw in the order they are asked.
    for name in space.order if space.conditions else space.names:
        if not space.is_active(name, values):
            continue
        domain = distributions[name]
        if isinstance(domain, CategoricalDistribution):
            values[name] = trial.suggest_categorical(name, domain.choices)
            continue
        suggest_number = trial.suggest_float if isinstance(domain, FloatDistribution) else trial.suggest_int
        values[name] = suggest_number(name, domain.low, domain.high, step=domain.step, log=domain.log)
    return values


def _sampler(
    base: str, task: BenchTask, seed: int, first: Sequence[Values], defaulted: bool, *, at_once: bool
) -> Any:
    import optuna

    options: dict[str, Any] = {}
    if at_once:
        options["n_startup_trials"] = max(LEAST_STARTUP, len(first))
    if base == "cmaes" and defaulted and task.default is not None:
        x0 = _numbers(task)
        if x0:
            options["x0"] = x0
    return getattr(optuna.samplers, SAMPLERS[base])(seed=seed, **options)


def _numbers(task: BenchTask) -> dict[str, Any]:
    """The default's numbers as the mean that CMA-ES starts from.

    Those that do not exist in the default are at their lower bound: should it fail, Optuna asks for them.
    """
    from optuna.distributions import CategoricalDistribution

    known = task.default or {}
    return {
        name: known.get(name, distribution.low)  # type: ignore[attr-defined]
        for name, distribution in task.space.to_distributions().items()
        if not isinstance(distribution, CategoricalDistribution)
    }


def optuna_version() -> str:
    return f"optuna {metadata.version('optuna')}"


def _factory(reference: str) -> Any:
    module, _, name = reference.partition(":")
    _look_here()
    try:
        factory = getattr(import_module(module), name, None)
    except ImportError as error:
        raise UsageError(f"the contender {reference!r} cannot be imported: {error}") from error
    if not callable(factory):
        raise UsageError(f"{module} has no class or function {name!r}.")
    return factory


def _source_version(reference: str) -> str:
    """Stands for the code of `module:factory`: a digest of its file, and Optuna's version. It is not run.

    Raises:
        UsageError: There is no such module.
    """
    module, _, name = reference.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise UsageError(
            f"{reference!r} names no sampler; write `module:factory`, such as `my_sampler:Mine`."
        )
    _look_here()
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise UsageError(f"the contender {reference!r}: there is no module {module!r} here or installed.")
    digest = hashlib.blake2b(Path(spec.origin).read_bytes(), digest_size=4).hexdigest()
    return f"{digest}, {optuna_version()}"


def _look_here() -> None:
    """The current folder is a place to import from, last of all."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
