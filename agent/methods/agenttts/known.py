"""What a history shows of a pipeline, ready to be asked of any allocation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.agent.methods.agenttts.evidence import Observation, observations, stage_observations
from tunesmith.agent.methods.agenttts.features import features
from tunesmith.agent.methods.agenttts.options import Options, Rows
from tunesmith.agent.methods.agenttts.posterior import Posterior, seen
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.history import Array, History
from tunesmith.pipeline.kind import QUALITY
from tunesmith.trial import Configuration, Trial


class Known:
    """The surrogate at one history. Rows are places of options, as in `Options`.

    Args:
        options: Of the pipeline; those that only trials or others' proposals have are added.
        history: Its pending trials count as run, with the result that is expected of them.
        others: Further configurations that will be asked about.
        settings: Which insights take part.
        rng: For the surrogate.
    """

    def __init__(
        self,
        options: Options,
        history: History,
        others: Sequence[Configuration],
        settings: AgentTTSSettings,
        rng: np.random.Generator,
    ) -> None:
        self.history = history
        every = [*(t.configuration for t in history), *others]
        self._read = {c.digest: options.read(history.space.originals(c)) for c in every}
        self.options = options.including([(c, self._read[c.digest]) for c in every])
        self._places = [{c: i for i, c in enumerate(stage.choices)} for stage in self.options.stages]
        self.features = [
            features(options.settings.stages[stage.name], stage.choices) for stage in self.options.stages
        ]
        of_trials = {t.number: self._read[t.configuration.digest] for t in history}
        self.ends = observations(history, of_trials, QUALITY)
        parts = stage_observations(history, of_trials, [stage.name for stage in self.options.stages])
        state = rng.bit_generator.state
        self.posterior = self._fitted(self.ends, parts, settings, rng)
        if history.pending:
            rows = self.rows([t.configuration for t in history.pending])
            expected = self.posterior.quality(rows)[0]
            assumed = [
                Observation(t.number, of_trials[t.number], float(mean), np.empty(0))
                for t, mean in zip(history.pending, expected, strict=True)
            ]
            rng.bit_generator.state = state
            self.posterior = self._fitted([*self.ends, *assumed], parts, settings, rng)
        self.costs = self._measured_costs()

    def rows(self, configurations: Sequence[Configuration]) -> Rows:
        """(m, stages); of trials and of the `others` only."""
        places = [
            [self._places[k][choice] for k, choice in enumerate(self._read[c.digest])] for c in configurations
        ]
        return np.array(places, dtype=np.intp).reshape(len(places), len(self._places))

    def history_trial(self, number: int) -> Trial:
        trial = self.history.get(number)
        assert trial is not None
        return trial

    def cost(self, rows: Rows) -> Array:
        """Expected measured cost of allocations for one item: as known before, corrected by what was seen."""
        return np.asarray(self.options.costs(rows) * self.costs)

    def _measured_costs(self) -> float:
        """Measured costs as a multiple of those known before, median over trials; 1 where none is known."""
        done = [t for t in self.history.completed if t.values.get("cost", 0.0) > 0]
        if not done:
            return 1.0
        stated = self.options.costs(self.rows([t.configuration for t in done]))
        ratios = np.array([t.values["cost"] for t in done]) / stated
        return float(np.median(ratios)) if np.isfinite(ratios).all() and (ratios > 0).all() else 1.0

    def _fitted(
        self,
        ends: Sequence[Observation],
        parts: Sequence[Observation],
        settings: AgentTTSSettings,
        rng: np.random.Generator,
    ) -> Posterior:
        return Posterior(self.features, seen(ends, parts, self._places, len(self._places)), settings, rng)
