"""Runs on disk."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from tunesmith.bench.store import Run, Store

RUN = Run(
    "iris/SVM", "tpe", "optuna 5.0.0", "0123abcd", 0, (0.5, None, 0.75), 1.5, 0.25, 2, {"optuna": "5.0.0"}
)


def test_a_run_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    Store(tmp_path / "suite").append([RUN])
    assert Store(tmp_path / "suite").load() == [RUN]


def test_a_line_cut_short_by_a_kill_costs_that_run_only(tmp_path: Path) -> None:
    store, other = Store(tmp_path), replace(RUN, seed=1)
    store.append([RUN])
    with open(store.path, "ab") as file:
        file.write(b'{"task": "iris/SVM", "val')
    store.append([other])
    assert store.load() == [RUN, other]
    assert store.damaged == 1


@pytest.mark.parametrize("line", ["[]", "3", '{"task": 1}', '{"values": [1]}', "{}", "\\u0000", "nonsense"])
def test_foreign_lines_are_counted_and_left_alone(tmp_path: Path, line: str) -> None:
    store = Store(tmp_path)
    store.append([RUN])
    with open(store.path, "a") as file:
        file.write(line + "\n")
    assert store.load() == [RUN]
    assert store.damaged == 1
    store.drop("tpe")
    assert store.path.read_text() == line + "\n"


def test_of_two_runs_with_one_key_the_longer_one_counts_then_the_newer(tmp_path: Path) -> None:
    store = Store(tmp_path)
    longer, newer = replace(RUN, values=(1.0, 2.0, 3.0, 4.0)), replace(RUN, values=(5.0, 6.0, 7.0))
    store.append([longer, newer])
    assert store.load() == [longer]
    again = replace(longer, date="later")
    store.append([again])
    assert store.load() == [again]


def test_another_version_or_setting_is_another_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [RUN, replace(RUN, version="optuna 6"), replace(RUN, setting="ffffffff")]
    store.append(runs)
    assert store.load() == runs


def test_appends_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for seed in range(10):
            Store(tmp_path).append([replace(RUN, contender=f"c{number}", seed=seed)])
            Store(tmp_path).drop("nobody")

    with ThreadPool(4) as pool:
        pool.map(write, range(4))
    assert len(Store(tmp_path).load()) == 40
