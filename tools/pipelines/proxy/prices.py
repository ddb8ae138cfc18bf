"""What calls cost: dollars for a million tokens, as the task states them or a price list knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.text.own_server import is_own_server
from tunesmith.tools.pipelines.proxy.usage import Usage

MILLION = 1e6


class Prices:
    """By model.

    Args:
        known: `{model: {"prompt": 0.3, "completion": 1.2, "cached": 0.03}}`, dollars per million tokens, by
            what the provider calls the model. `cached` may be None or absent: as `prompt`. `call`: dollars
            for each request. `source`: the list that it comes from, where nobody states it.
    """

    def __init__(self, known: Mapping[str, Mapping[str, Any]]) -> None:
        self._known = dict(known)

    def dollars(self, model: str, base_url: str, usage: Usage) -> float | None:
        """Price of one call; None where it is not known. One's own server without a stated price is free."""
        price = self._known.get(model)
        listed = price is None or bool(price.get("source"))
        if listed and is_own_server(base_url):
            return 0.0
        if price is None:
            return None
        cached = price.get("cached")
        rate = price["prompt"] if cached is None else cached
        fresh = usage.prompt - usage.cached
        total = fresh * price["prompt"] + usage.cached * rate + usage.completion * price["completion"]
        return float(total / MILLION + price.get("call", 0.0))
