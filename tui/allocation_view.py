"""A pipeline's allocation in the terminal: what each stage does, and what share of the cost it takes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from tunesmith.history import History
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.charts import sparkline
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import readable
from tunesmith.tools.analysis.pipelines.scaling import scaling
from tunesmith.tools.analysis.pipelines.stage_rows import rows_of
from tunesmith.trial import Value
from tunesmith.tui.spans import Spans

BAR = 10
"""Characters of a bar that takes the whole cost."""
_SHORT = {"temperature": "t ", "agree": "agree ", "rounds": "rounds "}
"""Words before values of fields in the narrow column."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def short_allocation(options: PipelineSettings, configuration: Mapping[str, Value]) -> str:
    """`large×4 → small×12 0.7`, for a narrow column; of what else a stage has, only what is searched."""
    shown = []
    for choice in options.allocation(configuration):
        more = [
            f"{_SHORT.get(field, '')}{readable(value) if isinstance(value, float) else value}"
            for field in ("temperature", "prompt", "aggregator", "agree", "rounds")
            if (value := configuration.get(f"{choice.stage}.{field}")) not in (None, 0)
        ]
        head = f"{choice.model}×{choice.samples}"
        shown.append(" ".join([head, *more]) if choice.rounds else "–")
    return " → ".join(shown)


def stage_lines(
    options: PipelineSettings, configuration: Mapping[str, Value], values: Mapping[str, float]
) -> list[Spans]:
    """A line for each stage: its name, a bar for its share of the cost, and what it does.

    Args:
        values: What the trial measured; empty: nothing, and the costs are those known before.
    """
    rows = rows_of(options, configuration, values)
    whole = sum(row.spent for row in rows) or 1.0
    width = min(max(len(row.choice.stage) for row in rows), 20)
    lines: list[Spans] = []
    for row in rows:
        share = row.spent / whole
        told = f"  cost {readable(row.spent, 4)}"
        if row.calls is not None:
            told += f", {readable(row.calls, 3)} {'call' if row.calls == 1 else 'calls'}"
        if row.share is not None and row.share < 1:
            told += f", on {100 * row.share:.0f} % of the items"
        if row.score is not None:
            told += f", score {readable(row.score, 3)}"
        lines.append(
            (
                (f"{one_line(row.choice.stage, 20):<{width}} ", "dim"),
                (bar(share), "accent"),
                (f"{100 * share:3.0f} %", "dim"),
                (f"  {one_line(row.text, 80)}", "strong"),
                (told, "dim"),
            )
        )
    return lines


def bar(share: float) -> str:
    """`██████▌   `, always BAR characters."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(BAR)


def scaling_lines(options: PipelineSettings, history: History) -> list[Spans]:
    """A line for each stage and model: the best quality seen by number of samples."""
    curves = scaling(options, history, history.incumbent)
    drawn = iter(sparkline([p.mean for curve in curves for p in curve.points]))  # on one scale
    lines: list[Spans] = []
    for curve in curves:
        shown = ", ".join(
            f"{readable(p.mean, 3)} at {p.samples}{'*' if p.alike else ''}" for p in curve.points[:8]
        )
        left = f" and {len(curve.points) - 8} more" if len(curve.points) > 8 else ""
        lines.append(
            (
                (f"{one_line(curve.stage, 20)} {one_line(curve.model, 30)}  ", "dim"),
                ("".join(islice(drawn, len(curve.points))), "accent"),
                (f"  {shown}{left}", ""),
            )
        )
    return lines
