"""`tunesmith export`: the trials of a run as a table, or the run as a few lines to paste."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json, print_whole


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    MD = "md"


@report_errors
def export(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder, the name of a run, or a task file: its newest run.", show_default=False
        ),
    ],
    form: Annotated[
        Format, typer.Option("--format", help="csv or json: a row a trial; md: a summary to paste.")
    ] = Format.CSV,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="File to write, replacing it; without it stdout.", show_default=False
        ),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    debug: Debug = False,
) -> None:
    """Write every trial of a run as CSV or JSON, or the run as a short Markdown summary.

    Columns are documented in docs/report.md and keep their names. Text that a spreadsheet would calculate
    gets an apostrophe in front. The run is only read, and may be going on.
    """
    from tunesmith.api.reporting import found_run, report_of

    data = report_of(found_run(run, runs))
    match form:
        case Format.CSV:
            from tunesmith.tools.report.table import to_csv

            text = to_csv(data)
        case Format.JSON:
            from tunesmith.tools.report.table import to_json

            text = to_json(data)
        case Format.MD:
            from tunesmith.tools.report.summary import summary

            text = summary(data)
    if out is not None:
        from tunesmith.tools.records.atomic_write import write_atomic

        write_atomic(out, text.encode())
        print(out)
    elif form is Format.JSON:
        print_json(text)
    else:
        print_whole(text)
