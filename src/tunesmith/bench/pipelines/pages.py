"""The summary as files: README.md with its pictures as SVG, and summary.json."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.bench.pages import plain, to_svg
from tunesmith.bench.pipelines import tables
from tunesmith.bench.pipelines.pictures import pictures
from tunesmith.bench.pipelines.summary import PipelineSummary, Table
from tunesmith.text.literal import literal
from tunesmith.text.numbers import counted, fixed
from tunesmith.tools.records.atomic_write import write_atomic

HOW = """\
Each task is drawn anew for every seed, and every allocation within its budget is known from recorded
samples, so the optimum is known. A *trial* is one whole evaluation: as many item evaluations as the search
has items. A run may spend {trials} of them, and ends early once it has chosen the optimum itself. All but
the rules and `agenttts-paper`, which have a design of their own, start from the default: the largest
affordable models with one sample. *Trials to .01*: when it would first have chosen an allocation within .01
of the optimum; a run that never does counts as more than {trials} in medians and as {more} in ratios.
*Ratio to TPE*: of mean trials on the same tasks and seeds, with the 95 % interval by bootstrap over seeds.
Proposals beyond the budget are rejected without being run, and repeated ones cost nothing; both are
counted. Cost is in units of the task's cost model (FLOPs), over all items evaluated. *own s*: CPU seconds
of the optimiser itself. Contenders that evaluate item by item are charged by the item: their trials are
item evaluations over the number of items.
"""


def write_pages(summary: PipelineSummary, folder: Path) -> tuple[Path, ...]:
    """Write README.md, summary.json and the pictures into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "README.md": to_markdown(summary),
        "summary.json": json.dumps(as_document(summary), indent=1) + "\n",
        **{f"{picture.name}.svg": to_svg(picture) for picture in pictures(summary)},
    }
    for name, text in texts.items():
        write_atomic(folder / name, text.encode(), durable=False)
    return tuple(folder / name for name in texts)


def as_document(summary: PipelineSummary) -> dict[str, Any]:
    """The summary as plain JSON data; what is unknown is null."""
    document: dict[str, Any] = plain(asdict(summary))
    return document


def to_markdown(summary: PipelineSummary) -> str:
    """The page."""
    parts = [
        "# Pipelines: where to spend the compute",
        "",
        "`tunesmith bench pipeline` writes this page.",
        "",
    ]
    parts += [f"> {literal(note)}\n" for note in summary.notes]
    if summary.aims:
        parts += _table(tables.aims(summary))
    parts += ["## How it is measured", "", HOW.format(trials=summary.trials, more=summary.trials + 1)]
    parts += [_links(), ""]
    for table in summary.tables:
        parts += _family(table, summary)
    about = {row.contender: row.about for table in summary.tables for row in table.rows}
    parts += [
        "## Contenders",
        "",
        *(f"- `{literal(name)}`: {literal(text)}" for name, text in about.items()),
        "",
    ]
    return "\n".join(parts)


def _family(table: Table, summary: PipelineSummary) -> list[str]:
    smallest, middle, largest = table.sizes
    seeds = max(row.seeds for row in table.rows)
    sizes = f"{smallest:,} to {largest:,} feasible allocations (median {middle:,})"
    se = (
        ""
        if table.optimum_se is None
        else f"; standard error of the optimum over items {fixed(table.optimum_se)}"
    )
    parts = [f"## {table.family}", "", f"{table.about}. {counted(len(table.tasks), 'setting')}, up to "]
    parts[-1] += f"{counted(seeds, 'seed')}; {sizes}{se}."
    parts.append("")
    if table.noisy:
        parts += _table(tables.choices(table))
    else:
        parts += _table(tables.searches(table, summary.trials))
        parts += [f"![Share of runs within .01 by trial]({table.family}.svg)", ""]
        settings = tables.by_task(table, summary.trials)
        parts += _table(settings) if settings else []
        without = tables.ablations(table)
        parts += (
            ["Without one insight, on the same tasks and seeds:", "", *_table(without)] if without else []
        )
    parts += ["What the search costs (medians until .01, means of whole runs):", ""]
    return parts + _table(tables.costs(table))


def _links() -> str:
    return (
        "The promise `quality >= q` of the goal `cheapest` is simulated by `benchmarks/coverage.py`. "
        "`benchmarks/pipeline/PROTOCOL.md` says which build was first run here, and what it reached."
    )


def _table(rows: tables.Rows) -> list[str]:
    heads, *lines = [[literal(cell).replace("|", "\\|") for cell in row] for row in rows]
    rule = ["---", *("---:" for _ in heads[1:])]
    return [*(f"| {' | '.join(row)} |" for row in (heads, rule, *lines)), ""]
