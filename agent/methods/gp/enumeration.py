"""Every configuration of a space that is small enough to list."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tunesmith.history import Array
from tunesmith.space import Space
from tunesmith.space.definition import WhyNotRun

MOST_ROWS = 2000
"""Spaces of more configurations than this are searched rather than listed."""


def list_rows(space: Space) -> Array | None:
    """Unit-cube rows (m, c), read-only, of all legal configurations; None when they are too many."""
    return _listed(space, space.why_not_run)


@lru_cache(maxsize=16)
def _listed(space: Space, why_not_run: WhyNotRun | None) -> Array | None:
    """As `list_rows`. What cannot be run is no part of a space's equality, so it is one of the arguments."""
    if space.cardinality is None or space.cardinality > MOST_ROWS:
        return None
    rows = np.array([space.encode(c)[0] for c in space.all_configurations()])
    rows = rows.reshape(-1, space.dimensions)
    rows.flags.writeable = False
    return rows
