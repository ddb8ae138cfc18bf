"""Tasks in which many trials fail: divergence, memory, time, crashes.

Two small trainings (numpy, milliseconds) that diverge by themselves; the rest are functions. Most optima lie
close to the border of what works. A contender is judged by regret and by the share of its trials that fail.
Optuna's samplers are told of a failure as a failed trial, ours also of its kind, as a run tells it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import cache

import numpy as np

from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Suite, TrialFailed, Values
from tunesmith.history import Array
from tunesmith.trial import TrialState

NAN = math.nan
CRASH_SHARE = 0.05


def log10(c: Values, name: str) -> float:
    return math.log10(float(c[name]))


def rate_cliff(c: Values) -> float:
    """Accuracy rises with the step size up to where training diverges; momentum makes steps larger."""
    step = log10(c, "lr") - math.log10(1 - float(c["momentum"]))
    if step > 0.3:
        return NAN
    return 0.95 - 0.03 * (step - 0.1) ** 2 - 0.05 * (float(c["momentum"]) - 0.8) ** 2


def all_early_fail(c: Values) -> float:
    """Diverges in half of the space, the most plausible half by name; the optimum is half a decade below."""
    return NAN if float(c["lr"]) > 3e-4 else 0.9 - abs(float(c["lr"]) - 1e-4) * 100


def memory_border(c: Values) -> float:
    """The larger the better, and half of the space is too large."""
    batch, width = math.log2(float(c["batch_size"])), math.log2(float(c["width"]))
    if batch + width > 15:
        raise TrialFailed(
            TrialState.OUT_OF_MEMORY, f"tried to allocate {2 ** (batch + width) / 1024:.1f} MiB"
        )
    value: float = 0.7 + 0.04 * (width - 5) - 0.004 * (batch - 6) ** 2
    return value


def language_model(c: Values) -> float:
    """Bits per byte of a language model after a fixed time, as scaling laws have it; half is out of memory.

    A larger model is better until too few steps are left; the best one that fits is close to the memory's
    border. Step sizes too large for the width diverge, in a few percent of the space.
    """
    layers, width, seq = float(c["n_layers"]), float(c["width"]), float(c["seq_len"])
    batch, lr = float(c["batch_size"]), float(c["lr"])
    weights = 12 * layers * width**2
    memory = 16 * weights + batch / float(c["micro_batches"]) * seq * width * layers * 30
    if memory > 3e9:
        raise TrialFailed(TrialState.OUT_OF_MEMORY, f"tried to allocate {memory / 2**30:.2f} GiB")
    warm = math.log10(float(c["warmup_steps"])) - 2
    rough = math.log10(lr / 1e-3) + 0.5 * math.log10(width / 384) - 0.3 * min(warm, 0.5)
    rough += 0.4 * abs(log10(c, "init_scale"))
    if rough > 2.0:
        return NAN
    tokens = (
        2e14 / (6 * weights + 2e5 * width) * min(1.0, (batch / float(c["micro_batches"]) * seq / 1e4) ** 0.2)
    )
    loss = 0.93 + 8.0 / weights**0.34 + 8.0 / tokens**0.28
    loss += 0.012 * (rough + 0.1) ** 2 + 0.004 * (log10(c, "batch_size") - 1.9) ** 2
    loss += 0.002 * (log10(c, "weight_decay") + 0.8) ** 2 + 0.05 * (float(c["beta2"]) - 0.96) ** 2
    loss += 0.003 * (math.log2(seq) - 9.5) ** 2 / 4 + 0.01 * float(c["dropout"])
    loss += 0.001 * log10(c, "grad_clip") ** 2 + 0.004 * log10(c, "init_scale") ** 2
    loss += 0.001 * (math.log2(width / float(c["n_heads"])) - 6) ** 2
    loss += {"relu": 0.003, "gelu": 0.001, "swiglu": 0.0}[str(c["activation"])]
    return float(loss)


def time_limit(c: Values) -> float:
    """More trees at smaller steps are better, until the time is over."""
    trees, depth = float(c["n_estimators"]), float(c["max_depth"])
    seconds = trees * depth * (0.3 + float(c["subsample"])) / 100
    if seconds > 60:
        raise TrialFailed(TrialState.TIMED_OUT, "not finished within 60 s")
    short = math.log10(trees * float(c["learning_rate"])) - 1.8
    return 0.9 + 0.01 * math.log10(trees) - 0.02 * short**2 - 0.001 * (depth - 5) ** 2


def random_crashes(c: Values) -> float:
    """A smooth function of which 5 % crashes, anywhere: one crash must not close its surroundings."""
    digest = hashlib.blake2b(repr(sorted(c.items())).encode(), digest_size=8).digest()
    if int.from_bytes(digest, "big") < CRASH_SHARE * 2**64:
        raise TrialFailed(TrialState.CRASHED, "RuntimeError: a worker of the data loader died")
    away = np.array([float(c[f"x{i}"]) for i in range(4)]) - np.array([0.7, 0.25, 0.6, 0.8])
    return float(-((away**2) * np.array([2.0, 1.0, 0.5, 0.3])).sum() - 0.5 * away[0] * away[1])


def half_crashes(c: Values) -> float:
    """One of three choices always crashes, and so does what is beyond a slanting line."""
    a, b = float(c["a"]), float(c["b"])
    if c["c"] == "v" or a + 0.6 * b > 0.95:
        raise TrialFailed(TrialState.CRASHED, f"ValueError: {a:.3g} does not go with {b:.3g}")
    return -((a - 0.55) ** 2) - (b - 0.5) ** 2 - (0.05 if c["c"] == "w" else 0.0)


def band(c: Values) -> float:
    """Works in a band of a fifth of the space only, and best at one side of it."""
    p, q = float(c["p"]), float(c["q"])
    place = p + 0.5 * (q - 0.5)
    if not 0.3 <= place <= 0.5:
        raise TrialFailed(TrialState.CRASHED, f"RuntimeError: singular at {p:.3g}")
    return -abs(place - 0.47) - (q - 0.8) ** 2


@cache
def _data(n: int) -> tuple[Array, Array]:
    """Inputs (n, 6) of unequal scales and a smooth target (n,), standardised."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 6)) * np.array([1.0, 1.0, 2.0, 0.5, 1.0, 3.0])
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 3] + 0.2 * x[:, 2] + 0.3 * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std()


def trained_linear(c: Values) -> float:
    """Squared error of a linear model after 60 steps of gradient descent; too large steps diverge."""
    x, y = _data(400)
    train, test = slice(0, 200), slice(200, 400)
    w = v = np.zeros(6)
    with np.errstate(all="ignore"):
        for step in range(60):
            gradient = x[train].T @ (x[train] @ w - y[train]) / 200
            v = float(c["momentum"]) * v - float(c["eta"]) / (1 + float(c["decay"]) * step) * gradient
            w = w + v
        error = float(((x[test] @ w - y[test]) ** 2).mean())
    return error if error < 1e6 else NAN


def trained_mlp(c: Values) -> float:
    """Squared error of one hidden layer after 12 epochs of SGD with momentum; too large steps diverge."""
    x, y = _data(400)
    rng = np.random.default_rng(1)
    units, size = int(c["hidden_units"]), int(c["batch_size"])
    lr, momentum, decay = float(c["learning_rate"]), float(c["momentum"]), float(c["weight_decay"])
    A, b = rng.standard_normal((6, units)) / np.sqrt(6), np.zeros(units)
    w = rng.standard_normal(units) / np.sqrt(units)
    velocity = [np.zeros_like(p) for p in (A, b, w)]
    with np.errstate(all="ignore"):
        for _ in range(12):
            order = rng.permutation(200)
            for start in range(0, 200, size):
                index = order[start : start + size]
                h = np.tanh(x[index] @ A + b)
                off = (h @ w - y[index]) / len(index)
                back = off[:, None] * w * (1 - h * h)
                gradients = (x[index].T @ back + decay * A, back.sum(axis=0), h.T @ off + decay * w)
                velocity = [momentum * v - lr * g for v, g in zip(velocity, gradients, strict=True)]
                A, b, w = (p + v for p, v in zip((A, b, w), velocity, strict=True))
        error = float(((np.tanh(x[200:] @ A + b) @ w - y[200:]) ** 2).mean())
    return error if error < 1e3 else NAN


SCORES: tuple[Callable[[Values], float], ...] = (
    rate_cliff,
    all_early_fail,
    trained_mlp,
    trained_linear,
    memory_border,
    language_model,
    time_limit,
    random_crashes,
    half_crashes,
    band,
)


def _task(score: Callable[[Values], float]) -> BenchTask:
    entry = read_spaces("failures.yaml")[score.__name__]
    return BenchTask(
        name=score.__name__,
        space=entry.space,
        direction=entry.more["direction"],
        metric="value",
        default=entry.default or None,
        words=entry.more["words"],
        evaluate=score,
        family=entry.more["family"],
    )


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tuple(map(_task, SCORES))


SUITE = Suite(
    name="failures",
    about=(
        "10 tasks in which a share of the space fails (divergence, memory, time, crashes), 40 trials; regret "
        "(best - y) / (best - median of random) against the best of all stored runs, clipped to [0, 1], and "
        "the share of trials that fail"
    ),
    tasks=tasks,
    contenders=("tunesmith", "tunesmith-no-priors", "gp+default", "tpe+default", "random+default", "random"),
    evaluations=40,
    seeds=3,
    quick=("rate_cliff", "memory_border", "half_crashes"),
    shown_family="memory",
)
