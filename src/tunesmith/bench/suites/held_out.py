"""Families of models that no constant and no prior of the tuner was chosen on: where it has to prove itself.

What these tasks say is read, never followed: a change of the tuner is developed elsewhere (`development`) and
scored here once. Half of the spaces have two parameters only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import log, prepare, task
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.space import Bool, Categorical, Float, Int
from tunesmith.space.parameter import Parameter


def ada_boost(c: Values) -> Any:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    return AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), random_state=0, **c)


def quadratic(c: Values) -> Any:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(**c)


def process(c: Values) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    return GaussianProcessRegressor(RBF(c["length_scale"]), alpha=c["alpha"], optimizer=None)


def huber(c: Values) -> Any:
    from sklearn.linear_model import HuberRegressor

    return HuberRegressor(max_iter=40, **c)


def spreading(c: Values) -> Any:
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading(kernel="rbf", max_iter=20, **c)


def projected(c: Values) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(PCA(c["n_components"], random_state=0), LogisticRegression(C=c["C"], max_iter=40))


def nystroem(c: Values) -> Any:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    features = Nystroem(gamma=c["gamma"], n_components=c["n_components"], random_state=0)
    return make_pipeline(features, Ridge(alpha=c["alpha"]))


def nu_svc(c: Values) -> Any:
    from sklearn.svm import NuSVC

    return NuSVC(max_iter=20_000, **c)


def bagging(c: Values) -> Any:
    from sklearn.ensemble import BaggingClassifier

    return BaggingClassifier(random_state=0, **c)


def histogram_boosting(c: Values) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=0, **c)


def splines(c: Values) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    return make_pipeline(SplineTransformer(n_knots=c["n_knots"], degree=c["degree"]), Ridge(alpha=c["alpha"]))


def perceptron(c: Values) -> Any:
    from sklearn.linear_model import Perceptron

    return Perceptron(max_iter=20, tol=None, random_state=0, **c)


def adam_net(c: Values) -> Any:
    from sklearn.neural_network import MLPClassifier

    rest = {k: v for k, v in c.items() if k != "hidden_units"}
    return MLPClassifier((c["hidden_units"],), max_iter=12, random_state=0, **rest)


@cache
def tasks() -> tuple[BenchTask, ...]:
    found: list[BenchTask] = []

    def add(kinds: tuple[str, ...], *rest: Any) -> None:
        name, parameters, default, words, model = rest
        for kind in kinds:
            found.append(task(name, parameters, default, words, model, kind, 100 + len(found)))

    space: dict[str, Parameter] = {"learning_rate": log(1e-3, 10), "n_estimators": Int(3, 20, "log")}
    default: dict[str, Any] = {"learning_rate": 1.0, "n_estimators": 20}
    add(("bin", "shells"), "adaboost", space, default, "AdaBoost of small trees", ada_boost)
    space, default = {"reg_param": log(1e-6, 1), "tol": log(1e-6, 1)}, {"reg_param": 1e-6, "tol": 1e-4}
    add(("cls", "binraw"), "qda", space, default, "quadratic discriminant analysis", quadratic)
    space = {"alpha": log(1e-6, 10), "length_scale": log(1e-2, 1e3)}
    default = {"alpha": 1e-6, "length_scale": 1.0}
    add(("reg", "circuit"), "process", space, default, "Gaussian process regression, RBF kernel", process)
    space, default = {"epsilon": Float(1.01, 5), "alpha": log(1e-6, 1e3)}, {"epsilon": 1.35, "alpha": 1e-4}
    add(("lin", "regraw"), "huber", space, default, "HuberRegressor, a robust linear model", huber)
    space, default = {"gamma": log(1e-4, 1e3), "alpha": Float(0.01, 0.99)}, {"gamma": 20.0, "alpha": 0.2}
    add(("moonsraw", "shells"), "spreading", space, default, "label spreading, RBF kernel", spreading)
    space, default = {"n_components": Int(1, 8), "C": log(1e-5, 1e4)}, {"n_components": 8, "C": 1.0}
    add(("clsunit", "binraw"), "pca_logistic", space, default, "PCA, then LogisticRegression", projected)
    space = {"gamma": log(1e-7, 10), "n_components": Int(5, 120, "log"), "alpha": log(1e-6, 1e2)}
    default = {"gamma": 0.1, "n_components": 100, "alpha": 1.0}
    words = "ridge regression on Nystroem features of an RBF kernel"
    add(("reg", "circuitraw"), "nystroem", space, default, words, nystroem)
    space = {"nu": Float(0.02, 0.6), "gamma": log(1e-6, 10), "tol": log(1e-5, 0.1)}
    default = {"nu": 0.5, "gamma": 0.1, "tol": 1e-3}
    add(("shells", "clsraw"), "nu_svc", space, default, "NuSVC with an RBF kernel", nu_svc)
    space = {
        "n_estimators": Int(2, 16),
        "max_samples": Float(0.05, 1),
        "max_features": Float(0.1, 1),
        "bootstrap": Bool(),
    }
    default = {"n_estimators": 10, "max_samples": 1.0, "max_features": 1.0, "bootstrap": True}
    add(("bin",), "bagging", space, default, "bagged decision trees", bagging)
    space = {
        "learning_rate": log(1e-3, 1),
        "max_iter": Int(2, 24, "log"),
        "max_leaf_nodes": Int(2, 64, "log"),
        "min_samples_leaf": Int(1, 60, "log"),
        "l2_regularization": log(1e-6, 100),
    }
    default = {
        "learning_rate": 0.1,
        "max_iter": 24,
        "max_leaf_nodes": 31,
        "min_samples_leaf": 20,
        "l2_regularization": 1e-6,
    }
    words = "HistGradientBoostingClassifier"
    add(("cls", "bin"), "histogram_boosting", space, default, words, histogram_boosting)
    space = {"n_knots": Int(2, 30, "log"), "degree": Int(1, 5), "alpha": log(1e-7, 1e3)}
    default = {"n_knots": 5, "degree": 3, "alpha": 1.0}
    add(("reg", "circuit"), "splines", space, default, "ridge regression on splines", splines)
    space = {
        "penalty": Categorical(["l1", "l2", "elasticnet"]),
        "alpha": log(1e-7, 1),
        "eta0": log(1e-4, 10),
        "l1_ratio": Float(0, 1),
    }
    default = {"penalty": "l2", "alpha": 1e-4, "eta0": 1.0, "l1_ratio": 0.15}
    words = "Perceptron, a linear model trained by SGD"
    add(("clsunit",), "perceptron", space, default, words, perceptron)
    space = {
        "learning_rate_init": log(1e-5, 1),
        "alpha": log(1e-7, 10),
        "batch_size": Int(4, 128, "log"),
        "hidden_units": Int(4, 100, "log"),
        "beta_1": Float(0.5, 0.99),
        "beta_2": Float(0.9, 0.9999),
    }
    default = {
        "learning_rate_init": 1e-3,
        "alpha": 1e-4,
        "batch_size": 128,
        "hidden_units": 100,
        "beta_1": 0.9,
        "beta_2": 0.999,
    }
    words = "MLPClassifier, a small neural network trained with Adam"
    add(("shells", "binraw"), "adam_net", space, default, words, adam_net)
    return tuple(found)


SUITE = Suite(
    name="held-out",
    about=(
        "24 tasks of 13 scikit-learn families on generated data, none used to develop the tuner: 5 shared "
        "random configurations, then each contender's own; regret against the best stored run, clipped"
    ),
    tasks=tasks,
    contenders=(
        "tunesmith",
        "tunesmith-no-data",
        "tunesmith-no-priors",
        "tunesmith:names-wrong",
        "tunesmith:names-shuffled",
        "gp+default",
        "gp+default-no-startup",
        "tpe+default",
        "random",
    ),
    quick=("adaboost/bin", "huber/lin", "nu_svc/shells", "histogram_boosting/cls", "adam_net/shells"),
    shown_family="2 parameters",
    needs=("sklearn",),
    prepare=prepare,
)
