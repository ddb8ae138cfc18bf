"""The summary as files: one HTML page, its pictures as SVG, and JSON. Names are escaped, wherever from."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.bench.by_task import found_text
from tunesmith.bench.pictures import Picture, pictures
from tunesmith.bench.summary import Summary
from tunesmith.text.literal import literal
from tunesmith.text.numbers import fixed, interval
from tunesmith.tools.records.atomic_write import write_atomic

if TYPE_CHECKING:
    from jinja2 import Environment


def write_pages(summary: Summary, folder: Path) -> tuple[Path, ...]:
    """Write report.html, summary.json and the pictures into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures(summary)
    texts = {
        "report.html": to_html(summary, drawn),
        "summary.json": json.dumps(as_document(summary), indent=1) + "\n",
        **{f"{picture.name}.svg": to_svg(picture) for picture in drawn},
    }
    for name, text in texts.items():
        write_atomic(folder / name, text.encode(), durable=False)
    return tuple(folder / name for name in texts)


def as_document(summary: Summary) -> dict[str, Any]:
    """The summary as plain JSON data; what is unknown is null."""
    document: dict[str, Any] = plain(asdict(summary))
    return document


def to_html(summary: Summary, drawn: tuple[Picture, ...] | None = None) -> str:
    """One page without any outside resource: light and dark."""
    drawn = pictures(summary) if drawn is None else drawn
    return _templates().get_template("report.html.j2").render(s=summary, pictures=drawn)


def to_svg(picture: Picture) -> str:
    """A picture that stands alone, in a viewer's light or dark."""
    template = _templates().get_template("picture.svg.j2")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + template.render(p=picture, alone=True)


def plain(data: Any) -> Any:
    """JSON data in which what is not finite is null."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def _legal(value: Any) -> Any:
    """What is shown, without the control characters that XML forbids; autoescape does the rest."""
    return literal(value) if type(value) is str else value


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tunesmith.bench", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_legal,
    )
    environment.filters |= {"fixed": fixed, "found": found_text}
    environment.globals["interval"] = partial(interval, infinity="∞")
    return environment
