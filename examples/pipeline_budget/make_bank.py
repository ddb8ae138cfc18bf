"""Train the models, record every sample that replay.yaml can ask for, and say which allocation is best.

    python make_bank.py

Writes models.pt and bank.jsonl.gz here.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import stages

from tunesmith import load_task
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.bank import export_lines, open_bank
from tunesmith.tools.pipelines.bank_table import replay_table
from tunesmith.tools.pipelines.record import record

HERE = Path(__file__).parent


def main() -> None:
    """From nothing to the exhaustive optimum."""
    begun = time.perf_counter()
    stages.train()
    print(f"{time.perf_counter() - begun:6.1f} s  eight models trained: {stages.WEIGHTS.name}")
    task = load_task(HERE / "replay.yaml")
    assert task.problem is not None
    assert isinstance(task.problem.settings, PipelineSettings)
    settings = task.problem.settings

    bank = HERE / "bank.jsonl.gz"
    with TemporaryDirectory() as folder:
        recorded = Path(folder) / "bank.sqlite"
        for part in ("search", "confirm"):
            record(settings, HERE, recorded, part=part)
        store = open_bank(recorded)
        count = export_lines(store, bank)
        store.close()
    size = bank.stat().st_size / 1e3
    print(f"{time.perf_counter() - begun:6.1f} s  {count:,} samples recorded: {bank.name}, {size:.0f} kB")

    table = replay_table(settings, HERE)
    every = table.exhaustive()
    choices, best = every.best(settings.item_budget or float("inf"))
    again = replay_table(settings, HERE, part="confirm").evaluate(choices)
    print(f"{time.perf_counter() - begun:6.1f} s  {every.scores.size:,} allocations replayed; the best one:")
    for choice in choices:
        print(f"          {choice.stage}: {choice.model} x {choice.samples}, rounds {choice.rounds}")
    print(f"          quality {best:.3f} on the search's items, {again.score:.3f} on untouched ones")


if __name__ == "__main__":
    main()
