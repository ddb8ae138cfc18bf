"""Numbers as a person reads them in a narrow column."""

from __future__ import annotations


def metric(value: float) -> str:
    """A metric's value: four decimals where that shows enough of it, four digits elsewhere."""
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:.4g}"


def prediction(expected: float, spread: float | None) -> str:
    """`0.9210 ± 0.0120`: the spread as precise as what it belongs to."""
    shown = metric(expected)
    if spread is None:
        return shown
    fixed = "e" not in shown and shown == f"{expected:.4f}" and spread >= 0.00005
    return f"{shown} ± {spread:.4f}" if fixed else f"{shown} ± {spread:.2g}"


def plain_value(value: bool | int | float | str) -> str:
    """A hyperparameter's value when its space is not at hand to say how precise to be."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def duration(seconds: float) -> str:
    """`8s`, `1m05`, `2h07`, `3d04h`: at most two units."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


def count(number: int) -> str:
    """`950`, `21.3k`, `1.2M`."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)
