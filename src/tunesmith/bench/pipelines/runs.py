"""The record of a run, one line of `benchmarks/pipeline/runs.jsonl`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith.bench.pipelines.contenders.base import Contender
from tunesmith.bench.pipelines.search import Change, Search
from tunesmith.bench.pipelines.tasks import PipelineBenchTask
from tunesmith.bench.store import Key, RunFile


@dataclass(frozen=True)
class PipelineRun:
    """One contender on one task, drawn for one seed.

    Attributes:
        n: Items of one whole evaluation.
        optimum: Best mean score of a feasible allocation; None where it is not worked out.
        optimum_se: Its standard error from the spread over items.
        start: True quality of the default, which is what a user has before the search.
        size: Feasible allocations.
        changes: What it would have chosen, when; the last one is its choice.
        items, cost: Item evaluations of the whole run, and what they cost.
        tried: Allocations of which at least one item was evaluated.
        infeasible, repeated: Proposals beyond the budget, and of what had been evaluated.
        own_s: CPU seconds of the optimiser itself.
        calls: Of a language model.
    """

    task: str
    contender: str
    version: str
    setting: str
    seed: int
    n: int
    optimum: float | None
    optimum_se: float | None
    start: float
    size: int
    changes: tuple[Change, ...]
    items: int
    cost: float
    tried: int
    infeasible: int
    repeated: int
    own_s: float
    calls: int = 0
    date: str = ""

    @staticmethod
    def key_of(task: PipelineBenchTask, contender: Contender, seed: int) -> Key:
        """The key of a run as it would be made now."""
        return task.name, contender.name, seed, contender.version, task.version

    @property
    def key(self) -> Key:
        return self.task, self.contender, self.seed, self.version, self.setting

    @property
    def length(self) -> int:
        return 0  # all runs of a key are whole: the newest is read

    def as_data(self) -> dict[str, Any]:
        """As a line of the store."""
        return {
            **asdict(self),
            "changes": [[c.items, _short(c.cost), _short(c.quality)] for c in self.changes],
        }


def made(
    task: PipelineBenchTask, contender: Contender, seed: int, search: Search, own_s: float
) -> PipelineRun:
    """The record of a search that has just ended."""
    landscape = search.landscape
    assert landscape.task.default is not None
    return PipelineRun(
        task=task.name,
        contender=contender.name,
        version=contender.version,
        setting=task.version,
        seed=seed,
        n=search.n,
        optimum=None if landscape.noisy else _short(landscape.optimum),
        optimum_se=None if landscape.noisy else _short(landscape.optimum_se),
        start=_short(landscape.truth(landscape.task.default)),
        size=len(landscape.feasible),
        changes=tuple(search.changes),
        items=search.items,
        cost=_short(search.cost),
        tried=search.tried,
        infeasible=search.infeasible,
        repeated=search.repeated,
        own_s=round(own_s, 3),
        calls=search.calls,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def open_runs(folder: Path) -> RunFile[PipelineRun]:
    """The stored runs of the suite."""
    return RunFile(folder, _read)


def as_pipeline_run(data: dict[str, Any]) -> PipelineRun:
    """A run from its JSON form.

    Raises:
        TypeError, KeyError, ValueError: It is not one.
    """
    changes = tuple(Change(int(items), float(cost), float(q)) for items, cost, q in data["changes"])
    return PipelineRun(**{**data, "changes": changes})


def digest_of(parts: Sequence[Any]) -> str:
    """8 hexadecimal digits of JSON data."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=4).hexdigest()


def _read(line: bytes) -> PipelineRun | None:
    try:
        run = as_pipeline_run(json.loads(line))
        return run if run.n >= 1 and isinstance(run.seed, int) else None
    except (ValueError, TypeError, KeyError):
        return None


def _short(value: float) -> float:
    return float(f"{value:.8g}")
