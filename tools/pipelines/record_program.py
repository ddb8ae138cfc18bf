"""Recording the answers to a program's calls: every allocation is run on every item, a call is sent once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tunesmith.errors import PipelineError
from tunesmith.pipeline.kind import Pipeline
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.items import load_items, split_items
from tunesmith.tools.pipelines.program import Measured, opened
from tunesmith.tools.pipelines.proxy.calls import Calls, MoneyLimitReached
from tunesmith.tools.pipelines.record import CapReached, Progress


def record_program(
    settings: PipelineSettings,
    folder: Path,
    bank: Path,
    *,
    part: str = "search",
    most_calls: int | None = None,
    most_cost: float | None = None,
    tick: Callable[[Progress], None] | None = None,
) -> Progress:
    """Run the program with every allocation and keep the answers; what is recorded is not sent again.

    Args:
        bank: An SQLite file for `bank:` of a task; made where it is missing.
        part: `search` or `confirm`: which items.
        most_calls: Not possible: a program makes as many as it makes.
        most_cost: Dollars that recording this bank takes together; a hard limit, as `money_limit` is.
        tick: Called after every allocation; its items are those of all allocations.
    Raises:
        CapReached: The limit would be passed. The same call goes on.
        PipelineError: The program or its items cannot be used, or an allocation failed on every item.
    """
    if most_calls is not None:
        raise PipelineError("calls of a program cannot be capped; cap what they cost (`--cost`, in dollars)")
    configurations = settings.space.all_configurations()
    given = dict(Pipeline().given(settings))
    pipeline = given["pipeline"]
    split = split_items(load_items(pipeline["items"], folder), seed=settings.split_seed, **pipeline["split"])
    items = split.confirm if part == "confirm" else split.search
    limits = [one for one in (most_cost, pipeline["program"]["money_limit"]) if one is not None]
    program = {**pipeline["program"], "money_limit": min(limits, default=None)}
    given["pipeline"] = {**pipeline, "program": program, "bank": None, "replay": False}
    dollars, drawn = settings.basis.unit == "dollars", 0.0
    if most_cost is not None and not dollars:
        raise PipelineError(
            f"`--cost` counts {settings.basis.unit} here; write `money_limit`, in dollars, below `program`"
        )
    calls, done = 0, Progress(0, len(items) * len(configurations), 0, 0.0)
    for number, configuration in enumerate(configurations):
        choices = settings.allocation(configuration)
        measured = Measured(given, choices)
        try:
            with opened(given, choices, folder, bank, number) as programs:
                for ran in programs.run(items):
                    measured.add(ran)
                    calls += sum(call.source == "provider" for call in ran.calls)
            drawn += measured.drawn
        except MoneyLimitReached as error:
            raise CapReached(str(error)) from None
        store = Calls(bank)
        spent = store.spent()
        store.close()
        done = Progress((number + 1) * len(items), done.of, calls, spent if dollars else drawn)
        if tick is not None:
            tick(done)
    return done
