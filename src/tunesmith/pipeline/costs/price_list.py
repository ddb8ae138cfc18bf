"""Prices of models by name, from the list that genai-prices brings along: no server is asked."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version

from tunesmith.pipeline.models import Price

_LIST = "genai-prices"


@lru_cache(maxsize=1024)
def listed_price(model: str) -> Price | None:
    """The list price of a model as its maker or the first provider of that name charges it; None: not listed.

    Prices that depend on the length of the prompt are those of short ones.
    """
    from genai_prices import Usage, calc_price  # 30 ms and 1 MB of data: only once money matters

    def dollars(**tokens: int) -> float:
        return float(calc_price(Usage(**tokens), model).total_price)

    try:
        found = calc_price(Usage(input_tokens=1000, output_tokens=1000), model)
        prompt, completion = (1000 * dollars(**{kind: 1000}) for kind in ("input_tokens", "output_tokens"))
        cached = 1000 * dollars(input_tokens=1000, cache_read_tokens=1000)
    except LookupError:
        return None
    source = f"{_LIST} {version(_LIST)}: {found.provider.id}, {found.model.id}"
    return Price(prompt=prompt, completion=completion, cached=cached, source=source[:200])


def is_listed(price: Price | None) -> bool:
    """Whether a price was looked up, rather than stated by the task."""
    return price is not None and price.source.startswith(_LIST)
