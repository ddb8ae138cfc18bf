"""LLAMBO's settings, and upstream's constants by name as presets.

The paper (Liu et al., ICLR 2024, arXiv 2402.03921, appendix D) and the released code disagree in places:
the number of candidates and the sign of alpha above all. So there are two presets of theirs, each constant
with its source; where the paper is silent its preset takes the code's. `llambo` is the same algorithm with
its faults repaired: precision from the range, a target on any scale, several candidates a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, create_model

from tunesmith.trial import Frozen


def _completions(known: dict[str, Any]) -> int:
    return min(-(-int(known["candidates"]) // int(known["templates"])), 100)


class LlamboSettings(Frozen):
    """Every setting of LLAMBO (Liu et al., ICLR 2024), with the repaired defaults of the preset `llambo`.

    Counts are per proposal unless said otherwise. Immutable and hashable.
    """

    model_config = ConfigDict(strict=True)

    context: Literal["none", "partial", "full"] = "full"
    """How much of task and data the prompts tell; see `context.py`."""
    blinded: bool = False
    """Names become X1, X2, ..., categories become labels, and words and metric name are left out."""
    initial: int = Field(default=5, ge=1, le=1000)
    """Trials before the loop begins."""
    initial_design: Literal["random", "warm_start"] = "warm_start"
    """Where they come from: drawn at random, or the model's zero-shot design."""

    alpha: float = Field(default=0.1, ge=-10, le=10, allow_inf_nan=False)
    """How far beyond the best value the target lies, as a share of the observed range; below 0: short of
    it."""
    target: Literal["robust", "upstream"] = "robust"
    """robust: a range that one diverged value cannot stretch, any sign and scale; upstream: max - min, kept
    within 0.00001 and 0.9999 where the metric is a share."""
    candidates: int = Field(default=10, ge=1, le=200)
    """M: candidates that the sampler proposes and the surrogate scores."""
    templates: int = Field(default=2, ge=1, le=20)
    """Prompts with differently ordered examples, for sampler and surrogate each."""
    completions: int = Field(default_factory=_completions, ge=1, le=100)
    """Completions asked for in one call of the sampler; left out: candidates / templates, rounded up."""
    out_of_range: Literal["snap", "drop"] = "snap"
    """Treatment of an answer with values outside their ranges: the nearest legal one, or dropped."""
    attempts: int = Field(default=2, ge=1, le=10)
    """Rounds of calls after which the sampler takes what it has."""

    surrogate: Literal["discriminative", "generative"] = "discriminative"
    """discriminative: predicts values; generative: the probability of being among the best."""
    samples: int = Field(default=5, ge=1, le=100)
    """K: predictions per candidate and template."""
    permute: bool = True
    """Whether the examples are ordered differently in each template."""
    bootstrap: bool = False
    """Whether each template of the surrogate shows a sample with replacement of the examples."""
    recalibrate: bool = True
    """Whether the predicted spread is rescaled by leave-one-out errors."""
    batch: int = Field(default=10, ge=1, le=100)
    """Candidates in one call of the surrogate; 1 as upstream."""
    top_share: float = Field(default=0.25, gt=0, lt=1)
    """Share of the trials that the generative surrogate calls good."""
    acquisition: Literal["ei", "log_ei", "ucb"] = "log_ei"
    ucb_kappa: float = Field(default=2.0, ge=0, le=100, allow_inf_nan=False)

    sampler_temperature: float = Field(default=0.8, ge=0, le=2)
    surrogate_temperature: float = Field(default=0.7, ge=0, le=2)
    warm_start_temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    sampler_max_tokens: int = Field(default=500, ge=1, le=100_000)
    surrogate_max_tokens: int = Field(default=24, ge=1, le=100_000)
    """For one candidate's prediction; a call for several gets as many times that."""
    warm_start_max_tokens: int = Field(default=2000, ge=1, le=100_000)

    number_rule: Literal["lower_bound", "recorded", "span"] = "span"
    """How many decimals a value is shown with; see `formats.py`."""
    warp: bool = False
    """Whether parameters on a log scale are shown as their log10."""
    history_limit: int = Field(default=40, ge=4, le=1000)
    """Trials shown at most: the best, the latest, failed and differing ones. Keeps prompts bounded."""


CODE = "released code, end-to-end runs"
PAPER = "paper, appendix D"
RECORDED = "the published recorded runs"


@dataclass(frozen=True)
class Constant:
    """One of upstream's constants.

    Attributes:
        name: What upstream calls it.
        field: The setting of `LlamboSettings` it is.
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


def _preset(class_name: str, constants: tuple[Constant, ...]) -> type[LlamboSettings]:
    """The same settings with upstream's constants as defaults."""
    fields: dict[str, Any] = {}
    for constant in constants:
        info = LlamboSettings.model_fields[constant.field]
        if info.default_factory is None:  # else it follows from other constants
            fields[constant.field] = (Annotated[info.annotation, Field(), *info.metadata], constant.value)
    return create_model(class_name, __base__=LlamboSettings, __module__=__name__, **fields)


# Assigned by name at the top of the module, so that settings can be pickled.
LlamboPaperSettings = _preset("LlamboPaperSettings", UPSTREAM["llambo-paper"])
LlamboCodeSettings = _preset("LlamboCodeSettings", UPSTREAM["llambo-code"])
PRESETS: dict[str, LlamboSettings] = {
    "llambo": LlamboSettings(),
    "llambo-paper": LlamboPaperSettings(),
    "llambo-code": LlamboCodeSettings(),
}


def changed(settings: LlamboSettings, changes: Mapping[str, Any]) -> LlamboSettings:
    """`settings` with others in their place; completions follow candidates and templates unless given.

    Raises:
        ValidationError: A setting that cannot be.
    """
    return type(settings).model_validate({**settings.model_dump(exclude_unset=True), **changes})


def calls_a_trial(settings: LlamboSettings) -> int:
    """Calls of the model for one proposal where every answer can be read and the server gives n at once."""
    surrogate = -(-settings.candidates // settings.batch) * settings.templates
    return settings.templates + surrogate


def calls_needed(settings: LlamboSettings, trials: int) -> int:
    """Calls of the model for the proposals of a run of so many trials, without those of the warm start."""
    return calls_a_trial(settings) * max(trials - settings.initial, 0)
