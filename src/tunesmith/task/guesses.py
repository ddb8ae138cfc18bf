"""Ranges worth starting from, by a hyperparameter's name and the current value.

For the starter task file only, which a person then edits. The tuner's priors are in `agent/knowledge`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from tunesmith.space import Bool, Categorical, Float, Int, Parameter
from tunesmith.space.documents import CONSTRAINTS
from tunesmith.trial import Value

NOT_TUNED = re.compile(
    r"epochs?|steps?|iter|device|cuda|gpu|cpu|worker|thread|job|data|path|dir|file|out|log|port|save|load|print|eval"
    r"|verbos|version|rank|world|node|class|channel|feature|vocab|fold|split|resume|debug|dry|patience|interval|freq"
    r"|every|seed|name|tag|project|checkpoint|ckpt|precision|dtype|backend|host|time"
)
"""Parts of names of options that are no hyperparameters."""


@dataclass(frozen=True)
class Guess:
    parameter: Parameter
    default: Value
    stated: bool = True
    """Whether the default is the script's own; else it is only a usual value."""


# name pattern -> (kind, scale, low, high, value where the script states none)
_KNOWN: tuple[tuple[str, type, str, float, float, float], ...] = (
    (r"lr|eta0?|.*learning_?rate.*|.*_lr", float, "log", 1e-5, 1e-1, 1e-3),
    (r"wd|l2|.*weight_?decay.*", float, "log", 1e-6, 1e-1, 1e-4),
    (r".*dropout.*|p_?drop|drop_.*", float, "linear", 0.0, 0.7, 0.1),
    (r".*smoothing.*", float, "linear", 0.0, 0.3, 0.0),
    (r".*momentum.*", float, "linear", 0.0, 0.99, 0.9),
    (r"(adam_?)?beta_?1", float, "linear", 0.8, 0.99, 0.9),
    (r"(adam_?)?beta_?2", float, "linear", 0.9, 0.9999, 0.999),
    (r".*warm_?up_?(ratio|frac|fraction|prop|proportion)", float, "linear", 0.0, 0.3, 0.0),
    (r"bs|.*batch_?size.*", int, "log", 8, 256, 32),
    (r".*(hidden|width|units|embed|dim).*", int, "log", 16, 512, 64),
    (r".*(layers?|depth|blocks).*", int, "linear", 1, 8, 2),
    (r".*heads.*", int, "linear", 1, 16, 4),
    (r".*(clip|grad_?norm).*", float, "log", 0.1, 10.0, 1.0),
    (r"(feature|bagging)_fraction|sub_?sample|colsample_by\w+|max_samples", float, "linear", 0.3, 1.0, 1.0),
    (r"min_(data_in_leaf|child_samples)", int, "log", 2, 100, 20),
    (r"n_?estimators|num_?trees", int, "log", 50, 1000, 200),
)


def guess(name: str, current: object = None, choices: list[Any] | None = None) -> Guess | None:
    """A parameter around the current value (None: unknown), or None where the name or value says nothing."""
    word = name.casefold().replace("-", "_")
    if word == CONSTRAINTS:  # that key of a space means something else
        return None
    if choices:
        parameter = Categorical(choices)
        legal = parameter.check(name, current) is None
        return Guess(parameter, current if legal else parameter.listed[0], legal)  # type: ignore[arg-type]
    if isinstance(current, bool):
        return Guess(Bool(), current)
    if current is not None and not _ordinary(current):
        return None
    for pattern, kind, scale, low, high, usual in _KNOWN:
        if current == 0 and kind is float and scale == "log" and re.fullmatch(pattern, word):
            return Guess(Float(0.0, high), 0.0)  # a logarithmic range cannot hold it
        if re.fullmatch(pattern, word) and (current is None or scale == "linear" or current > 0):
            value = usual if current is None else current
            made = _around(kind if value == int(value) else float, scale, low, high, value)
            return replace(made, stated=current is not None)
    return None if current is None else _by_value(current)


def _ordinary(current: object) -> TypeGuard[int | float]:
    """A number of a size that hyperparameters have."""
    return isinstance(current, int | float) and (current == 0 or 1e-50 < abs(current) < 1e9)


def _around(kind: type, scale: str, low: float, high: float, value: float) -> Guess:
    """The usual range, widened to hold the current value (on a log scale, well inside)."""
    margin = 4 if scale == "log" else 1
    if not low <= value / margin:
        low = _short(value / margin) if kind is float and margin > 1 else value / margin
    if not value * margin <= high:
        high = _short(value * margin) if kind is float and margin > 1 else value * margin
    if kind is int:
        floor = max(1, round(low)) if scale == "log" else round(low)
        return Guess(Int(floor, round(high), scale), round(value))  # type: ignore[arg-type]
    return Guess(Float(low, high, scale), float(value))  # type: ignore[arg-type]


def _by_value(current: float) -> Guess:
    if isinstance(current, int) and current > 0:
        return Guess(Int(max(1, current // 4), max(2, current * 4), "log"), current)
    if isinstance(current, int) and current < 0:
        return Guess(Int(current * 4, 0), current)
    if current == 0:
        return Guess(Float(0.0, 1.0), 0.0)
    if current < 0:
        return Guess(Float(_short(current * 4), 0.0), float(current))
    high = _short(current * 10)
    if current < 1 < high:
        high = 1.0  # it may be a share, and one that is none is easily given more
    return Guess(Float(_short(current / 10), high, "log"), float(current))


def _short(value: float) -> float:
    """Two significant digits, as a person would write a bound."""
    return float(f"{value:.2g}")
