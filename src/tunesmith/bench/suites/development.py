"""scikit-learn families that the tuner's constants and the data-dependent priors were chosen on.

Figures here are optimistic for that reason; `held_out` is where a change has to prove itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import log, prepare, task
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.space import Bool, Categorical, Float, Int
from tunesmith.space.parameter import Parameter

LIMIT = 20_000
"""Iterations of a support vector machine: an unscaled one may never converge."""
SVC: dict[str, Parameter] = {"C": log(1e-2, 1e4), "gamma": log(1e-6, 10), "tol": log(1e-5, 0.1)}
NARROW: dict[str, Parameter] = {"C": log(1, 1e4), "gamma": log(1e-5, 1e-2), "tol": log(1e-5, 0.1)}
SVR: dict[str, Parameter] = {"C": log(1e-2, 1e3), "gamma": log(1e-5, 10), "epsilon": log(1e-3, 1)}
TREE: dict[str, Parameter] = {
    "max_depth": Int(1, 20),
    "max_features": log(0.02, 1),
    "min_impurity_decrease": Float(0, 0.3),
    "min_samples_leaf": log(0.005, 0.4),
    "min_samples_split": log(0.01, 0.9),
    "ccp_alpha": log(1e-5, 0.3),
}
TREE_DEFAULT: dict[str, Any] = {
    "max_depth": 20,
    "max_features": 1.0,
    "min_impurity_decrease": 0.0,
    "min_samples_leaf": 0.005,
    "min_samples_split": 0.01,
    "ccp_alpha": 1e-5,
}
NET: dict[str, Parameter] = {
    "hidden_layer_sizes": Int(4, 100),
    "alpha": log(1e-6, 10),
    "batch_size": Int(4, 128),
    "learning_rate_init": log(1e-5, 1),
    "power_t": Float(0.05, 0.95),
    "momentum": Float(0.0, 0.999),
}
NET_DEFAULT: dict[str, Any] = {
    "hidden_layer_sizes": 100,
    "alpha": 1e-4,
    "batch_size": 128,
    "learning_rate_init": 1e-3,
    "power_t": 0.5,
    "momentum": 0.9,
}
BOOSTING: dict[str, Parameter] = {
    "learning_rate": log(1e-3, 1),
    "n_estimators": Int(3, 40, "log"),
    "max_depth": Int(1, 8),
    "subsample": Float(0.1, 1),
    "min_samples_leaf": Int(1, 50, "log"),
    "max_features": Float(0.1, 1),
}
BOOSTING_DEFAULT: dict[str, Any] = {
    "learning_rate": 0.1,
    "n_estimators": 40,
    "max_depth": 3,
    "subsample": 1.0,
    "min_samples_leaf": 1,
    "max_features": 1.0,
}
SGD: dict[str, Parameter] = {
    "alpha": log(1e-7, 1),
    "eta0": log(1e-5, 10),
    "power_t": Float(0.05, 1),
    "penalty": Categorical(["l2", "l1", "elasticnet"]),
    "learning_rate": Categorical(["constant", "optimal", "invscaling", "adaptive"]),
}
SGD_DEFAULT: dict[str, Any] = {
    "alpha": 1e-4,
    "eta0": 0.01,
    "power_t": 0.5,
    "penalty": "l2",
    "learning_rate": "optimal",
}


def svc(c: Values) -> Any:
    from sklearn.svm import SVC as Model

    return Model(max_iter=LIMIT, **c)


def svr(c: Values) -> Any:
    from sklearn.svm import SVR as Model

    return Model(max_iter=LIMIT, **c)


def net(c: Values) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(**_net(c), activation="relu")


def net_regressor(c: Values) -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(**_net(c), activation="tanh")


def _net(c: Values) -> dict[str, Any]:
    given = {**c, "hidden_layer_sizes": (c["hidden_layer_sizes"],)}
    return {**given, "solver": "sgd", "learning_rate": "invscaling", "max_iter": 12, "random_state": 0}


def tree(c: Values) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0, **c)


def tree_regressor(c: Values) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(random_state=0, **c)


def extra_trees(c: Values) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_estimators=10, random_state=0, **c)


def boosting(c: Values) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(random_state=0, **c)


def logistic(c: Values) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=60, **c)


def elastic_net(c: Values) -> Any:
    from sklearn.linear_model import ElasticNet

    return ElasticNet(**c)


def sgd(c: Values) -> Any:
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(max_iter=20, tol=None, random_state=0, **c)


def neighbours(c: Values) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(**c)


def kernel_ridge(c: Values) -> Any:
    from sklearn.kernel_ridge import KernelRidge

    return KernelRidge(kernel="rbf", **c)


@cache
def tasks() -> tuple[BenchTask, ...]:
    found: list[BenchTask] = []

    def add(kinds: tuple[str, ...], *rest: Any) -> None:
        name, parameters, default, words, model = rest
        for kind in kinds:
            found.append(task(name, parameters, default, words, model, kind, len(found)))

    one, tol = {"C": 1.0}, {"tol": 1e-3}
    rbf = "SVC with an RBF kernel"
    add(("cls", "clsraw", "clsunit"), "svc", SVC, {**one, "gamma": 1 / 12, **tol}, rbf, svc)
    add(("binraw", "bin"), "svc_narrow", NARROW, {**one, "gamma": 1e-2, **tol}, rbf, svc)
    add(("reg", "regraw"), "svr", SVR, {**one, "gamma": 1 / 8, "epsilon": 0.1}, "SVR with an RBF kernel", svr)
    words = "MLPClassifier, a small neural network (solver sgd)"
    add(("cls", "clsraw", "bin", "binraw", "clsunit"), "net", NET, NET_DEFAULT, words, net)
    words = "MLPRegressor, a small neural network (solver sgd)"
    add(("reg", "regraw"), "net_regressor", NET, NET_DEFAULT, words, net_regressor)
    add(("cls", "binraw"), "tree", TREE, TREE_DEFAULT, "DecisionTreeClassifier", tree)
    add(("reg",), "tree_regressor", TREE, TREE_DEFAULT, "DecisionTreeRegressor", tree_regressor)
    words, more = "ExtraTreesClassifier with 10 trees", {**TREE_DEFAULT, "bootstrap": False}
    add(("cls",), "extra_trees", {**TREE, "bootstrap": Bool()}, more, words, extra_trees)
    add(("bin",), "boosting", BOOSTING, BOOSTING_DEFAULT, "gradient boosting classifier", boosting)
    default = {"C": 1.0, "tol": 1e-4}
    space: dict[str, Parameter] = {"C": log(1e-5, 1e4), "tol": log(1e-6, 0.1)}
    add(("clsraw", "cls"), "logistic", space, default, "LogisticRegression", logistic)
    space, default = {"alpha": log(1e-5, 10), "l1_ratio": Float(0, 1)}, {"alpha": 1.0, "l1_ratio": 0.5}
    add(("lin",), "elastic_net", space, default, "ElasticNet linear regression", elastic_net)
    add(("cls", "clsraw"), "sgd", SGD, SGD_DEFAULT, "SGDClassifier, a linear model", sgd)
    space = {
        "n_neighbors": Int(1, 80, "log"),
        "p": Float(1, 6),
        "weights": Categorical(["uniform", "distance"]),
    }
    near = {"n_neighbors": 5, "p": 2.0, "weights": "uniform"}
    add(("cls",), "neighbours", space, near, "k-nearest neighbours classifier", neighbours)
    words, default = "kernel ridge regression with an RBF kernel", {"alpha": 1.0, "gamma": 1 / 8}
    space = {"alpha": log(1e-6, 1e2), "gamma": log(1e-6, 10)}
    add(("reg", "regraw"), "kernel_ridge", space, default, words, kernel_ridge)
    return tuple(found)


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
    needs=("sklearn",),
    prepare=prepare,
)
