"""LLAMBO's 20 scikit-learn tasks that run again exactly: spaces, defaults, objectives, recorded data.

Five datasets by four models. The value is the mean over 5-fold cross-validation on the 80 % that
`train_test_split(test_size=0.2, random_state=0)` trains on: accuracy, or for diabetes the mean squared error
of the target standardised by its own mean and standard deviation. Features are left unscaled.

Source: Liu et al., Large Language Models to Enhance Bayesian Optimization, ICLR 2024, arXiv 2402.03921;
`data/README.md` has the recorded data's origin and licence.
"""

from __future__ import annotations

import json
import warnings
from functools import cache, partial
from importlib.resources import files
from typing import Any

import numpy as np

from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Given, Suite, Values
from tunesmith.history import Array

DATASETS = ("iris", "wine", "diabetes", "breast", "digits")
MODELS = ("DecisionTree", "SVM", "RandomForest", "MLP_SGD")
REGRESSION = "diabetes"
EVALUATION = (
    "mean of 5-fold cross-validation on the samples counted, the training part; same folds and seed each "
    "time, so without noise"
)
LLAMBO = "LLAMBO with GPT-3.5, recorded runs"


@cache
def recorded_data() -> dict[str, Any]:
    """Initial designs, bounds and LLAMBO's recorded values; see `data/README.md`."""
    text = files("tunesmith.bench").joinpath("data/llambo20.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@cache
def tasks() -> tuple[BenchTask, ...]:
    """All 20, cheap ones first; the perceptron on digits, the dearest by far, comes last."""
    return tuple(_task(dataset, model) for model in MODELS for dataset in DATASETS)


def words(dataset: str, model: str) -> str:
    """The text for contenders: scikit-learn's class, its solver, the metric; nothing of the dataset."""
    solver = " (solver sgd)" if model == "MLP_SGD" else ""
    return f"scikit-learn's {_class(dataset == REGRESSION, model)}{solver}; metric: {_metric(dataset)}"


def _task(dataset: str, model: str) -> BenchTask:
    bounds = recorded_data()["bounds"][f"{dataset}/{model}"]
    best, worst = bounds["cv_max"], bounds["cv_min"]
    if dataset == REGRESSION:
        best, worst = worst, best
    entry = read_spaces("llambo20.yaml")[model]
    return BenchTask(
        name=f"{dataset}/{model}",
        space=entry.space,
        direction="minimize" if dataset == REGRESSION else "maximize",
        metric=_metric(dataset),
        default=entry.default,
        words=words(dataset, model),
        evaluate=partial(evaluate, dataset, model),
        initial=partial(initial, model),
        bounds=(best, worst),
        family=model,
        make_data_card=partial(data_card, dataset),
        evaluation=EVALUATION,
        fixed={k: v for k, v in fixed_settings(dataset == REGRESSION, model).items() if k != "random_state"},
    )


def data_card(dataset: str) -> Any:
    """Figures of a dataset's training part, for contenders that use them as a user's `data_file` is used."""
    from tunesmith.data_card import DataCard

    X, y = training_data(dataset)
    return DataCard.from_arrays(X, y)


def _metric(dataset: str) -> str:
    return "mean squared error" if dataset == REGRESSION else "accuracy"


def initial(model: str, seed: int) -> list[Values]:
    """The five configurations that every optimiser starts from; the same for all datasets.

    Seeds beyond the five recorded ones start from the designs of the first five again.
    """
    return list(recorded_data()["initial"][f"{model}/{seed % 5}"])


def recorded(task: str, seed: int) -> Array | None:
    """Values of LLAMBO's recorded run, (30,); NaN where training diverged; None for a seed not recorded."""
    values = recorded_data()["recorded"].get(f"{task}/{seed}")
    return None if values is None else np.array(values, dtype=np.float64)


def evaluate(dataset: str, model: str, configuration: Values) -> float:
    """The cross-validated metric of a configuration; NaN where training diverges in some fold."""
    from sklearn.model_selection import cross_val_score

    X, y = training_data(dataset)
    scoring = "neg_mean_squared_error" if dataset == REGRESSION else "accuracy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 40 epochs rarely converge; batches larger than a fold are cut
        estimator = _estimator(dataset == REGRESSION, model, configuration)
        score = cross_val_score(estimator, X, y, scoring=scoring, cv=5).mean()
    return float(-score if dataset == REGRESSION else score)


def _class(regression: bool, model: str) -> str:
    """The name of scikit-learn's class."""
    return str(read_spaces("llambo20.yaml")[model].more["classes"][regression])


def fixed_settings(regression: bool, model: str) -> dict[str, Any]:
    """What is given to scikit-learn's class beside a configuration."""
    fixed: dict[str, Any] = {"random_state": 0}
    if model == "RandomForest":
        fixed["n_estimators"] = 10
    elif model == "MLP_SGD":
        fixed |= {
            "max_iter": 40,
            "solver": "sgd",
            "early_stopping": True,
            "learning_rate": "invscaling",
            "nesterovs_momentum": True,
            "activation": "tanh" if regression else "relu",
        }
    elif regression and model == "SVM":
        fixed = {}
    if model == "SVM":
        fixed["kernel"] = "rbf"  # the class's own default, said for who is told
    return fixed


def _estimator(regression: bool, model: str, configuration: Values) -> Any:
    from sklearn import ensemble, neural_network, svm, tree

    modules = {"DecisionTree": tree, "RandomForest": ensemble, "SVM": svm, "MLP_SGD": neural_network}
    return getattr(modules[model], _class(regression, model))(
        **configuration, **fixed_settings(regression, model)
    )


@cache
def training_data(dataset: str) -> tuple[Any, Any]:
    """Features (n, d) and targets (n,) of the training part."""
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    name = "breast_cancer" if dataset == "breast" else dataset
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    if dataset == REGRESSION:
        y = (y - y.mean()) / y.std()
    return X, y


SUITE = Suite(
    name="llambo20",
    about=(
        "LLAMBO's 20 scikit-learn tasks: 5 shared recorded configurations, then each contender's own, up to "
        "30 evaluations; regret against the best and worst of all recorded runs, not clipped"
    ),
    tasks=tasks,
    contenders=(
        "tunesmith",
        "tunesmith-no-priors",
        "gp+default",
        "gp+default-no-startup",
        "tpe+default",
        "gp",
        "tpe",
        "random",
        "cmaes+default",
        "cmaes",
    ),
    quick=("iris/DecisionTree", "wine/SVM", "breast/SVM", "diabetes/RandomForest", "iris/MLP_SGD"),
    shown_family="SVM",
    needs=("sklearn",),
    prepare=lambda: [training_data(dataset) for dataset in DATASETS],
    given=(
        Given("random, recorded", 0.166, 0.114, 0.099),
        Given("Optuna TPE, recorded", 0.151, 0.096, 0.041),
        Given("TPE, recorded", 0.139, 0.076, 0.045),
        Given("SMAC, recorded", 0.112, 0.062, 0.039),
        Given("Optuna GP from the default, an earlier run", 0.0750, 0.0424, 0.032),
        Given("our recipe's prototype, an earlier run", 0.0563, 0.0267, 0.036),
    ),
    recorded={LLAMBO: recorded},
)
