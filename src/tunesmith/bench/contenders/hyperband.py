"""Hyperband (Li et al., JMLR 2018), Optuna's, with TPE: many short trainings, few whole ones.

It may use as many steps (epochs) as the others use for their whole evaluations. After each such share of
steps it is judged by the best whole training it has finished by then, as the others are; what it
has from partial ones does not count, because those models are not the result of a search.
"""

from __future__ import annotations

import math
import time
import warnings
from math import ceil

from tunesmith.bench.contenders.base import DEFAULTED, Contender
from tunesmith.bench.contenders.optuna_side import first_ones, optuna_version, suggest
from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import NAN, Trace
from tunesmith.text.cleaning import error_line

REDUCTION = 3


def contender(name: str) -> Contender:
    """See `contenders.contender`; the evaluator is not used, because trainings are partial."""
    defaulted = name.endswith(DEFAULTED)
    return Contender(
        name,
        optuna_version(),
        reads_words=False,
        run=lambda task, seed, evaluations, evaluate: run(task, seed, evaluations, defaulted),
        needs_fidelities=True,
    )


def run(task: BenchTask, seed: int, evaluations: int, defaulted: bool) -> Trace:
    """One run; its values are those of whole trainings, in the share of steps in which each ended."""
    import optuna

    assert task.fidelities is not None
    steps, total = task.fidelities.steps, evaluations * task.fidelities.steps
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(
            study_name=f"seed {seed}",  # brackets are dealt out by a hash of this name
            direction=task.direction,
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.HyperbandPruner(
                min_resource=1, max_resource=steps, reduction_factor=REDUCTION
            ),
        )
    better = max if task.direction == "maximize" else min
    for configuration in first_ones(task, seed, defaulted):
        study.enqueue_trial(dict(configuration))
    values, spent, proposals, fault = [NAN] * evaluations, 0, 0, ""
    evaluation_s = proposal_s = 0.0
    distributions = task.space.to_distributions()
    while spent < total:
        began = time.process_time()
        trial = study.ask()
        configuration = suggest(trial, task.space, distributions)
        proposal_s += time.process_time() - began
        proposals += 1
        began, state = task.clock(), optuna.trial.TrialState.PRUNED
        value = NAN
        try:
            if task.space.problems(configuration):
                raise ValueError("a constraint of the space does not hold")
            for step, value in enumerate(task.fidelities.curve(configuration), start=1):
                spent += 1
                if not math.isfinite(value):
                    state = optuna.trial.TrialState.FAIL
                    break
                trial.report(value, step)
                if step == steps:
                    state = optuna.trial.TrialState.COMPLETE
                if step == steps or spent >= total or trial.should_prune():
                    break
        except Exception as error:  # noqa: BLE001 - whatever an objective raises is a failed evaluation
            spent += 1  # so that a task that always fails ends
            state = optuna.trial.TrialState.FAIL
            fault = fault or error_line(error, 300)
        evaluation_s += task.clock() - began
        began = time.process_time()
        if state is optuna.trial.TrialState.COMPLETE:
            study.tell(trial, value)
            slot = min(ceil(spent / steps), evaluations) - 1
            values[slot] = value if math.isnan(values[slot]) else better(values[slot], value)
        else:
            study.tell(trial, state=state)
        proposal_s += time.process_time() - began
    return Trace(tuple(values), evaluation_s, proposal_s, proposals, fault)
