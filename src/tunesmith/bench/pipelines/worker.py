"""A process that makes runs of the suite `pipeline`; see `bench/worker.py` for what it is told."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tunesmith.bench.worker import serve
from tunesmith.text.cleaning import error_line

if TYPE_CHECKING:
    from tunesmith.bench.pipelines.landscape import Landscape
    from tunesmith.bench.pipelines.tasks import PipelineBenchTask


class PipelineRunner:
    """Makes runs; keeps the landscape of the last task and seed."""

    def __init__(self) -> None:
        from tunesmith.bench.pipelines.tasks import tasks

        self._tasks = {task.name: task for task in tasks()}
        self._landscape: tuple[tuple[str, int], Landscape] | None = None

    def answer(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The run that `spec` asks for, or the error that prevented it, as JSON data."""
        from threadpoolctl import threadpool_limits

        from tunesmith.bench.pipelines.contenders import contender
        from tunesmith.bench.pipelines.runs import made
        from tunesmith.bench.pipelines.search import Search

        try:
            task = self._tasks[spec["task"]]
            landscape, optimiser = self._drawn(task, spec["seed"]), contender(spec["contender"])
            search = Search(landscape, spec["evaluations"])
            began = time.process_time()
            with threadpool_limits(1):
                optimiser.run(search, spec["seed"])
            own_s = max(0.0, time.process_time() - began - search.seconds)
            return {"run": made(task, optimiser, spec["seed"], search, own_s).as_data()}
        except Exception as error:
            if os.environ.get("TUNESMITH_DEBUG"):
                raise
            return {"error": error_line(error)}

    def _drawn(self, task: PipelineBenchTask, seed: int) -> Landscape:
        key = task.name, seed
        if self._landscape is None or self._landscape[0] != key:
            landscape = task.make(seed)
            if not landscape.noisy:
                assert landscape.optimum >= 0  # worked out here, so that no contender is charged for it
            self._landscape = key, landscape
        return self._landscape[1]


def main() -> None:
    """Read specs and write results until stdin ends."""
    serve(lambda first: PipelineRunner())


if __name__ == "__main__":
    main()
