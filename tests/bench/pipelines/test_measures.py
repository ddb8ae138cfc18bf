"""Trials until the optimum, regret and ratios, from runs written by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from tunesmith.bench.pipelines.aims import aims_of
from tunesmith.bench.pipelines.contenders.base import Contender
from tunesmith.bench.pipelines.measures import (
    paired_difference,
    quartiles,
    ratio_of_trials,
    regret_at,
    spent_to,
)
from tunesmith.bench.pipelines.runs import PipelineRun, open_runs
from tunesmith.bench.pipelines.search import Change
from tunesmith.bench.pipelines.summary import summarise
from tunesmith.bench.pipelines.tasks import Family, PipelineBenchTask

RUN = PipelineRun(
    task="one",
    contender="tpe",
    version="v",
    setting="s",
    seed=0,
    n=200,
    optimum=0.9,
    optimum_se=0.02,
    start=0.5,
    size=100,
    changes=(Change(200, 10.0, 0.5), Change(1500, 75.0, 0.8), Change(2300, 110.0, 0.891)),
    items=10_000,
    cost=500.0,
    tried=50,
    infeasible=3,
    repeated=2,
    own_s=0.1,
)
LATE = replace(RUN, seed=1, changes=RUN.changes[:2])


def test_trials_count_whole_evaluations_until_within_a_hundredth() -> None:
    assert spent_to(RUN, 50) == (11.5, 2300, 110.0)
    assert spent_to(RUN, 11) == (math.inf, math.inf, math.inf)
    assert spent_to(LATE, 50).trials == math.inf
    assert spent_to(replace(RUN, changes=(Change(200, 1.0, 0.8901),)), 50).trials == 1
    assert spent_to(replace(RUN, changes=(Change(200, 1.0, 0.8899),)), 50).trials == math.inf


def test_regret_is_of_what_would_have_been_chosen() -> None:
    assert [round(regret_at(RUN, k), 3) for k in (0, 1, 7, 8, 11, 12)] == [0.4, 0.4, 0.4, 0.1, 0.1, 0.009]


def test_a_median_beyond_what_was_observed_is_unknown() -> None:
    assert quartiles([1, 2, 3, math.inf, math.inf]).high is None
    assert quartiles([3, math.inf, math.inf]).median is None
    assert quartiles([1, 2, 3]).median == 2


def test_a_ratio_is_paired_and_counts_a_miss_as_one_more_than_all_trials() -> None:
    mine = {("a", 0): 5.0, ("a", 1): 10.0, ("b", 0): 5.0}
    other = {("a", 0): 50.0, ("a", 1): math.inf, ("c", 0): 1.0}
    ratio = ratio_of_trials(mine, other, 50)
    assert ratio is not None and ratio.pairs == 2
    assert math.isclose(ratio.ratio, 15 / 101) and ratio.low <= ratio.ratio <= ratio.high
    assert ratio_of_trials(mine, {}, 50) is None
    difference = paired_difference({("a", 0): 0.5, ("a", 1): 0.7}, {("a", 0): 0.4, ("a", 1): 0.4})
    assert difference is not None and math.isclose(difference.mean, 0.2)


def test_a_summary_counts_only_this_build_and_these_seeds(tmp_path: Path) -> None:
    store = open_runs(tmp_path)
    quick = replace(RUN, contender="agenttts", changes=(Change(600, 9.0, 0.895),))
    without = replace(RUN, contender="agenttts-no-saturation", changes=(Change(900, 9.0, 0.895),))
    others = [replace(RUN, version="old", seed=2), replace(RUN, seed=5)]
    store.append([RUN, LATE, quick, without, *others])
    loaded = store.load()
    assert loaded == [RUN, LATE, quick, without, *others]
    task = PipelineBenchTask("one", Family("link2", "as an example"), "s", lambda seed: None)  # type: ignore[arg-type,return-value]
    who = [
        Contender(name, name, "v", lambda search, seed: None)
        for name in ("tpe", "agenttts", without.contender)
    ]
    summary = summarise([task], who, loaded, seeds=2, trials=50)
    tpe, ours, ablation = summary.tables[0].rows
    assert ablation.to_full is not None and math.isclose(ablation.to_full.ratio, 4.5 / 3)
    assert ours.to_full is None
    assert (tpe.runs, tpe.hits, tpe.infeasible) == (2, 0.5, 3)
    assert ours.trials.median == 3 and ours.ratio is not None and ours.ratio.pairs == 1
    assert math.isclose(ours.ratio.ratio, 3 / 11.5)
    assert [(aim.found, aim.met) for aim in aims_of(summary)] == [("3", True), ("100.0% of 1", True)]
    assert tpe.curve[10] == 0 and tpe.curve[11] == 0.5
