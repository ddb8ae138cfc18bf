"""What a call costs, from the price list in genai-prices. An unknown price is unknown, never free.

Models on a server of one's own (this machine, a private address) are counted as free, with a
note: the electricity is not in any list. A gateway on such an address may pass calls on to a paid
provider: cap calls and tokens there.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.text.own_server import is_own_server


@dataclass(frozen=True)
class Price:
    """How one model's tokens are priced."""

    model: str
    url: str | None
    """The provider's base URL when the list knows it; None to go by the model's name alone."""
    source: str
    """Where the price comes from; a run notes it unless it is empty or `list price`."""
    free: bool = False

    def dollars(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Price of one call, US dollars."""
        if self.free:
            return 0.0
        from genai_prices import Usage, calc_price  # 30 ms and 1 MB of data: only once money matters

        usage = Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens)
        price = calc_price(usage, self.model, provider_api_url=self.url)
        return float(price.total_price)


def price_of(model: str, base_url: str) -> Price | None:
    """The price of a model at a base URL, or None when it is not known.

    A provider that the list does not know is priced like the model's maker, where the name is known.
    """
    if is_own_server(base_url):
        return Price(model, None, "assumed free: own server", free=True)
    for url, source in (
        (base_url, "list price"),
        (None, "list price of the model's maker; this server is not in the list"),
    ):
        price = Price(model, url, source)
        try:
            price.dollars(1000, 1000)
        except LookupError:
            continue
        return price
    return None
