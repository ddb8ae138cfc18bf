"""What a trial's attribute in a study says beside Optuna's fields: who proposed it, why, and how it ended."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from tunesmith.text.cleaning import clean
from tunesmith.tools.records.bounds import MOST_ATTRIBUTE_BYTES
from tunesmith.trial import Trial

PROPOSAL = (
    "origin",
    "reason",
    "evidence",
    "expected",
    "spread",
    "prompt_id",
    "tokens",
    "provenance",
    "details",
)
"""Fields of a `Proposal` that are kept, beside its configuration."""


def provenance(trial: Trial, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """The `tunesmith` attribute: who proposed the trial and why and, once it ended, its outcome.

    What is empty is left out, and what people look for comes first: optuna-dashboard cuts long
    attributes. Tracebacks stay in the trial's folder.

    Args:
        metrics: The task's, which stay where there are too many.
    """
    proposal = trial.proposal.model_dump(include=set(PROPOSAL)) | {"origin": trial.proposal.origin.value}
    notes: dict[str, Any] = {}
    if trial.finished:
        notes |= {"outcome": trial.state.value, "message": trial.message, "loss": trial.loss}
    notes |= {key: proposal[key] for key in PROPOSAL}
    notes |= {"values": trial.values, "notes": trial.notes, "reports": trial.reports}
    notes |= {"seconds": trial.seconds, "seed": trial.seed, "cost": trial.cost}
    notes["details"] = {key: value for key, value in proposal["details"].items() if math.isfinite(value)}
    kept = {key: value for key, value in notes.items() if _worth_keeping(key, value)}
    return _fitting(kept, metrics) | {"started_at": trial.started_at}


def _fitting(notes: dict[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    """What a database can hold: the least important goes first; the trial's folder has all of it."""
    for key in ("details", "values", "notes", "evidence", "provenance"):
        if len(json.dumps(notes)) <= MOST_ATTRIBUTE_BYTES:
            return notes
        own = {m: v for m, v in notes.get(key, {}).items() if m in metrics} if key == "values" else {}
        notes = {name: own if name == key else value for name, value in notes.items() if name != key or own}
    return notes | {"reason": clean(notes.get("reason", ""), 2000)}


def _worth_keeping(key: str, value: Any) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False  # no JSON, and no browser could show the trial
    # An expectation of 0.0 is information; no tokens and no seconds are none.
    return value not in (None, "", (), {}) and not (
        key in ("tokens", "seconds", "seed", "reports") and value == 0
    )
