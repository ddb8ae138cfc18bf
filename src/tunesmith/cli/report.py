"""`tunesmith report`: write the report of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json


@report_errors
def report(
    folder: Annotated[
        Path, typer.Argument(help="A run folder, such as runs/digits_cnn.", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Write report.md, report.html and report.json of a run from its records."""
    from tunesmith.api.reporting import write_report_of
    from tunesmith.tools.records.run_folder import RunFolder

    paths = write_report_of(RunFolder.open(folder).path)
    if as_json:
        print_json(paths.json.read_bytes())
        return
    for path in (paths.markdown, paths.html, paths.json):
        print(path)
