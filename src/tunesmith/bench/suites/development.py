"""scikit-learn families that the tuner's constants and the data-dependent priors were chosen on.

Figures here are optimistic for that reason; a change of the tuner is judged on `held_out`.
The families are in `bench/data/development.yaml`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import Model, estimator, prepare, tasks_of
from tunesmith.bench.task import BenchTask, Suite, Values

NET: dict[str, Any] = {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 12, "random_state": 0}


def net(name: str, activation: str) -> Model:
    """A network with one hidden layer."""
    make = estimator(f"neural_network:{name}", activation=activation, **NET)

    def one_layer(c: Values) -> Any:
        layers: Any = (c["hidden_layer_sizes"],)
        return make({**c, "hidden_layer_sizes": layers})

    return one_layer


MODELS = {"net": net("MLPClassifier", "relu"), "net_regressor": net("MLPRegressor", "tanh")}


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tasks_of("development.yaml", MODELS, first_seed=0)


SUITE = Suite(
    name="development",
    about=(
        "27 tasks of scikit-learn families on generated data, on which the tuner was developed: 5 shared "
        "random configurations, then each contender's own; regret against the best stored run, clipped"
    ),
    tasks=tasks,
    contenders=("tunesmith", "tunesmith-no-data", "tunesmith-no-priors", "gp+default", "random"),
    quick=("svc/cls", "net/cls", "tree/cls", "logistic/cls", "sgd/cls"),
    shown_family="2 parameters",
    prepare=prepare,
)
