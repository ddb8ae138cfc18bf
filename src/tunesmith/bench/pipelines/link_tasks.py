"""Link-and-Add as tasks: four budgets and two aggregators; stage order and models drawn anew for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from tunesmith.bench.pipelines.landscape import Choices, Landscape, Looked, pipeline_task
from tunesmith.history import Array
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.table import ReplayTable


@dataclass(frozen=True)
class RecordedTable:
    """A sample bank, compiled; what is worked out over all allocations is shared between budgets."""

    table: ReplayTable
    _means: dict[Choices, Array] = field(default_factory=dict)

    def looked(self, choices: tuple[StageChoice, ...]) -> Looked:
        return self.table.evaluate(choices)

    def means(self, choices: Choices) -> Array:
        if choices not in self._means:
            self._means[choices] = self.table.exhaustive(choices).scores
        return self._means[choices]


def maker(
    aggregator: str, budget: int, *, repairs: bool = False, few_items: bool = False
) -> Callable[[int], Landscape]:
    """Draws the landscape of a setting for a seed; arguments as of `variants.variant`."""

    def make(seed: int) -> Landscape:
        from tunesmith.bench.pipelines import variants  # imports PyTorch: seconds

        drawn = variants.variant(seed, aggregator, budget, repairs=repairs, few_items=few_items)
        settings = drawn.settings.model_dump(mode="json", exclude_defaults=True)
        judges = drawn.judges if drawn.few_items else None
        return Landscape(pipeline_task(settings, seed), _recorded(drawn.table), drawn.items, judges)

    return make


@lru_cache(maxsize=8)
def _recorded(table: ReplayTable) -> RecordedTable:
    return RecordedTable(table)
