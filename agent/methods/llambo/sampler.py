"""LLAMBO as an Optuna sampler, whole or in parts, for any Optuna study.

    study = optuna.create_study(direction="maximize", sampler=LlamboSampler(
        space, preset="llambo-paper", words="Random forest on tabular data", data=(X, y)))
    study.optimize(objective, n_trials=30)

The model is found in the environment as for `tunesmith run` (OPENAI_API_KEY, or TUNESMITH_BASE_URL) unless it
is given. Where it fails the Gaussian process proposes instead, with a warning: no study dies of a model.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from tunesmith.agent.methods.llambo.composition import Judging, Sampling, compose
from tunesmith.agent.methods.llambo.context import TaskWords
from tunesmith.agent.methods.llambo.settings import PRESETS, LlamboSettings, changed
from tunesmith.agent.models import LanguageModel, Mode, open_model
from tunesmith.agent.models.function import Answering
from tunesmith.agent.samplers.tunesmith_sampler import ConstraintsFunction, TunesmithSampler
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.data_card import DataCard
from tunesmith.errors import ModelError, UsageError
from tunesmith.events import Degraded
from tunesmith.settings import NO_KEY, ModelSettings
from tunesmith.space import Space

CAPS = ModelCaps(calls=2000, tokens=3_000_000, dollars=2.0)
"""Of one sampler: about a hundred trials by upstream's own protocol."""
logger = logging.getLogger(__name__)


class LlamboSampler(TunesmithSampler):
    """Warm start, candidates and surrogate by a language model (Liu et al., ICLR 2024).

    Define-by-run as its base: without a space what all completed trials share is proposed together, other
    parameters by themselves; the model is first asked in the second trial then. Several objectives are
    scalarised; trials that break a constraint are shown as such, and are never the best or the target. Can be
    pickled; an API key is not, and is read from the environment again.

    Args:
        space: The search space, with conditions and constraints if any; None means found from the trials.
        model: Settings, a LanguageModel, or any function from messages to an answer; None means from the
            environment, and with none there, or where the environment names no model, a warning and the
            Gaussian process alone.
        preset: `llambo`, `llambo-paper` or `llambo-code`, or a protocol of one's own.
        settings: What differs from the preset, such as `{"candidates": 20, "blinded": True}`.
        sampler: Whose candidates: the model's (`llambo`) or the numeric search's (`numeric`).
        surrogate: Who judges them: `discriminative`, `generative`, `gp`; None means as the preset says.
        words: The task in words.
        metric: What prompts call the value that the objective returns.
        data, seed, default, priors, constraints_func: As for `TunesmithSampler`.
        caps: What the model may cost in all.
        exchanges, mode: To record the conversation in a file, or to replay it from there.
    Raises:
        UsageError: an unknown preset, a setting that cannot be, or a `model` that is none.
    """

    _language_model: LanguageModel | None

    def __init__(
        self,
        space: Space | None = None,
        *,
        model: LanguageModel | ModelSettings | Answering | None = None,
        preset: str | LlamboSettings = "llambo",
        settings: Mapping[str, Any] | None = None,
        sampler: Sampling = "llambo",
        surrogate: Judging | None = None,
        words: TaskWords | str = "",
        data: DataCard | tuple[Any, Any] | None = None,
        metric: str | None = None,
        seed: int | None = None,
        default: Mapping[str, Any] | None = None,
        priors: bool = True,
        caps: ModelCaps = CAPS,
        exchanges: Path | str | None = None,
        mode: Mode | None = None,
        constraints_func: ConstraintsFunction | None = None,
    ) -> None:
        plain = words if isinstance(words, str) else " ".join((words.model, words.description, words.data))
        super().__init__(
            space,
            seed=seed,
            words=plain,
            priors=priors,
            default=default,
            data=data,
            constraints_func=constraints_func,
        )
        self._protocol, self._task_words = _protocol(preset, settings or {}), words
        self._parts: dict[str, Any] = {"sampler": sampler, "surrogate": surrogate, "metric": metric}
        self._caps = caps
        self._exchanges = None if exchanges is None else Path(exchanges)
        self._mode: Mode = mode or ("record" if exchanges is not None else "live")
        if not (model is None or isinstance(model, LanguageModel | ModelSettings) or callable(model)):
            raise UsageError(f"a {type(model).__name__} is no model: give ModelSettings or a function")
        self._choice = None if isinstance(model, LanguageModel) else model
        self._language_model = model if isinstance(model, LanguageModel) else None

    @property
    def spend(self) -> ModelSpend:
        """What the model has cost through this sampler."""
        return ModelSpend() if self._language_model is None else self._language_model.usage

    def close(self) -> None:
        """Close the connection to the model; it opens again when needed. Idempotent."""
        if self._language_model is not None and self._opened:
            self._language_model.close()
            self._language_model = None
            self._strategies.clear()

    def _forget(self) -> None:
        super()._forget()
        self._language_model = None
        self._opened: bool = False  # whether the model is ours to close
        self._alone: bool = False  # whether it was found that there is no model

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if isinstance(self._choice, ModelSettings):  # keys are never written anywhere
            state["_choice"] = self._choice.model_copy(update={"api_key": SecretStr(NO_KEY)})
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        choice, known = self._choice, ModelSettings.from_environment()
        if isinstance(choice, ModelSettings) and known is not None and known.base_url == choice.base_url:
            self._choice = choice.model_copy(update={"api_key": known.api_key})

    def _build(self, space: Space) -> Any:
        """LLAMBO over a space; the Gaussian process where there is no model at all."""
        alone, model = super()._build(space), self._open()
        if model is None:
            return alone
        return compose(
            model,
            space,
            self._seed,
            self._task_words,
            self._protocol,
            fallback=alone,
            data=self._card,
            emit=self._heard,
            **self._parts,
        )

    def _open(self) -> LanguageModel | None:
        """The model; None where there is none, which is a warning once."""
        if self._language_model is None and not self._alone:
            choice = self._choice or ModelSettings.from_environment()
            try:
                self._language_model = open_model(
                    choice, self._caps, self._heard, exchanges=self._exchanges, mode=self._mode
                )
                self._opened = True
            except ModelError as error:
                self._alone = True
                warnings.warn(f"LlamboSampler goes on with the Gaussian process alone: {error}", stacklevel=2)
        return self._language_model

    def _heard(self, event: Any) -> None:
        """Events of the parts: what is degraded becomes a warning, the rest goes to the log."""
        if isinstance(event, Degraded) and event.what in ("fallback", "warning"):
            warnings.warn(f"LlamboSampler: {event.where}: {event.cause}: {event.continuation}", stacklevel=2)
        else:
            logger.debug("%s", event)


def _protocol(preset: str | LlamboSettings, settings: Mapping[str, Any]) -> LlamboSettings:
    if isinstance(preset, str) and preset not in PRESETS:
        raise UsageError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    chosen = PRESETS[preset] if isinstance(preset, str) else preset
    try:
        return changed(chosen, dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise UsageError(f"LLAMBO's setting {name}: {first['msg']}") from None
