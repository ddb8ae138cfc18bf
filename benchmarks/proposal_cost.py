"""What choosing a configuration costs at 10 to 3000 trials of history: CPU seconds, one thread, 6 parameters.

.venv/bin/python -P benchmarks/proposal_cost.py     # prints, and writes benchmarks/results/proposal_cost.json

Without the surrogate is RandomStrategy; with it, GaussianProcessStrategy with and without priors. `resumed`
is the first proposal of a new process (refits a prefix, encodes everything); `next` are those after each
further trial. `sampler` is a whole `study.ask` with TunesmithSampler over Optuna's in-memory storage. What a
trial costs beside the choice (files, study, events) is in control_cost.py.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from math import log10
from pathlib import Path

import numpy as np
import optuna

from tunesmith import TunesmithSampler
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState

SIZES = (10, 30, 100, 300, 1000, 3000)
REPEATS = 15
SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "weight_decay": Float(1e-6, 1e-1, scale="log"),
        "dropout": Float(0, 0.6),
        "batch_size": Int(8, 256, scale="log"),
        "layers": Int(1, 6),
        "optimizer": Categorical(["adam", "adamw", "sgd"]),
    }
)
DEFAULT = SPACE.validate(
    {"lr": 1e-3, "weight_decay": 1e-4, "dropout": 0.1, "batch_size": 32, "layers": 2, "optimizer": "adam"}
)


def score(c: Configuration) -> float:
    loss = (log10(float(c["lr"])) + 2.6) ** 2 + (float(c["dropout"]) - 0.3) ** 2
    return 0.2 * (c["optimizer"] == "sgd") - loss


def trial(number: int, configuration: Configuration) -> Trial:
    proposal = Proposal(configuration=configuration, origin=Origin.USER, reason="")
    return Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=score(configuration))


def strategy_cost(strategy: Strategy, n: int) -> dict[str, float]:
    configurations = [DEFAULT, *SPACE.sample(np.random.default_rng(0), n + REPEATS)]
    trials = tuple(trial(i, c) for i, c in enumerate(configurations))
    history = History(SPACE, "score", "maximize", default=DEFAULT, trials=trials[:n])
    costs = []
    for i in range(REPEATS):
        began = time.process_time()
        strategy.propose(history, 1)
        costs.append(time.process_time() - began)
        history = history.with_trial(trials[n + i])
    return summary(costs[0], costs[1:])


def sampler_cost(n: int) -> dict[str, float]:
    sampler = TunesmithSampler(SPACE, seed=0, default=DEFAULT)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = SPACE.to_distributions()
    for c in [DEFAULT, *SPACE.sample(np.random.default_rng(0), n - 1)]:
        study.add_trial(optuna.create_trial(params=dict(c), distributions=distributions, value=score(c)))
    costs = []
    for _ in range(REPEATS):
        began = time.process_time()
        asked = study.ask(distributions)
        costs.append(time.process_time() - began)
        study.tell(asked, score(SPACE.validate(asked.params)))
    return summary(costs[0], costs[1:])


def summary(first: float, later: list[float]) -> dict[str, float]:
    return {
        "resumed_s": round(first, 4),
        "next_median_s": round(statistics.median(later), 4),
        "next_max_s": round(max(later), 4),
    }


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    strategy_cost(GaussianProcessStrategy(SPACE, 0, words="CNN"), 10)  # imports and caches, once a process
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for n in SIZES:
        rows[str(n)] = {
            "without surrogate": strategy_cost(RandomStrategy(SPACE, 0), n),
            "surrogate, no priors": strategy_cost(GaussianProcessStrategy(SPACE, 0, priors=False), n),
            "surrogate, priors": strategy_cost(GaussianProcessStrategy(SPACE, 0, words="CNN"), n),
            "sampler": sampler_cost(n),
        }
        for name, row in rows[str(n)].items():
            print(
                f"n={n:<5} {name:<22} next {row['next_median_s'] * 1e3:7.1f} ms"
                f"   resumed {row['resumed_s'] * 1e3:7.1f} ms"
            )
    result = {
        "command": "python -P benchmarks/proposal_cost.py",
        "unit": "CPU seconds per proposal, BLAS on one thread",
        "repeats": REPEATS,
        "seeds": [0],
        "goal": "at most 0.02 s without the surrogate, 0.03 s with it at 30 trials",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "proposal_cost.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
