"""Wide spaces: 15 to 30 parameters of which a few matter, over 150 evaluations.

Four functions with 3 of 30 parameters active, at places drawn once; two scikit-learn pipelines of 15 and 16
parameters, and a PyTorch net of 15, on small data, well under a second an evaluation. The functions'
parameters have names that say nothing, and their default is a quarter into every range; the models' defaults
are the libraries' own. The spaces are in `bench/data/wide.yaml`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from tunesmith.bench.suites.analytic import CORNER, branin
from tunesmith.bench.suites.generated import data
from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.history import Array
from tunesmith.seeds import rng_for
from tunesmith.space import Categorical, Float, Int, Parameter, Space

WIDTH = 30
PIPELINES = ("digits", "boosting")
Score = Callable[[Array], float]


def hartmann3(u: Array) -> float:
    """Hartmann's function of three variables, in (0, 3.87); u (3,) in the unit cube."""
    A = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
    P = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
    weights = np.array([1.0, 1.2, 3.0, 3.2])
    return float(weights @ np.exp(-(A * (u - P) ** 2).sum(axis=1)))


def valley3(u: Array) -> float:
    """Rosenbrock's valley in three variables on [-2, 2], minus its logarithm."""
    x = 4 * u - 2
    return -float(np.log1p((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()))


def branin_and_one(u: Array) -> float:
    """Minus Branin's function, and a parabola in the third."""
    return float(-branin({"x0": u[0], "x1": u[1]}) - 60 * (u[2] - 0.7) ** 2)


def choices(u: Array) -> float:
    """A category and an integer decide where the best number lies, and how good it is."""
    kind = int(u[0] * 2.999)
    best = (0.2, 0.75, 0.45)[kind]
    return float(-4 * (u[1] - best) ** 2 - abs(u[2] - 0.6) - (0.3, 0.0, 0.15)[kind])


FUNCTIONS: dict[str, Score] = {f.__name__: f for f in (hartmann3, valley3, branin_and_one, choices)}


def _parameters(name: str) -> dict[str, Parameter]:
    """30 parameters; for `choices` ten each of categories, integers and floats."""
    if name != "choices":
        return {f"x{i:02d}": Float(0.0, 1.0) for i in range(WIDTH)}
    kinds: tuple[Parameter, ...] = (Categorical(["a", "b", "c"]), Float(0.0, 1.0), Int(0, 15))
    return {f"x{i:02d}": kinds[i % 3] for i in range(WIDTH)}


def _function(name: str) -> BenchTask:
    space = Space(_parameters(name))
    places = rng_for(0, "wide", name).permutation(WIDTH // 3)[:3] * 3 + np.arange(3)
    active = [space.names[i] for i in places]

    def evaluate(c: Values) -> float:
        numbers = {"a": 0.0, "b": 0.5, "c": 1.0}
        values = [
            numbers[v] if isinstance(v, str) else v / 15 if isinstance(v, int) else v
            for v in (c[n] for n in active)
        ]
        return FUNCTIONS[name](np.array(values, dtype=np.float64))

    return BenchTask(
        name=f"3of30/{name}",
        space=space,
        direction="maximize",
        metric="value",
        default=dict(space.decode(np.full(space.dimensions, CORNER))),
        words="",
        evaluate=evaluate,
        family="functions",
    )


@cache
def digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:450]
    return X[rows], y[rows]


def digits_pipeline(c: Values) -> Any:
    """Scaling, selection, projection and a linear model by SGD."""
    from sklearn import decomposition, feature_selection, linear_model, pipeline, preprocessing

    scaler = {
        "standard": preprocessing.StandardScaler(),
        "minmax": preprocessing.MinMaxScaler(),
        "none": "passthrough",
    }
    return pipeline.make_pipeline(
        feature_selection.VarianceThreshold(c["variance_threshold"]),
        scaler[str(c["scaler"])],
        feature_selection.SelectPercentile(percentile=c["percentile"]),
        decomposition.PCA(c["pca_variance"], whiten=c["whiten"], random_state=0),
        linear_model.SGDClassifier(
            loss=c["loss"],
            penalty="elasticnet",
            alpha=c["alpha"],
            l1_ratio=c["l1_ratio"],
            learning_rate=c["learning_rate"],
            eta0=c["eta0"],
            power_t=c["power_t"],
            epsilon=c["epsilon"],
            fit_intercept=c["fit_intercept"],
            average=c["average"],
            max_iter=c["max_iter"],
            tol=None,
            random_state=0,
        ),
    )


def boosting_pipeline(c: Values) -> Any:
    """Quantiles or powers, products of features, and gradient boosting."""
    from sklearn import ensemble, pipeline, preprocessing

    shapes: dict[str, Any] = {
        "none": "passthrough",
        "quantile": preprocessing.QuantileTransformer(n_quantiles=c["n_quantiles"], random_state=0),
        "power": preprocessing.PowerTransformer(),
    }
    return pipeline.make_pipeline(
        shapes[str(c["shape"])],
        preprocessing.PolynomialFeatures(2, interaction_only=c["interaction_only"], include_bias=False)
        if c["products"]
        else "passthrough",
        ensemble.GradientBoostingRegressor(
            loss=c["loss"],
            alpha=c["alpha"],
            learning_rate=c["learning_rate"],
            n_estimators=c["n_estimators"],
            subsample=c["subsample"],
            criterion=c["criterion"],
            max_depth=c["max_depth"],
            max_leaf_nodes=c["max_leaf_nodes"],
            min_samples_split=c["min_samples_split"],
            min_samples_leaf=c["min_samples_leaf"],
            max_features=c["max_features"],
            ccp_alpha=c["ccp_alpha"],
            random_state=0,
        ),
    )


def pipeline_score(name: str, configuration: Values) -> float:
    """Hold-out accuracy on digits, or minus the squared error in variances; NaN where the fit fails."""
    X, y = digits() if name == "digits" else data("reg", 300)
    make = digits_pipeline if name == "digits" else boosting_pipeline
    train = 2 * len(X) // 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant features and few iterations warn
        with np.errstate(all="ignore"):
            try:
                model = make(configuration).fit(X[:train], y[:train])
                predicted = model.predict(X[train:])
            except ValueError:  # nothing is left of the features, or the fit has diverged
                return math.nan
    if name == "digits":
        return float(np.mean(predicted == y[train:]))
    return max(-3.0, -float(np.mean((predicted - y[train:]) ** 2)))


def net(c: Values) -> float:
    """Validation accuracy of a perceptron by AdamW with a schedule; NaN where training diverges."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    X, y, X_val, y_val = _net_data()
    torch.manual_seed(0)
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}[str(c["activation"])]
    width, inputs = int(c["width"]), X.shape[1]
    layers: list[nn.Module] = [nn.Dropout(float(c["input_dropout"]))]
    for i in range(int(c["layers"])):
        layers += [nn.Linear(width if i else inputs, width), activation(), nn.Dropout(float(c["dropout"]))]
    network = nn.Sequential(*layers, nn.Linear(width, 4))
    for parameter in network.parameters():
        parameter.data *= float(c["init_scale"])
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=float(c["learning_rate"]),
        betas=(float(c["beta1"]), float(c["beta2"])),
        weight_decay=float(c["weight_decay"]),
    )
    batch, epochs = int(c["batch_size"]), 6
    steps = epochs * math.ceil(len(X) / batch)
    warm = max(1, round(float(c["warmup_ratio"]) * steps))
    last = float(c["final_lr_share"])

    def rate(step: int) -> float:
        decayed = last + (1 - last) * 0.5 * (1 + math.cos(math.pi * step / steps))
        return min(1.0, (step + 1) / warm) * decayed

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    for _ in range(epochs):
        network.train()
        shuffled: Any = torch.randperm(len(X))
        for rows in shuffled.split(batch):
            loss: Any = F.cross_entropy(
                network(X[rows]), y[rows], label_smoothing=float(c["label_smoothing"])
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), float(c["gradient_clip"]))
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        out = network(X_val)
    return float((out.argmax(1) == y_val).float().mean()) if bool(torch.isfinite(out).all()) else math.nan


@cache
def _net_data() -> tuple[Any, ...]:
    """800 + 800 rows of 16 features in 4 classes of 3 clusters, standardised."""
    import torch
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n_samples=1600, n_features=16, n_informative=8, n_classes=4, n_clusters_per_class=3, flip_y=0.02,
        random_state=5,
    )  # fmt: skip
    X = (X - X.mean(0)) / X.std(0)
    inputs, targets = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.long)
    return inputs[:800], targets[:800], inputs[800:], targets[800:]


def _model(name: str) -> BenchTask:
    entry = read_spaces("wide.yaml")[name]
    return BenchTask(
        name=f"model/{name}",
        space=entry.space,
        direction="maximize",
        metric="negative squared error" if name == "boosting" else "accuracy",
        default=entry.default,
        words=entry.more["words"],
        evaluate=partial(pipeline_score, name) if name in PIPELINES else net,
        family="models",
    )


@cache
def tasks() -> tuple[BenchTask, ...]:
    return (*map(_function, FUNCTIONS), *map(_model, (*PIPELINES, "net")))


def prepare() -> None:
    import sklearn.ensemble
    import sklearn.pipeline  # noqa: F401
    import torch  # noqa: F401

    _net_data(), digits()


SUITE = Suite(
    name="wide",
    about=(
        "7 tasks of 15 to 30 parameters: functions of 3 among 30, scikit-learn pipelines, a PyTorch net; "
        "regret (best - y) / (best - median of random) against the best of all stored runs, clipped to [0, 1]"
    ),
    tasks=tasks,
    contenders=("tunesmith", "gp+default", "tpe+default", "cmaes+default", "random+default"),
    evaluations=150,
    window_from=50,
    checkpoints=(50, 150),
    quick=("3of30/hartmann3", "model/digits"),
    shown_family="functions",
    needs=("sklearn", "torch"),
    prepare=prepare,
)
