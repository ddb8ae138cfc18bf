"""LLAMBO's settings, and upstream's constants by name as presets.

The paper (Liu et al., ICLR 2024, arXiv 2402.03921, appendix D) and the released code disagree in places:
the number of candidates and the sign of alpha above all. So there are two presets of theirs, each constant
with its source; where the paper is silent its preset takes the code's. `llambo` is the same algorithm with
its faults repaired: precision from the range, a target on any scale, several candidates a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.task.tuner import LlamboProtocol, TunerSpec

__all__ = ["PRESETS", "UPSTREAM", "Constant", "LlamboProtocol", "calls_a_trial", "changed", "protocol_for"]

CODE = "released code, end-to-end runs"
PAPER = "paper, appendix D"
RECORDED = "the published recorded runs"


@dataclass(frozen=True)
class Constant:
    """One of upstream's constants.

    Attributes:
        name: What upstream calls it.
        field: The setting of `LlamboProtocol` it is.
        source: Where it is written or follows from.
    """

    name: str
    field: str
    value: Any
    source: str


_SHARED = (
    Constant("n_initial_samples", "initial", 5, f"{CODE}; {PAPER}"),
    Constant("initial design", "initial_design", "random", f"{CODE}: the warm start is a separate script"),
    Constant("context", "context", "full", CODE),
    Constant("n_templates", "templates", 2, f"{CODE}; the paper is silent"),
    Constant("shuffled examples", "permute", True, f"{CODE}; {PAPER}"),
    Constant("bootstrapping", "bootstrap", False, CODE),
    Constant("use_recalibration", "recalibrate", False, f"{CODE}: off, and it crashes when on"),
    Constant("sm_mode", "surrogate", "discriminative", f"{CODE}; {PAPER}"),
    Constant("candidates a surrogate call", "batch", 1, CODE),
    Constant("top_pct", "top_share", 0.25, CODE),
    Constant("acquisition", "acquisition", "ei", f"{CODE}; {PAPER}"),
    Constant("target", "target", "upstream", CODE),
    Constant("filter of candidates", "out_of_range", "drop", f"{CODE}: keys known and in range"),
    Constant("retries of the sampler", "attempts", 4, f"{CODE}: gives up after the fourth"),
    Constant("top_p", "top_p", 0.95, f"{CODE}; {PAPER}"),
    Constant("surrogate temperature", "surrogate_temperature", 0.7, f"{CODE}; {PAPER}"),
    Constant("warm start temperature", "warm_start_temperature", 0.7, f"{CODE}; {PAPER}"),
    Constant("sampler max_tokens", "sampler_max_tokens", 500, CODE),
    Constant("surrogate max_tokens", "surrogate_max_tokens", 8, CODE),
    # Upstream shows every trial; a bound far above its 30 leaves that as it is.
    Constant("examples shown", "history_limit", 200, f"{CODE}: all of at most 30"),
)

UPSTREAM: dict[str, tuple[Constant, ...]] = {
    "llambo-paper": (
        *_SHARED,
        Constant("M", "candidates", 20, PAPER),
        Constant("completions a sampler call", "completions", 10, "M / n_templates"),
        Constant("K", "samples", 5, f"{PAPER}: K = 10 predictions, over two templates"),
        Constant("alpha", "alpha", -0.1, PAPER),
        Constant("sampler temperature", "sampler_temperature", 0.7, PAPER),
        Constant("log10 warping", "warp", True, RECORDED),
        Constant("decimals", "number_rule", "recorded", f"{RECORDED}: those of the lower bound (0: 2), + 2"),
    ),
    "llambo-code": (
        *_SHARED,
        Constant("n_candidates", "candidates", 10, CODE),
        Constant("completions a sampler call", "completions", 5, f"{CODE}: n_candidates / n_templates"),
        Constant("n_gens", "samples", 10, f"{CODE}: per template, so 20 a candidate"),
        Constant("alpha", "alpha", 0.1, CODE),
        Constant("sampler temperature", "sampler_temperature", 0.8, CODE),
        Constant("use_input_warping", "warp", False, CODE),
        Constant("decimals", "number_rule", "lower_bound", f"{CODE}: those of the raw lower bound"),
    ),
}
"""Upstream's constants by preset."""

PRESETS: dict[str, LlamboProtocol] = {
    "llambo": LlamboProtocol(),
    **{name: LlamboProtocol(**{c.field: c.value for c in found}) for name, found in UPSTREAM.items()},
}


def protocol_for(spec: TunerSpec) -> LlamboProtocol:
    """The preset of a task's `tuner` with its settings changed.

    Raises:
        ValidationError: A setting that cannot be; a task that was read has none.
    """
    return changed(PRESETS[spec.preset], spec.settings)


def changed(protocol: LlamboProtocol, settings: dict[str, Any]) -> LlamboProtocol:
    """`protocol` with other settings, checked; completions follow candidates and templates unless given."""
    kept = protocol.model_dump()
    if {"candidates", "templates"} & settings.keys():
        del kept["completions"]
    return LlamboProtocol.model_validate({**kept, **settings})


def calls_a_trial(protocol: LlamboProtocol) -> int:
    """Calls of the model for one proposal where every answer can be read and the server gives n at once."""
    surrogate = -(-protocol.candidates // protocol.batch) * protocol.templates
    return protocol.templates + surrogate
