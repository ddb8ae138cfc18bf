"""Who chooses the next trial: the `tuner` key of a task, and the settings of LLAMBO that it may change.

Here is which settings exist and what they may be. What upstream's own constants are is knowledge of the
strategy: see `agent/methods/llambo/protocol.py`, whose presets these settings override.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import ConfigDict, Field, model_serializer, model_validator

from tunesmith.trial import Frozen

Method = Literal["hybrid", "numeric", "llambo"]
Preset = Literal["llambo", "llambo-paper", "llambo-code"]
METHODS: tuple[str, ...] = get_args(Method)
PRESET_NAMES: tuple[str, ...] = get_args(Preset)


class LlamboProtocol(Frozen):
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
    completions: int = Field(default=5, ge=1, le=100)
    """Completions asked for in one call of the sampler; left out: candidates / templates, rounded up."""
    out_of_range: Literal["snap", "drop"] = "snap"
    """What becomes of an answer with values outside their ranges: the nearest legal one, or none."""
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

    @model_validator(mode="before")
    @classmethod
    def _completions_from_candidates(cls, data: Any) -> Any:
        if isinstance(data, dict) and "completions" not in data:
            known = cls.model_fields
            m = data.get("candidates", known["candidates"].default)
            templates = data.get("templates", known["templates"].default)
            if isinstance(m, int) and isinstance(templates, int) and 0 < m <= 200 and templates > 0:
                return {**data, "completions": min(-(-m // templates), 100)}
        return data


class TunerSpec(Frozen):
    """Who chooses, and what differs from the preset."""

    model_config = ConfigDict(strict=True)

    method: Method
    """hybrid: a model's beliefs, judged by statistics; numeric: statistics alone; llambo: LLAMBO itself."""
    preset: Preset = "llambo"
    """Where LLAMBO's settings come from."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of `LlamboProtocol` that differ from the preset; flat beside `method` in a file."""

    @model_serializer
    def _flat(self) -> dict[str, Any]:
        preset = {"preset": self.preset} if self.method == "llambo" else {}
        return {"method": self.method, **preset, **self.settings}

    def text(self) -> str:
        """`hybrid`, `llambo-paper`, or `llambo-paper with alpha=0.2`."""
        name = self.preset if self.method == "llambo" else self.method
        changed = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{name} with {changed}" if changed else name
