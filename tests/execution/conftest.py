"""Real processes: a script on disk, an executor, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.testing.executors import Bench
from tunesmith.tools.execution.local import LocalExecutor


@pytest.fixture(scope="session")
def shared_executor() -> Iterator[LocalExecutor]:
    executor = LocalExecutor(4)
    yield executor
    executor.close()


@pytest.fixture
def bench(shared_executor: LocalExecutor, tmp_path: Path) -> Iterator[Bench]:
    """A bench over an executor that all tests share: none of them may harm it."""
    bench = Bench(shared_executor, tmp_path)
    yield bench
    assert not shared_executor._running, "a test left something running"


@pytest.fixture
def own_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches with executors of their own."""
    made: list[LocalExecutor] = []

    def make(workers: int = 2, *args: Any, **options: Any) -> Bench:
        made.append(LocalExecutor(workers, *args, **options))
        return Bench(made[-1], tmp_path)

    yield make
    for executor in made:
        executor.close()
