"""Small tasks for quick comparisons of tuners: analytic functions, and scikit-learn models on its own data.

Every task is deterministic and maximised. Defaults are the library's (analytic: one fixed point), spaces
wide. The tuner's constants come from elsewhere and were not touched after a look at these; but the families
(SVM, forest, boosting, ...) are those it was developed on, so this shows that it works, not how far it
generalises.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tunesmith.space import Bool, Categorical, Float, Int, Space

Score = Callable[[Mapping[str, Any]], float]


@dataclass(frozen=True)
class QuickTask:
    name: str
    space: Space
    default: dict[str, Any]
    words: str
    score: Score


def unit(d: int) -> Space:
    return Space({f"x{i}": Float(0, 1) for i in range(d)})


def vector(c: Mapping[str, Any]) -> np.ndarray:
    return np.array([c[name] for name in sorted(c)])


def branin(c: Mapping[str, Any]) -> float:
    x, y = 15 * c["x0"] - 5, 15 * c["x1"]
    return -(
        (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
        + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x)
        + 10
    )


def rosenbrock(c: Mapping[str, Any]) -> float:
    x = 3 * vector(c) - 1
    return -float(np.log1p((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()))


def ackley(c: Mapping[str, Any]) -> float:
    x = 10 * (vector(c) - np.array([0.62, 0.37, 0.55, 0.44, 0.71]))
    return float(
        20 * np.exp(-0.2 * np.sqrt((x**2).mean())) + np.exp(np.cos(2 * np.pi * x).mean()) - 20 - np.e
    )


def hartmann(c: Mapping[str, Any]) -> float:
    alpha = np.array([1.0, 1.2, 3.0, 3.2])
    A = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    P = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return float(alpha @ np.exp(-(A * (vector(c) - P) ** 2).sum(axis=1)))


def mixed(c: Mapping[str, Any]) -> float:
    best = {"a": 0.2, "b": 0.7, "c": 0.45}[c["kind"]]
    return -((c["x"] - best) ** 2) - 0.03 * abs(c["n"] - 7) - {"a": 0.2, "b": 0.0, "c": 0.1}[c["kind"]]


@cache
def data(name: str, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    keep = np.random.default_rng(0).permutation(len(X))[:rows]
    X = StandardScaler().fit_transform(X[keep])
    y = y[keep] if name != "diabetes" else (y[keep] - y.mean()) / y.std()
    return X, y


def cross_validated(model: Any, name: str) -> float:
    """Mean of accuracy (classes) or R^2 (numbers, at least -1) over three folds."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import KFold, cross_val_score

    X, y = data(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = cross_val_score(model, X, y, cv=KFold(3, shuffle=True, random_state=0), error_score=-1.0)
    return max(float(np.mean(scores)), -1.0)


def svc(c: Mapping[str, Any]) -> float:
    from sklearn.svm import SVC

    return cross_validated(SVC(**c), "digits")


def knn(c: Mapping[str, Any]) -> float:
    from sklearn.neighbors import KNeighborsClassifier

    return cross_validated(KNeighborsClassifier(**c), "breast_cancer")


def kernel_ridge(c: Mapping[str, Any]) -> float:
    from sklearn.kernel_ridge import KernelRidge

    return cross_validated(KernelRidge(kernel="rbf", **c), "diabetes")


def elastic_net(c: Mapping[str, Any]) -> float:
    from sklearn.linear_model import ElasticNet

    return cross_validated(ElasticNet(**c), "diabetes")


def forest(c: Mapping[str, Any]) -> float:
    from sklearn.ensemble import RandomForestRegressor

    bootstrap = {"bootstrap": c["bootstrap"]}
    return cross_validated(RandomForestRegressor(random_state=0, **{**c, **bootstrap}), "diabetes")


def boosting(c: Mapping[str, Any]) -> float:
    from sklearn.ensemble import GradientBoostingClassifier

    return cross_validated(GradientBoostingClassifier(random_state=0, **c), "wine")


def sgd(c: Mapping[str, Any]) -> float:
    from sklearn.linear_model import SGDClassifier

    return cross_validated(SGDClassifier(random_state=0, max_iter=20, tol=None, **c), "digits")


def mlp(c: Mapping[str, Any]) -> float:
    from sklearn.neural_network import MLPClassifier

    rest = {k: v for k, v in c.items() if k != "hidden_units"}
    model = MLPClassifier((c["hidden_units"],), max_iter=8, random_state=0, **rest)
    return cross_validated(model, "digits")


def log(low: float, high: float) -> Float:
    return Float(low, high, scale="log")


def tasks() -> list[QuickTask]:
    corner = 0.25
    return [
        QuickTask("branin", unit(2), {"x0": corner, "x1": corner}, "", branin),
        QuickTask("rosenbrock4", unit(4), {f"x{i}": corner for i in range(4)}, "", rosenbrock),
        QuickTask("ackley5", unit(5), {f"x{i}": corner for i in range(5)}, "", ackley),
        QuickTask("hartmann6", unit(6), {f"x{i}": corner for i in range(6)}, "", hartmann),
        QuickTask(
            "mixed3",
            Space({"x": Float(0, 1), "n": Int(1, 20), "kind": Categorical(["a", "b", "c"])}),
            {"x": 0.25, "n": 4, "kind": "a"},
            "",
            mixed,
        ),
        QuickTask(
            "svc",
            Space({"C": log(1e-3, 1e3), "gamma": log(1e-5, 1e1)}),
            {"C": 1.0, "gamma": 1 / 64},
            "SVC with an RBF kernel on standardised features",
            svc,
        ),
        QuickTask(
            "knn",
            Space(
                {
                    "n_neighbors": Int(1, 100, "log"),
                    "p": Float(1, 6),
                    "weights": Categorical(["uniform", "distance"]),
                }
            ),
            {"n_neighbors": 5, "p": 2.0, "weights": "uniform"},
            "k-nearest neighbours classifier",
            knn,
        ),
        QuickTask(
            "kernel_ridge",
            Space({"alpha": log(1e-5, 1e2), "gamma": log(1e-6, 1e1)}),
            {"alpha": 1.0, "gamma": 0.1},
            "kernel ridge regression, RBF kernel",
            kernel_ridge,
        ),
        QuickTask(
            "elastic_net",
            Space({"alpha": log(1e-5, 1e2), "l1_ratio": Float(0, 1), "tol": log(1e-6, 1e-1)}),
            {"alpha": 1.0, "l1_ratio": 0.5, "tol": 1e-4},
            "elastic net linear regression",
            elastic_net,
        ),
        QuickTask(
            "forest",
            Space(
                {
                    "n_estimators": Int(3, 40, "log"),
                    "max_depth": Int(1, 30, "log"),
                    "max_features": Float(0.05, 1),
                    "min_samples_leaf": Int(1, 50, "log"),
                    "bootstrap": Bool(),
                }
            ),
            {
                "n_estimators": 30,
                "max_depth": 30,
                "max_features": 1.0,
                "min_samples_leaf": 1,
                "bootstrap": True,
            },
            "random forest regressor",
            forest,
        ),
        QuickTask(
            "boosting",
            Space(
                {
                    "learning_rate": log(1e-3, 1),
                    "n_estimators": Int(3, 40, "log"),
                    "max_depth": Int(1, 10),
                    "subsample": Float(0.1, 1),
                    "min_samples_leaf": Int(1, 50, "log"),
                }
            ),
            {
                "learning_rate": 0.1,
                "n_estimators": 40,
                "max_depth": 3,
                "subsample": 1.0,
                "min_samples_leaf": 1,
            },
            "gradient boosting classifier",
            boosting,
        ),
        QuickTask(
            "sgd",
            Space(
                {
                    "alpha": log(1e-7, 1),
                    "eta0": log(1e-5, 10),
                    "power_t": Float(0.05, 1),
                    "penalty": Categorical(["l2", "l1", "elasticnet"]),
                    "learning_rate": Categorical(["constant", "optimal", "invscaling", "adaptive"]),
                }
            ),
            {"alpha": 1e-4, "eta0": 0.01, "power_t": 0.5, "penalty": "l2", "learning_rate": "optimal"},
            "SGDClassifier, a linear model",
            sgd,
        ),
        QuickTask(
            "mlp",
            Space(
                {
                    "learning_rate_init": log(1e-5, 1),
                    "alpha": log(1e-7, 10),
                    "batch_size": Int(8, 200, "log"),
                    "hidden_units": Int(4, 128, "log"),
                    "beta_1": Float(0.5, 0.99),
                }
            ),
            {
                "learning_rate_init": 1e-3,
                "alpha": 1e-4,
                "batch_size": 200,
                "hidden_units": 100,
                "beta_1": 0.9,
            },
            "MLPClassifier, a small neural network trained with Adam",
            mlp,
        ),
    ]
