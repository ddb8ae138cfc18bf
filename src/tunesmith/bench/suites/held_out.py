"""Families of models that no constant and no prior of the tuner was chosen on: a test set for the tuner.

A change of the tuner is developed on `development` and scored here once, so that nothing is chosen on
these figures. Half of the spaces have two parameters only. The families are in
`bench/data/held_out.yaml`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tunesmith.bench.suites.generated import prepare, tasks_of
from tunesmith.bench.task import BenchTask, Suite, Values


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


MODELS = {
    "adaboost": ada_boost,
    "process": process,
    "pca_logistic": projected,
    "nystroem": nystroem,
    "splines": splines,
    "adam_net": adam_net,
}


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tasks_of("held_out.yaml", MODELS, first_seed=100)


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
