"""LLAMBO's 20 scikit-learn tasks that run again exactly: spaces, defaults, objectives, recorded data.

Five datasets by four models. The value is the mean over 5-fold cross-validation on the 80 % that
`train_test_split(test_size=0.2, random_state=0)` trains on: accuracy, or for diabetes the mean squared error
of the target standardised by its own mean and standard deviation. Features are left unscaled.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.space import Float, Int, Space

DATA = json.loads((Path(__file__).parent / "data" / "llambo20.json").read_text())
DATASETS = ("iris", "wine", "diabetes", "breast", "digits")
MODELS = ("DecisionTree", "SVM", "RandomForest", "MLP_SGD")
REGRESSION = "diabetes"

# A scale that upstream calls logit is log here, as in the figures this benchmark is compared with.
_TREE = {
    "max_depth": Int(1, 15),
    "max_features": Float(0.01, 0.99, scale="log"),
    "min_impurity_decrease": Float(0.0, 0.5),
    "min_samples_leaf": Float(0.01, 0.49, scale="log"),
    "min_samples_split": Float(0.01, 0.99, scale="log"),
    "min_weight_fraction_leaf": Float(0.01, 0.49, scale="log"),
}
SPACES = {
    "DecisionTree": Space(_TREE),
    "RandomForest": Space(_TREE),
    "SVM": Space(
        {
            "C": Float(1.0, 1e3, scale="log"),
            "gamma": Float(1e-4, 1e-3, scale="log"),
            "tol": Float(1e-5, 1e-1, scale="log"),
        }
    ),
    "MLP_SGD": Space(
        {
            "hidden_layer_sizes": Int(50, 200),
            "alpha": Float(1e-5, 10.0, scale="log"),
            "batch_size": Int(10, 250),
            "learning_rate_init": Float(1e-5, 0.1, scale="log"),
            "power_t": Float(0.1, 0.9, scale="log"),
            "momentum": Float(0.001, 0.999, scale="log"),
        }
    ),
}
# scikit-learn's own defaults, moved to the nearest bound where they lie outside the space.
_TREE_DEFAULT = {
    "max_depth": 15,
    "max_features": 0.99,
    "min_impurity_decrease": 0.0,
    "min_samples_leaf": 0.01,
    "min_samples_split": 0.01,
    "min_weight_fraction_leaf": 0.01,
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "DecisionTree": _TREE_DEFAULT,
    "RandomForest": {**_TREE_DEFAULT, "max_features": 0.3},
    "SVM": {"C": 1.0, "gamma": 1e-3, "tol": 1e-3},
    "MLP_SGD": {
        "hidden_layer_sizes": 100,
        "alpha": 1e-4,
        "batch_size": 200,
        "learning_rate_init": 1e-3,
        "power_t": 0.5,
        "momentum": 0.9,
    },
}
CLASSES = {
    "DecisionTree": ("DecisionTreeClassifier", "DecisionTreeRegressor"),
    "RandomForest": ("RandomForestClassifier", "RandomForestRegressor"),
    "SVM": ("SVC", "SVR"),
    "MLP_SGD": ("MLPClassifier", "MLPRegressor"),
}


@dataclass(frozen=True)
class LlamboTask:
    """One task. `values` remembers every configuration evaluated in this process."""

    dataset: str
    model: str
    values: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.model}"

    @property
    def space(self) -> Space:
        return SPACES[self.model]

    @property
    def default(self) -> dict[str, Any]:
        return DEFAULTS[self.model]

    @property
    def regression(self) -> bool:
        return self.dataset == REGRESSION

    @property
    def metric(self) -> str:
        return "mean squared error" if self.regression else "accuracy"

    @property
    def direction(self) -> Any:
        return "minimize" if self.regression else "maximize"

    @property
    def words(self) -> str:
        """What the tuner is told: scikit-learn's class, its solver, the metric; nothing of the dataset."""
        solver = " (solver sgd)" if self.model == "MLP_SGD" else ""
        return f"scikit-learn's {CLASSES[self.model][self.regression]}{solver}; metric: {self.metric}"

    def initial(self, seed: int) -> list[dict[str, Any]]:
        """The five configurations that every optimiser starts from."""
        return list(DATA["initial"][f"{self.model}/{seed}"])

    def recorded(self, seed: int) -> np.ndarray:
        """Values of LLAMBO's recorded run, (30,); NaN where training diverged."""
        return np.array(DATA["recorded"][f"{self.name}/{seed}"], dtype=float)

    def regret(self, values: np.ndarray) -> np.ndarray:
        """Normalised regret of the best so far, (n,); not clipped, so better than any recorded run is < 0.

        NaN (diverged) counts as no value.
        """
        bounds = DATA["bounds"][self.name]
        span = bounds["cv_max"] - bounds["cv_min"]
        if self.regression:
            regret = (np.fmin.accumulate(values) - bounds["cv_min"]) / span
        else:
            regret = (bounds["cv_max"] - np.fmax.accumulate(values)) / span
        return np.asarray(regret)

    def value(self, configuration: dict[str, Any]) -> float:
        """The cross-validated metric of a configuration; NaN where training diverges in some fold."""
        key = json.dumps(configuration, sort_keys=True)
        if key not in self.values:
            self.values[key] = self._evaluate(configuration)
        return self.values[key]

    def _evaluate(self, configuration: dict[str, Any]) -> float:
        from sklearn.model_selection import cross_val_score

        X, y = training_data(self.dataset)
        scoring = "neg_mean_squared_error" if self.regression else "accuracy"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 40 epochs rarely converge; batches larger than a fold are cut
            score = cross_val_score(self._estimator(configuration), X, y, scoring=scoring, cv=5).mean()
        return float(-score if self.regression else score)

    def _estimator(self, configuration: dict[str, Any]) -> Any:
        from sklearn import ensemble, neural_network, svm, tree

        fixed: dict[str, Any] = {"random_state": 0}
        if self.model == "RandomForest":
            fixed["n_estimators"] = 10
        elif self.model == "MLP_SGD":
            fixed |= {
                "max_iter": 40,
                "solver": "sgd",
                "early_stopping": True,
                "learning_rate": "invscaling",
                "nesterovs_momentum": True,
                "activation": "tanh" if self.regression else "relu",
            }
        elif self.regression and self.model == "SVM":
            fixed = {}
        modules = {"DecisionTree": tree, "RandomForest": ensemble, "SVM": svm, "MLP_SGD": neural_network}
        return getattr(modules[self.model], CLASSES[self.model][self.regression])(**configuration, **fixed)


@cache
def training_data(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    name = "breast_cancer" if dataset == "breast" else dataset
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    if dataset == REGRESSION:
        y = (y - y.mean()) / y.std()
    return X, y


@cache
def tasks() -> tuple[LlamboTask, ...]:
    """All 20, cheap ones first; the perceptron on digits, the dearest by far, comes last."""
    return tuple(LlamboTask(dataset, model) for model in MODELS for dataset in DATASETS)
