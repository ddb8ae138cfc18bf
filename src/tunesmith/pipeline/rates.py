"""What calls of a model cost in a stage: one formula for what is known before a run and for what is measured.

    pass  =  once + prompt part + calls * decode part + fusion + verify * outputs verified
    prompt part  =  encode + prompt * (P - C) + cached * C + prefill * (P^2 - C^2) / 2
    decode part  =  call + completion * N + second * s + context * (P * N + N^2 / 2)

P prompt tokens, C of them in the provider's cache, N decoded tokens (thinking included), s seconds of a call.
The prompt part is charged once for the samples of a pass where `shared`, else for each. A pass is one run of
a stage on one item: a stage with several rounds has a pass for each. Every cost model (`costs/`) is a choice
of the coefficients, so that measured lengths equal to the stated ones cost exactly what was known before.

Workers import this file in whatever Python trains: standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Call:
    """One call of a model, as measured; None where it does not tell: then the stated average counts."""

    prompt: Optional[float] = None  # noqa: UP045 - read at run time by Python 3.9
    """Tokens of the prompt, those in the cache included."""
    completion: Optional[float] = None  # noqa: UP045
    """Tokens decoded, thinking included."""
    seconds: Optional[float] = None  # noqa: UP045
    """Wall time."""
    cached: Optional[float] = None  # noqa: UP045
    """Of `prompt`, those that the provider had in its cache."""


@dataclass(frozen=True)
class Rates:
    """Coefficients for one model in one stage, in units of the cost model; all finite, and the rates >= 0."""

    tokens: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Stated averages of a call: P, N, C."""
    visible: float = 0.0
    """Of N, what is no thinking: what a fusion call reads of each sample."""
    seconds: float = 0.0
    """Stated average of a call."""
    once: float = 0.0
    """For each pass; may be below 0 (the published AgentTTS units)."""
    encode: float = 0.0
    call: float = 0.0
    prompt: float = 0.0
    cached: float = 0.0
    completion: float = 0.0
    second: float = 0.0
    prefill: float = 0.0
    context: float = 0.0
    shared: bool = True
    fusion: bool = True
    """Whether the call that fuses samples is charged."""
    verify: float = 0.0
    """For each output that a verifier judges."""

    def prompt_part(self, call: Call) -> float:
        """Cost of reading the prompt."""
        tokens, _, in_cache, _ = self._measured(call)
        in_cache = min(in_cache, tokens)
        return (
            self.encode
            + self.prompt * (tokens - in_cache)
            + self.cached * in_cache
            + self.prefill * (tokens**2 - in_cache**2) / 2
        )

    def decode_part(self, call: Call) -> float:
        """Cost of writing one output."""
        tokens, decoded, _, seconds = self._measured(call)
        context = self.context * (tokens * decoded + decoded**2 / 2)
        return self.call + self.completion * decoded + self.second * seconds + context

    def fusion_call(self, samples: int) -> Call:
        """The stated average of a call that is given so many samples; nothing is in a cache."""
        prompt, completion, _ = self.tokens
        return Call(prompt + samples * self.visible, completion, self.seconds, 0.0)

    def known(self, samples: int, aggregator: str) -> float:
        """Cost of a pass by the stated averages, before anything is run.

        Args:
            samples: At least 1.
            aggregator: `fusion` adds its call where there are several samples; `best_of_n` and
                `check_then_vote` verify every sample.
        """
        average = Call()
        cost = self.once + self.prompt_part(average) * (1 if self.shared else samples)
        cost += samples * self.decode_part(average)
        if aggregator == "fusion" and samples > 1 and self.fusion:
            fused = self.fusion_call(samples)
            cost += self.prompt_part(fused) + self.decode_part(fused)
        if aggregator in ("best_of_n", "check_then_vote"):
            cost += samples * self.verify
        return cost

    def _measured(self, call: Call) -> tuple[float, float, float, float]:
        stated = (*self.tokens, self.seconds)
        told = (call.prompt, call.completion, call.cached, call.seconds)
        prompt, completion, cached, seconds = (
            known if given is None else given
            for given, known in zip(told, stated)  # noqa: B905 - Python 3.9
        )
        return prompt, completion, cached, seconds

    def as_json(self) -> dict[str, Any]:
        """For `trial.given`; fields at their default are left out."""
        empty = Rates()
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != getattr(empty, name)
        }


def read_rates(given: Mapping[str, Any]) -> Rates:
    """Inverse of `Rates.as_json`."""
    fields: Any = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return Rates(**fields)


def measured_cost(
    rates: Rates,
    samples: Sequence[Call],
    fusion: Optional[Call] = None,  # noqa: UP045
    verified: int = 0,
) -> float:
    """Cost of one pass of a stage on one item by what its calls took, whatever came from a cache of ours.

    Args:
        rates: Of the model that was called, from `trial.given["rates"][stage][model]` by `read_rates`.
        samples: The calls that drew samples; they have the same prompt. Empty: the pass costs 0.
        fusion: The call that fused them, where there was one.
        verified: Outputs that a verifier judged.
    """
    if not samples:
        return 0.0
    prompts = samples[:1] if rates.shared else samples
    cost = rates.once + rates.verify * verified
    cost += sum(map(rates.prompt_part, prompts)) + sum(map(rates.decode_part, samples))
    if fusion is not None and rates.fusion:
        cost += rates.prompt_part(fusion) + rates.decode_part(fusion)
    return cost
