r"""A run's report: `report.md`, `report.html` and `report.json`, written from its records alone.

records -> build_report -> ReportData -> report.json
                                     \-> to_markdown, to_html
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tunesmith.tools.report.build import Believe


class ReportPaths(NamedTuple):
    """Where a report was written."""

    markdown: Path
    html: Path
    json: Path


def write_report(folder: Path, believe: Believe | None = None) -> ReportPaths:
    """Write the report of the run in `folder`, replacing an older one; may be done at any time.

    Args:
        believe: As of `build_report`.
    Raises:
        RunError: `folder` is no run folder, or a record in it cannot be read.
    """
    from tunesmith.tools.records.atomic_write import write_atomic
    from tunesmith.tools.report.build import build_report
    from tunesmith.tools.report.render import to_html, to_markdown

    data = build_report(folder, believe)
    pages = {
        "md": to_markdown(data),
        "html": to_html(data),
        "json": data.model_dump_json(indent=1) + "\n",
    }
    paths = ReportPaths(*(folder.absolute() / f"report.{suffix}" for suffix in pages))
    for path, page in zip(paths, pages.values(), strict=True):
        write_atomic(path, page.encode())
    return paths
