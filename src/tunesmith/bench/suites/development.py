"""scikit-learn families that the tuner's constants and the data-dependent priors were chosen on.

Figures here are optimistic for that reason; a change of the tuner is judged on `held_out`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import Family, estimator, log, prepare, tasks_of
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.space import Bool, Categorical, Float, Int
from tunesmith.space.parameter import Parameter
from tunesmith.trial import Value

LIMIT = 20_000
"""Iterations of a support vector machine: an unscaled one may never converge."""
Ranges = dict[str, tuple[Parameter, Value]]
TREE: Ranges = {
    "max_depth": (Int(1, 20), 20),
    "max_features": (log(0.02, 1), 1.0),
    "min_impurity_decrease": (Float(0, 0.3), 0.0),
    "min_samples_leaf": (log(0.005, 0.4), 0.005),
    "min_samples_split": (log(0.01, 0.9), 0.01),
    "ccp_alpha": (log(1e-5, 0.3), 1e-5),
}
NET: Ranges = {
    "hidden_layer_sizes": (Int(4, 100), 100),
    "alpha": (log(1e-6, 10), 1e-4),
    "batch_size": (Int(4, 128), 128),
    "learning_rate_init": (log(1e-5, 1), 1e-3),
    "power_t": (Float(0.05, 0.95), 0.5),
    "momentum": (Float(0.0, 0.999), 0.9),
}
BOOSTING: Ranges = {
    "learning_rate": (log(1e-3, 1), 0.1),
    "n_estimators": (Int(3, 40, "log"), 40),
    "max_depth": (Int(1, 8), 3),
    "subsample": (Float(0.1, 1), 1.0),
    "min_samples_leaf": (Int(1, 50, "log"), 1),
    "max_features": (Float(0.1, 1), 1.0),
}
SGD: Ranges = {
    "alpha": (log(1e-7, 1), 1e-4),
    "eta0": (log(1e-5, 10), 0.01),
    "power_t": (Float(0.05, 1), 0.5),
    "penalty": (Categorical(["l2", "l1", "elasticnet"]), "l2"),
    "learning_rate": (Categorical(["constant", "optimal", "invscaling", "adaptive"]), "optimal"),
}


def net(name: str, activation: str) -> Any:
    make = estimator(
        f"neural_network:{name}",
        activation=activation,
        solver="sgd",
        learning_rate="invscaling",
        max_iter=12,
        random_state=0,
    )

    def one_layer(c: Values) -> Any:
        layers: Any = (c["hidden_layer_sizes"],)
        return make({**c, "hidden_layer_sizes": layers})

    return one_layer


SVC = estimator("svm:SVC", max_iter=LIMIT)
FAMILIES = (
    Family(
        "svc",
        "SVC with an RBF kernel",
        SVC,
        ("cls", "clsraw", "clsunit"),
        {"C": (log(1e-2, 1e4), 1.0), "gamma": (log(1e-6, 10), 1 / 12), "tol": (log(1e-5, 0.1), 1e-3)},
    ),
    Family(
        "svc_narrow",
        "SVC with an RBF kernel",
        SVC,
        ("binraw", "bin"),
        {"C": (log(1, 1e4), 1.0), "gamma": (log(1e-5, 1e-2), 1e-2), "tol": (log(1e-5, 0.1), 1e-3)},
    ),
    Family(
        "svr",
        "SVR with an RBF kernel",
        estimator("svm:SVR", max_iter=LIMIT),
        ("reg", "regraw"),
        {"C": (log(1e-2, 1e3), 1.0), "gamma": (log(1e-5, 10), 1 / 8), "epsilon": (log(1e-3, 1), 0.1)},
    ),
    Family(
        "net",
        "MLPClassifier, a small neural network (solver sgd)",
        net("MLPClassifier", "relu"),
        ("cls", "clsraw", "bin", "binraw", "clsunit"),
        NET,
    ),
    Family(
        "net_regressor",
        "MLPRegressor, a small neural network (solver sgd)",
        net("MLPRegressor", "tanh"),
        ("reg", "regraw"),
        NET,
    ),
    Family(
        "tree",
        "DecisionTreeClassifier",
        estimator("tree:DecisionTreeClassifier", random_state=0),
        ("cls", "binraw"),
        TREE,
    ),
    Family(
        "tree_regressor",
        "DecisionTreeRegressor",
        estimator("tree:DecisionTreeRegressor", random_state=0),
        ("reg",),
        TREE,
    ),
    Family(
        "extra_trees",
        "ExtraTreesClassifier with 10 trees",
        estimator("ensemble:ExtraTreesClassifier", n_estimators=10, random_state=0),
        ("cls",),
        {**TREE, "bootstrap": (Bool(), False)},
    ),
    Family(
        "boosting",
        "gradient boosting classifier",
        estimator("ensemble:GradientBoostingClassifier", random_state=0),
        ("bin",),
        BOOSTING,
    ),
    Family(
        "logistic",
        "LogisticRegression",
        estimator("linear_model:LogisticRegression", max_iter=60),
        ("clsraw", "cls"),
        {"C": (log(1e-5, 1e4), 1.0), "tol": (log(1e-6, 0.1), 1e-4)},
    ),
    Family(
        "elastic_net",
        "ElasticNet linear regression",
        estimator("linear_model:ElasticNet"),
        ("lin",),
        {"alpha": (log(1e-5, 10), 1.0), "l1_ratio": (Float(0, 1), 0.5)},
    ),
    Family(
        "sgd",
        "SGDClassifier, a linear model",
        estimator("linear_model:SGDClassifier", max_iter=20, tol=None, random_state=0),
        ("cls", "clsraw"),
        SGD,
    ),
    Family(
        "neighbours",
        "k-nearest neighbours classifier",
        estimator("neighbors:KNeighborsClassifier"),
        ("cls",),
        {
            "n_neighbors": (Int(1, 80, "log"), 5),
            "p": (Float(1, 6), 2.0),
            "weights": (Categorical(["uniform", "distance"]), "uniform"),
        },
    ),
    Family(
        "kernel_ridge",
        "kernel ridge regression with an RBF kernel",
        estimator("kernel_ridge:KernelRidge", kernel="rbf"),
        ("reg", "regraw"),
        {"alpha": (log(1e-6, 1e2), 1.0), "gamma": (log(1e-6, 10), 1 / 8)},
    ),
)


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tasks_of(FAMILIES, first_seed=0)


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
