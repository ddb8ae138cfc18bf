"""`tunesmith compare`: two or more runs side by side."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import FAILED, Debug, report_errors
from tunesmith.text.terminal import print_json


@report_errors
def compare(
    run: Annotated[
        list[Path],
        typer.Argument(help="Two or more runs: folders, names, or task files.", show_default=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with the curves.", show_default=False)
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    debug: Debug = False,
) -> None:
    """Show runs side by side: best, best at equal trials and equal time, what differs between their tasks.

    Exit code 1: the runs do not measure the same, so that none can be said to be better.
    """
    from tunesmith.api.reporting import found_run
    from tunesmith.errors import UsageError
    from tunesmith.text.literal import one_line
    from tunesmith.text.tables import aligned
    from tunesmith.tools.report.build import build_report
    from tunesmith.tools.report.compare_runs import compare_runs, rows

    folders = [found_run(each, runs) for each in run]
    if len(set(folders)) < 2:
        raise UsageError("compare needs two different runs: tunesmith compare RUN RUN.")
    found = compare_runs([build_report(folder) for folder in folders])
    if html is not None:
        from tunesmith.tools.records.atomic_write import write_atomic
        from tunesmith.tools.report.render import compared_html

        write_atomic(html, compared_html(found).encode())
    if as_json:
        print_json(found.model_dump_json(indent=1))
    else:
        print(one_line(found.sentence, 400))
        for line in (*found.warnings, *found.differences):
            print(f"- {one_line(line, 400)}")
        print()
        cells = [tuple(one_line(cell, 40) for cell in row) for row in rows(found)]
        for line in aligned(cells, width=shutil.get_terminal_size((120, 24)).columns):
            print(line)
        if html is not None:
            print(html)
    if not found.comparable:
        raise typer.Exit(FAILED)
