"""The words for metrics and limits."""

from __future__ import annotations

from tunesmith.goal_words import aims, measured, table
from tunesmith.goals import Goals
from tunesmith.space import Float, Space
from tunesmith.task import Task

SPACE = Space({"x": Float(0, 1)})


def goals_of(limits: dict[str, str], metrics: dict[str, str]) -> Goals:
    return Task(metrics=metrics, limits=limits, space=SPACE).goals


def test_aims_are_one_sentence_and_of_one_metric_what_they_were() -> None:
    assert aims(goals_of({}, {"acc": "maximize"})) == "Maximize acc"
    goals = goals_of({"ms": "<= 20", "mib": ">= 1"}, {"acc": "maximize", "ms": "minimize"})
    assert aims(goals) == "Maximize acc and minimize ms, with ms <= 20 and mib >= 1"


def test_names_of_metrics_are_drawn_as_text() -> None:
    name = "[red]x[/red]|*" + "y" * 60
    goals = goals_of({name: "<= 1"}, {"acc": "maximize"})
    _, second = measured(goals, {"acc": 1.0, name: 2.0})
    assert second.name.startswith("[red]x[/red]|*") and len(second.name) == 40
    assert second.text.endswith(" 2 (breaks <= 1)")


def test_a_table_of_trials_is_aligned_marks_what_breaks_a_limit_and_is_cut_to_the_width() -> None:
    goals = goals_of({"ms": "<= 20"}, {"a rather long name of a metric": "maximize", "ms": "minimize"})
    rows = [(n, {"a rather long name of a metric": n / 7, "ms": 19.0 + n}, "x " * 60) for n in range(4)]
    lines = table(goals, rows, width=60, most=3)
    assert all(58 < len(line) <= 60 for line in lines[1:4]) and lines[4] == "and 1 more"
    assert lines[3].split()[2] == "21!" and "!" not in lines[2]
    assert {line[:4] for line in lines[1:4]} == {"#0  ", "#1  ", "#2  "}
