"""What a trial of the kind `pipeline` runs. Workers import this file: Python 3.9, standard library only."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import PipelineError
from tunesmith.pipeline.allocation import allocation
from tunesmith.tools.pipelines.bank import open_samples
from tunesmith.tools.pipelines.coverage import check_coverage
from tunesmith.tools.pipelines.items import check_leak, load_items, split_items
from tunesmith.tools.pipelines.running import CONFIRMED_FROM, ItemResult, Runner
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import load_judge, load_stages

QUALITY, COST = "quality", "cost"
_RETRAINED_FROM = 1_000_000
"""So many seeds of a confirmation have samples of their own before those of a retraining."""


def evaluate(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    """Run the allocation `config` on the search items of the pipeline that `trial.given` describes.

    After each item the mean of the scores so far is reported, and a verdict to stop is obeyed; the scores of
    the items that were run are kept either way.

    Returns:
        `quality` and `cost`, means over the items; for each stage `<stage>.cost` and `<stage>.calls`, means
        as well, `<stage>.share` of the items that it ran on, and over those `<stage>.score`.
    Raises:
        PipelineError, ObjectiveError: The task's items or callables cannot be used.
        BankMiss: A replay lacks a sample.
        Exception: What the task's code raised, where it fails for every item, or for the first 20.
    """
    return _run(config, trial, confirming=_again(trial))


def confirm(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    """The same on the items that no trial has met, with samples that none has drawn.

    So is a run of `evaluate` whose folder is in `retrain/` of the run, as `tunesmith retrain` starts it: what
    the search has drawn, on the items that it chose by, confirms nothing.
    """
    return _run(config, trial, confirming=True)


def prepare(given: Mapping[str, Any]) -> None:
    """Load what a trial needs, its callables and items, and run none of it.

    Raises:
        As `evaluate`.
    """
    folder, pipeline = Path.cwd(), given["pipeline"]
    if pipeline["items"] is None:
        raise PipelineError("the task names no items; write `items: items.jsonl` below `problem`")
    if pipeline.get("program") is not None:
        from tunesmith.tools.pipelines.program import prepare_program  # a server, which callables do without

        prepare_program(pipeline, folder)
        return
    load_stages(given, folder)
    load_judge(pipeline["score"], folder)
    if pipeline["replay"]:
        with tempfile.TemporaryDirectory() as unpacked:
            check_coverage(folder / pipeline["bank"], given["asked"], Path(unpacked))
    split_items(load_items(pipeline["items"], folder), seed=pipeline["split_seed"], **pipeline["split"])


evaluate.prepare = prepare  # type: ignore[attr-defined]  # see `ProblemKind.given`


def _run(config: Mapping[str, Any], trial: Any, *, confirming: bool) -> dict[str, float]:
    given = trial.given
    pipeline = given["pipeline"]
    if pipeline.get("program") is not None:
        from tunesmith.tools.pipelines.program import run_program  # a server, which callables do without

        return run_program(config, trial, confirming=confirming)
    folder = Path.cwd()
    stages = load_stages(given, folder)
    score = load_judge(pipeline["score"], folder)
    split = split_items(
        load_items(pipeline["items"], folder), seed=pipeline["split_seed"], **pipeline["split"]
    )
    check_leak(split)
    if _again(trial) and pipeline["replay"]:
        raise PipelineError(
            "a replay draws no samples, so that its best allocation cannot be run again with other ones; "
            "`tunesmith best` prints it, and the run's report has it on items that the search never saw"
        )
    samples = open_samples(pipeline, stages, folder, trial.folder.parent.parent)
    runner = Runner(
        stages,
        score,
        samples,
        seed=pipeline["split_seed"],
        part="confirm" if confirming and not _again(trial) else trial.folder.parent.name,
        trial=trial.number,
        first=_first_sample(trial) if confirming else 0,
    )
    items = split.confirm if confirming else split.search
    if _again(trial):
        items = split.confirm or split.search
    if not items:
        raise PipelineError(
            f"all {len(split.search):,} items are searched with, so there are none to confirm with; state "
            "fewer in `split.search`"
        )
    results: list[ItemResult] = []
    try:
        for result in runner.run(allocation(given["fixed"], config), items):
            results.append(result)
            means = {QUALITY: _mean([r.score for r in results]), COST: _mean([r.cost for r in results])}
            trial.report(means, len(results))
            if trial.should_prune():
                break
    finally:
        runner.close()
        samples.close()
    _report_items(trial, results)
    _say(trial, results, samples, runner.score_faults)
    values = _values(results)
    budget = pipeline["item_budget"]
    if budget is not None and values[COST] > budget:
        trial.notes.append(
            f"it cost {values[COST]:.6g} for an item, more than the item budget of {budget:g}: its calls "
            "took more than the task states (`tokens`, `seconds`)"
        )
    return values


def _again(trial: Any) -> bool:
    """Whether `tunesmith retrain` runs the best allocation once more."""
    return bool(trial.folder.parent.name == "retrain")


def _first_sample(trial: Any) -> int:
    """Number of the first sample of a confirmation: each of its seeds, and of a retraining's, has others.

    Their folders end with the number of the seed: `confirm/best-0`, `confirm/default-0`, `retrain/seed-0`.
    """
    if trial.folder.parent.name not in ("confirm", "retrain"):
        return CONFIRMED_FROM
    end = trial.folder.name.rpartition("-")[2]
    seed = int(end) if end.isdecimal() else 0
    return CONFIRMED_FROM * (1 + seed + (_RETRAINED_FROM if _again(trial) else 0))


def _values(results: list[ItemResult]) -> dict[str, float]:
    values = {QUALITY: _mean([r.score for r in results]), COST: _mean([r.cost for r in results])}
    for stage in results[0].stages:
        done = [r.stages[stage] for r in results]
        scores = [one.score for one in done if one.score is not None]
        values[f"{stage}.cost"] = _mean([one.cost for one in done])
        values[f"{stage}.calls"] = _mean([float(one.calls) for one in done])
        values[f"{stage}.share"] = _mean([float(one.calls > 0) for one in done])
        if scores:
            values[f"{stage}.score"] = _mean(scores)
    return values


def _report_items(trial: Any, results: list[ItemResult]) -> None:
    metrics = (trial.metric, *trial.reports.further)
    if QUALITY in metrics:
        trial.report_items({r.item.id: r.score for r in results}, QUALITY)
    if COST in metrics:
        trial.report_items({r.item.id: r.cost for r in results}, COST)


def _say(trial: Any, results: list[ItemResult], samples: Samples, faults: Mapping[str, Exception]) -> None:
    """What a person should know of the trial, into its notes."""
    failed = [r for r in results if r.fault is not None]
    if failed:
        first = failed[0]
        trial.notes.append(
            f"{len(failed)} of {len(results)} items failed and score 0; the first, {first.item.id}: "
            f"{type(first.fault).__name__}: {first.fault}"
        )
    for stage, error in faults.items():
        trial.notes.append(f"{stage}: its own score failed for an item: {type(error).__name__}: {error}")
    trial.notes.extend(samples.notes)


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers)
