"""Tables of results instead of trainings: milliseconds an evaluation, on landscapes that come from real ones.

    tunesmith bench tables --path yahpo/     surrogates of two YAHPO Gym scenarios, see `yahpo.py`
    tunesmith bench tables --path runs.csv --metric accuracy --direction maximize     see `logged_runs.py`

What is looked up is smooth or sparse where reality is neither: a table shows what a sampler does often and
cheaply, and does not replace trainings.
"""

from __future__ import annotations

from pathlib import Path

from tunesmith.bench.task import Suite, SuiteOptions
from tunesmith.errors import UsageError

CONTENDERS = ("tunesmith", "tunesmith-no-priors", "gp+default", "gp", "tpe+default", "tpe", "random")


def suite(options: SuiteOptions) -> Suite:
    """The suite that `options` describe.

    Raises:
        UsageError: There is nothing at the path, or it is neither such a folder nor a table.
    """
    if options.path is None:
        raise UsageError(
            "the suite tables needs --path: a folder of YAHPO surrogates, or a CSV file of runs."
        )
    path = Path(options.path)
    if path.is_dir():
        if options.metric or options.direction or options.task:
            raise UsageError("--metric, --direction and --task describe a CSV file; the path is a folder.")
        from tunesmith.bench.suites.yahpo import prepare, tasks

        split = options.split or "development"
        return Suite(
            name=f"tables-{split}",
            about=(
                f"real landscapes as surrogates (YAHPO Gym), split {split!r}: lcbench at its final epoch, "
                "its default the middle of the ranges, and rbv2_rpart on all data, its default rpart's own; "
                "5 shared random configurations, then each contender's own; regret (best - y) / (best - "
                "worst) of the best that a search of the surrogate found and the worst that was observed"
            ),
            tasks=lambda: tasks(path, split),
            contenders=CONTENDERS,
            shown_family="rbv2_rpart",
            quick=("lcbench/3945", "rbv2_rpart/11", "rbv2_rpart/1461"),
            needs=("onnxruntime",),
            prepare=prepare,
        )
    if not path.is_file():
        raise UsageError(f"there is no file or folder {options.path!r}.")
    if options.split:
        raise UsageError("--split divides the tasks of a folder; a CSV file is one task.")
    from tunesmith.bench.suites.logged_runs import table_task

    task = table_task(path, options)
    return Suite(
        name="tables",
        about=(
            "logged runs as a table: a configuration has the value of the nearest row, by Euclidean distance "
            "in the unit cube; regret (best - y) / (best - median) over the table's rows"
        ),
        tasks=lambda: (task,),
        contenders=CONTENDERS,
        quick=(task.name,),
    )
