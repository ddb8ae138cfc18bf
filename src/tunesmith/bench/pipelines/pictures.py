"""One picture a family: the share of runs within epsilon of the optimum, trial by trial."""

from __future__ import annotations

from tunesmith.bench.pictures import COLOURS, Label, Line, Picture, spread
from tunesmith.bench.pipelines.summary import PipelineSummary, Row, Table

LEFT, TOP, RIGHT, BOTTOM = 64.0, 16.0, 560.0, 384.0


def pictures(summary: PipelineSummary) -> tuple[Picture, ...]:
    """Those for which there is something to draw; a contender has one colour in all of them."""
    names = list(dict.fromkeys(row.contender for table in summary.tables for row in table.rows))
    styles = {name: f"c{i % COLOURS} d{i // COLOURS % 3}" for i, name in enumerate(names)}
    drawn = []
    for table in summary.tables:
        rows = [row for row in table.rows if len(row.curve) > 1 and row.contender != "exhaustive"]
        if rows:
            drawn.append(_arrivals(table, rows, styles))
    return tuple(drawn)


def _arrivals(table: Table, rows: list[Row], styles: dict[str, str]) -> Picture:
    n = len(rows[0].curve)

    def x(trial: float) -> float:
        return round(LEFT + (trial - 1) / (n - 1) * (RIGHT - LEFT), 1)

    def y(share: float) -> float:
        return round(BOTTOM - share * (BOTTOM - TOP), 1)

    lines = [Line((LEFT, y(v / 4), RIGHT, y(v / 4)), "grid") for v in range(1, 5)]
    lines.append(Line((LEFT, BOTTOM, RIGHT, BOTTOM), "axis"))
    labels = [Label(LEFT - 8, y(v / 4) + 4, f"{v / 4:.0%}", anchor="end") for v in range(5)]
    labels += [Label(x(k), BOTTOM + 18, str(k), anchor="middle") for k in (1, *range(10, n + 1, 10))]
    labels.append(Label((LEFT + RIGHT) / 2, BOTTOM + 36, "trials", anchor="middle"))
    ends = []
    for row in rows:
        points = tuple(c for k, share in enumerate(row.curve, start=1) for c in (x(k), y(share)))
        style = styles[row.contender]
        lines.append(Line(points, f"curve {style}", f"{row.contender}: {row.curve[-1]:.0%} at {n}"))
        ends.append((y(row.curve[-1]), row.contender, style, row.curve[-1]))
    for at, (height, name, style, share) in zip(spread([end[0] for end in ends]), ends, strict=True):
        lines.append(Line((RIGHT + 2, height, RIGHT + 14, at), f"lead {style}"))
        labels.append(Label(RIGHT + 18, at + 4, f"{name}  {share:.0%}", f"name {style}"))
    best = max(rows, key=lambda row: sum(row.curve))
    text = f"Share of runs within .01 of the optimum by trial on {table.family}; soonest: {best.contender}."
    lowest = max(BOTTOM + 44, *(label.y + 10 for label in labels))
    return Picture(
        table.family,
        f"{table.family}: runs within .01 of the optimum, by trial",
        text,
        lowest,
        (LEFT, TOP, RIGHT, BOTTOM),
        tuple(lines),
        tuple(labels),
    )
