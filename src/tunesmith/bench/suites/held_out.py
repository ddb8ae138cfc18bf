"""Families of models that no constant and no prior of the tuner was chosen on: a test set for the tuner.

A change of the tuner is developed on `development` and scored here once, so that nothing is chosen on
these figures. Half of the spaces have two parameters only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import Family, estimator, log, prepare, tasks_of
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.space import Bool, Categorical, Float, Int


def ada_boost(c: Values) -> Any:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    return AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), random_state=0, **c)


def process(c: Values) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    return GaussianProcessRegressor(RBF(c["length_scale"]), alpha=c["alpha"], optimizer=None)


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


def splines(c: Values) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    return make_pipeline(SplineTransformer(n_knots=c["n_knots"], degree=c["degree"]), Ridge(alpha=c["alpha"]))


def adam_net(c: Values) -> Any:
    from sklearn.neural_network import MLPClassifier

    rest = {k: v for k, v in c.items() if k != "hidden_units"}
    return MLPClassifier((c["hidden_units"],), max_iter=12, random_state=0, **rest)


FAMILIES = (
    Family(
        "adaboost",
        "AdaBoost of small trees",
        ada_boost,
        ("bin", "shells"),
        {"learning_rate": (log(1e-3, 10), 1.0), "n_estimators": (Int(3, 20, "log"), 20)},
    ),
    Family(
        "qda",
        "quadratic discriminant analysis",
        estimator("discriminant_analysis:QuadraticDiscriminantAnalysis"),
        ("cls", "binraw"),
        {"reg_param": (log(1e-6, 1), 1e-6), "tol": (log(1e-6, 1), 1e-4)},
    ),
    Family(
        "process",
        "Gaussian process regression, RBF kernel",
        process,
        ("reg", "circuit"),
        {"alpha": (log(1e-6, 10), 1e-6), "length_scale": (log(1e-2, 1e3), 1.0)},
    ),
    Family(
        "huber",
        "HuberRegressor, a robust linear model",
        estimator("linear_model:HuberRegressor", max_iter=40),
        ("lin", "regraw"),
        {"epsilon": (Float(1.01, 5), 1.35), "alpha": (log(1e-6, 1e3), 1e-4)},
    ),
    Family(
        "spreading",
        "label spreading, RBF kernel",
        estimator("semi_supervised:LabelSpreading", kernel="rbf", max_iter=20),
        ("moonsraw", "shells"),
        {"gamma": (log(1e-4, 1e3), 20.0), "alpha": (Float(0.01, 0.99), 0.2)},
    ),
    Family(
        "pca_logistic",
        "PCA, then LogisticRegression",
        projected,
        ("clsunit", "binraw"),
        {"n_components": (Int(1, 8), 8), "C": (log(1e-5, 1e4), 1.0)},
    ),
    Family(
        "nystroem",
        "ridge regression on Nystroem features of an RBF kernel",
        nystroem,
        ("reg", "circuitraw"),
        {
            "gamma": (log(1e-7, 10), 0.1),
            "n_components": (Int(5, 120, "log"), 100),
            "alpha": (log(1e-6, 1e2), 1.0),
        },
    ),
    Family(
        "nu_svc",
        "NuSVC with an RBF kernel",
        estimator("svm:NuSVC", max_iter=20_000),
        ("shells", "clsraw"),
        {"nu": (Float(0.02, 0.6), 0.5), "gamma": (log(1e-6, 10), 0.1), "tol": (log(1e-5, 0.1), 1e-3)},
    ),
    Family(
        "bagging",
        "bagged decision trees",
        estimator("ensemble:BaggingClassifier", random_state=0),
        ("bin",),
        {
            "n_estimators": (Int(2, 16), 10),
            "max_samples": (Float(0.05, 1), 1.0),
            "max_features": (Float(0.1, 1), 1.0),
            "bootstrap": (Bool(), True),
        },
    ),
    Family(
        "histogram_boosting",
        "HistGradientBoostingClassifier",
        estimator("ensemble:HistGradientBoostingClassifier", random_state=0),
        ("cls", "bin"),
        {
            "learning_rate": (log(1e-3, 1), 0.1),
            "max_iter": (Int(2, 24, "log"), 24),
            "max_leaf_nodes": (Int(2, 64, "log"), 31),
            "min_samples_leaf": (Int(1, 60, "log"), 20),
            "l2_regularization": (log(1e-6, 100), 1e-6),
        },
    ),
    Family(
        "splines",
        "ridge regression on splines",
        splines,
        ("reg", "circuit"),
        {"n_knots": (Int(2, 30, "log"), 5), "degree": (Int(1, 5), 3), "alpha": (log(1e-7, 1e3), 1.0)},
    ),
    Family(
        "perceptron",
        "Perceptron, a linear model trained by SGD",
        estimator("linear_model:Perceptron", max_iter=20, tol=None, random_state=0),
        ("clsunit",),
        {
            "penalty": (Categorical(["l1", "l2", "elasticnet"]), "l2"),
            "alpha": (log(1e-7, 1), 1e-4),
            "eta0": (log(1e-4, 10), 1.0),
            "l1_ratio": (Float(0, 1), 0.15),
        },
    ),
    Family(
        "adam_net",
        "MLPClassifier, a small neural network trained with Adam",
        adam_net,
        ("shells", "binraw"),
        {
            "learning_rate_init": (log(1e-5, 1), 1e-3),
            "alpha": (log(1e-7, 10), 1e-4),
            "batch_size": (Int(4, 128, "log"), 128),
            "hidden_units": (Int(4, 100, "log"), 100),
            "beta_1": (Float(0.5, 0.99), 0.9),
            "beta_2": (Float(0.9, 0.9999), 0.999),
        },
    ),
)


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tasks_of(FAMILIES, first_seed=100)


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
