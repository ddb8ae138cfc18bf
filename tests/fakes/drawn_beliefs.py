"""Beliefs as the plots draw them."""

from __future__ import annotations

from typing import Any

from tunesmith.beliefs import Beliefs, ParameterBelief, Slice


def belief(name: str, importance: float | None, kind: str = "float", **more: Any) -> ParameterBelief:
    ticks = ("adamw", "sgd") if kind == "categorical" else ("0.0001", "0.003", "0.1")
    places = tuple(float(k) for k in range(2)) if kind == "categorical" else (0.0, 0.5, 1.0)
    mean = (0.7, 0.9, 0.8)[: len(places)]
    given: dict[str, Any] = dict(
        name=name,
        kind=kind,
        ticks=ticks,
        prior=(0.5, 0.5),
        posterior=(0.5, 0.5),
        expected="0.003",
        low="",
        high="",
        probability=0.8,
        sources=(),
        moved="",
        importance=importance,
        slice=Slice(
            positions=places,
            values=ticks[: len(places)],
            mean=mean,
            low=tuple(m - 0.05 for m in mean),
            high=tuple(m + 0.05 for m in mean),
        ),
    )
    return ParameterBelief(**(given | more))


def beliefs(*parameters: ParameterBelief) -> Beliefs:
    return Beliefs(finished=12, used=12, basis="twelve trials", metric="val_accuracy", parameters=parameters)
