"""What a trial of the kind `pipeline` runs. Workers import this file: Python 3.9, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import ObjectiveError


def evaluate(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    """Run the allocation `config` on the search items of the pipeline that `trial.given` describes."""
    raise ObjectiveError("pipelines cannot be run yet")
