"""Tasks of scikit-learn models on generated data, scored by cross-validation: the parts of two suites."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from tunesmith.bench.suites.spaces import Entry, read_spaces
from tunesmith.bench.task import BenchTask, Values
from tunesmith.history import Array
from tunesmith.space import Space

INITIAL = 5
WORST_ERROR = -3.0
"""Scores of regression are minus a squared error in variances of the target, and no lower than this."""
SCALES = {"": "standardised features", "raw": "raw features, not standardised", "unit": "features in [0, 1]"}
REGRESSION = ("reg", "lin", "circuit")

Model = Callable[[Values], Any]


@cache
def data(kind: str, seed: int) -> tuple[Array, Array]:
    """Features (n, d) and targets (n,) of a kind such as `clsraw`: target, then scaling of the features."""
    from sklearn import datasets

    rng = np.random.default_rng(seed)
    target, scale = split(kind)
    if target == "cls":
        X, y = datasets.make_classification(
            n_samples=240, n_features=12, n_informative=5, n_redundant=3, n_classes=3,
            n_clusters_per_class=2, flip_y=0.03, class_sep=1.2, random_state=seed,
        )  # fmt: skip
    elif target == "bin":
        X, y = datasets.make_classification(
            n_samples=220, n_features=8, n_informative=4, n_redundant=1, n_classes=2,
            n_clusters_per_class=3, flip_y=0.05, weights=[0.7], random_state=seed,
        )  # fmt: skip
    elif target == "shells":
        X, y = datasets.make_gaussian_quantiles(n_samples=260, n_features=6, n_classes=3, random_state=seed)
    elif target == "moons":
        X, y = datasets.make_moons(n_samples=240, noise=0.3, random_state=seed)
    elif target == "reg":
        X, y = datasets.make_friedman1(n_samples=220, n_features=8, noise=1.0, random_state=seed)
    elif target == "lin":
        X, y = datasets.make_regression(
            n_samples=150, n_features=20, n_informative=6, noise=20, effective_rank=8, random_state=seed
        )
    else:  # the impedance of a circuit: four features of very different sizes
        X, y = datasets.make_friedman2(n_samples=200, noise=30.0, random_state=seed)
    if target in REGRESSION:
        y = (y - y.mean()) / y.std()
    if scale == "raw" and target != "circuit":
        X = X * 10 ** rng.uniform(-1, 2, X.shape[1]) + 10 ** rng.uniform(-1, 2, X.shape[1])
    elif scale == "unit":
        X = (X - X.min(0)) / (X.max(0) - X.min(0))
    elif scale == "":
        X = (X - X.mean(0)) / X.std(0)
    return X, y


def split(kind: str) -> tuple[str, str]:
    """The kind of target, and how the features are scaled: a key of SCALES."""
    for scale in ("raw", "unit"):
        if kind.endswith(scale):
            return kind.removesuffix(scale), scale
    return kind, ""


def score(model: Model, kind: str, seed: int, configuration: Values) -> float:
    """Mean over 3 folds of accuracy, or of minus the squared error; the worst there is where fits fail."""
    from sklearn.model_selection import KFold, cross_val_score

    X, y = data(kind, seed)
    regression = split(kind)[0] in REGRESSION
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations rarely converge; a diverging fit warns
        try:
            scores = cross_val_score(
                model(configuration),
                X,
                y,
                cv=KFold(3, shuffle=True, random_state=0),
                scoring="neg_mean_squared_error" if regression else "accuracy",
                error_score=np.nan,
            )
        except ValueError:  # raised where all folds fail
            return WORST_ERROR if regression else 0.0
    mean = float(np.mean(scores))
    if not np.isfinite(mean):
        return WORST_ERROR if regression else 0.0
    return max(mean, WORST_ERROR) if regression else mean


def estimator(path: str, **fixed: Any) -> Model:
    """Makes `sklearn.<module>:<Class>` of a configuration and fixed arguments; imports it when called."""
    module, _, name = path.partition(":")
    return lambda c: getattr(import_module(f"sklearn.{module}"), name)(**fixed, **c)


def tasks_of(file: str, models: Mapping[str, Model], first_seed: int) -> tuple[BenchTask, ...]:
    """The tasks of the families of models in a file: one for each kind of data of each family.

    Args:
        file: In `bench/data`. An entry has `words` (the model as text, for contenders that read it), `data`
            (its kinds), `space`, and `model` and `fixed` (see `estimator`) or an item of `models`.
        models: By family, the models that one class and fixed arguments do not describe.
        first_seed: The n-th task has data of the seed `first_seed` + n.
    """
    tasks: list[BenchTask] = []
    for family, entry in read_spaces(file).items():
        model = models.get(family) or estimator(entry.more["model"], **entry.more.get("fixed", {}))
        for kind in entry.more["data"]:
            tasks.append(_task(family, entry, model, kind, first_seed + len(tasks)))
    return tuple(tasks)


def _task(family: str, entry: Entry, model: Model, kind: str, seed: int) -> BenchTask:
    predicted, scale = split(kind)
    return BenchTask(
        name=f"{family}/{kind}",
        space=entry.space,
        direction="maximize",
        metric="negative squared error" if predicted in REGRESSION else "accuracy",
        default=entry.default,
        words=f"{entry.more['words']}; {SCALES[scale]}",
        evaluate=partial(score, model, kind, seed),
        initial=partial(initial, entry.space, family),
        family="2 parameters" if len(entry.space) == 2 else "3 and more",
        make_data_card=partial(card, kind, seed),
    )


def initial(space: Space, name: str, seed: int) -> Sequence[Mapping[str, Any]]:
    """Five uniform configurations that every contender starts from."""
    from tunesmith.seeds import rng_for

    return [dict(c) for c in space.sample(rng_for(seed, "initial", name), INITIAL)]


def card(kind: str, seed: int) -> Any:
    from tunesmith.data_card import DataCard

    return DataCard.from_arrays(*data(kind, seed))


def prepare() -> None:
    import sklearn.ensemble
    import sklearn.model_selection
    import sklearn.neural_network
    import sklearn.svm  # noqa: F401
