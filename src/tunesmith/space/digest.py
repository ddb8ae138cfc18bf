"""Canonical digest of a configuration: equal for values that no training run could tell apart.

Integers, steps and choices count exactly. A continuous float counts by its cell: its unit coordinate
(on its own scale) is cut into 10^9 cells. Values further apart than a cell always differ; closer ones are
equal unless a cell's edge runs between them, which happens to float noise (1e-16) about once in 10^7
values, as the edges avoid short decimals. The order of the parameters does not matter, the range does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from tunesmith.space.parameter import Parameter
from tunesmith.trial import Value


def digest(parameters: Mapping[str, Parameter], values: Mapping[str, Value]) -> str:
    """16 hexadecimal digits for legal values of active parameters."""
    tokens = sorted((name, parameters[name].token(value)) for name, value in values.items())
    return hashlib.blake2b(json.dumps(tokens).encode(), digest_size=8).hexdigest()
