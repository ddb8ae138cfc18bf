"""Report data as pages. Text from outside is shown literally, and never as markup.

HTML is escaped by the template engine. For Markdown every text goes through `inline` (a line or a table cell)
or `code` (a block); a test gives both hostile text.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tunesmith.text.durations import spelled_duration
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import readable, signed, significant
from tunesmith.tools.report.believed import believed_lines, matter_text
from tunesmith.tools.report.compare_runs import RunsCompared, best_curves
from tunesmith.tools.report.compare_runs import rows as rows_compared
from tunesmith.tools.report.curve_plot import curve_plot
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.front_plot import front_plot
from tunesmith.tools.report.goal_data import FrontLine
from tunesmith.tools.report.interactive import TOP_ROWS, names, page_data, policy, ranked, rows, script
from tunesmith.tools.report.pipeline_plots import allocation_plot, cost_plot, scaling_plot
from tunesmith.tools.report.plot import limits_kept, plot, sparklines
from tunesmith.tools.report.run_plots import importance, workers
from tunesmith.tools.report.shapes import Picture
from tunesmith.tools.report.space_plots import parallel, predicted, slices

if TYPE_CHECKING:
    from jinja2 import Environment

# An underscore within a word means nothing, and metrics are full of them.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~&$#!]|(?<![^\W_])_|_(?![^\W_]))")
BY_WORDS = (
    "By: surrogate, prior and local are choices of the statistical model among points of the whole space, "
    "points drawn from the priors, and small steps from the best trials."
)
MOST_ROWS = 50
"""Trials of a Pareto front on a page; `report.json` has all."""
MOST_MATTERS = 8
"""Hyperparameters whose importance report.md has."""
MOST_NAMES = 10
"""Hyperparameters with a column in the table of all trials; those of the others are in its last one."""
_LINK = re.compile(r"(?i)(www)\.|(\w)://")
_LIST = re.compile(r"^(\s*)([-+]|\d+(?=[.)]\s))")


def to_markdown(data: ReportData) -> str:
    """The report for terminals, forges and `$GITHUB_STEP_SUMMARY`."""
    values, best = sparklines(data)
    return (
        _templates(bool(data.metrics))
        .get_template("report.md.j2")
        .render(
            r=data,
            values=values,
            best=best,
            kept=limits_kept(data),
            front_rows=_front_rows(data),
            believed=believed_lines(data),
            matters=matter_text(data, MOST_MATTERS),
        )
    )


def to_html(data: ReportData) -> str:
    """The report as one page without any outside resource: light and dark, for screen and paper.

    Whole without its script.
    """
    from markupsafe import Markup

    part, drawn, front = data.pipeline, plot(data), front_plot(data)
    return (
        _templates(bool(data.metrics))
        .get_template("report.html.j2")
        .render(
            r=data,
            plot=drawn,
            plot_log=plot(data, log=True),
            plot_kinds=() if drawn is None else tuple(dict.fromkeys(mark.kind for mark in drawn.marks)),
            pictures=all_pictures(data),
            rows=rows(data),
            top_rows=ranked(data)[:TOP_ROWS],
            policy=policy(),
            page_data=Markup(page_data(data)),
            believed=believed_lines(data),
            script=Markup(script()),
            front=front,
            table_names=() if data.pipeline else names(data)[:MOST_NAMES],
            front_kinds=() if front is None else tuple(dict.fromkeys(p.kind for p in front.points)),
            front_rows=_front_rows(data),
            allocation_plot=part and allocation_plot(part),
            scaling_plot=part and scaling_plot(part),
            cost_plot=part and cost_plot(part),
        )
    )


def compared_html(found: RunsCompared) -> str:
    """Runs side by side as one page without a script."""
    template = _templates(True).get_template("compare.html.j2")
    return template.render(c=found, p=best_curves(found), rows=rows_compared(found))


def all_pictures(data: ReportData) -> list[Picture]:
    """Those that this run has, in the order of the page."""
    made = (
        curve_plot(data),
        importance(data),
        slices(data),
        parallel(data),
        predicted(data),
        workers(data),
    )
    return [picture for picture in made if picture is not None]


def inline(text: object) -> str:
    """`text` as Markdown that shows exactly it, on one line: no markup, link, HTML or table border."""
    joined = " ".join(str(text).split())
    escaped = _SPECIAL.sub(r"\\\1", joined)
    escaped = _LINK.sub(lambda m: f"{m[1]}\\." if m[1] else f"{m[2]}\\://", escaped)
    return _LIST.sub(lambda m: f"{m[1]}\\{m[2]}" if m[2] in "-+" else f"{m[1]}{m[2]}\\", escaped)


def code(text: object, language: str = "") -> str:
    """`text` as a fenced Markdown block, whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", str(text))), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def as_yaml(values: Mapping[str, Any]) -> str:
    """A configuration at full precision, ready for `default:` in a task file."""
    from ruamel.yaml import YAML

    out = io.StringIO()
    writer = YAML()
    writer.width = 4096
    writer.dump(dict(values), out)
    return out.getvalue().rstrip("\n")


def as_json(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), indent=2, ensure_ascii=False, allow_nan=False)


def words(state: str) -> str:
    """`out_of_memory` as people write it."""
    return state.replace("_", " ")


def cell(value: bool | int | float | str) -> str:
    """A hyperparameter's value in a narrow column."""
    return one_line(f"{value:.4g}" if isinstance(value, float) else value, 24)


def _gain(value: float | None) -> str:
    return readable(value, 3, sign="+")


def _front_rows(data: ReportData) -> list[FrontLine]:
    """Those of the front that a page shows, and the default's."""
    return [row for place, row in enumerate(data.front) if place < MOST_ROWS or not row.on_front]


@cache
def _templates(several: bool) -> Environment:
    """With several metrics or limits, whole numbers stay whole; with one, pages are as ever."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tunesmith.tools.report", ""),
        autoescape=lambda name: name is not None and name.endswith((".html.j2", ".svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for made in (inline, code, as_yaml, as_json, words, cell):
        environment.filters[made.__name__] = made
    environment.filters.update(duration=spelled_duration)
    environment.filters.update(
        {"number": readable, "signed": _gain} if several else {"number": significant, "signed": signed}
    )
    environment.globals["by_words"] = BY_WORDS
    return environment
