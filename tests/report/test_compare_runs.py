"""`tunesmith compare`: what is compared, what is refused, and that no word of a run acts."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from fakes.histories import DEFAULT
from fakes.pages import Page
from tunesmith.cli import app

EVIL = "<script>alert(1)</script>"


def run_of(make_run, name, *values, **more):
    run = make_run(name=name, **more)
    run.start()
    for number, value in enumerate(values):
        run.trial(number, value, values=DEFAULT if number == 0 else None)
    run.finish()
    return str(run.path)


def test_runs_side_by_side_at_equal_trials(make_run, tmp_path):
    short = run_of(make_run, "short", 0.5, 0.7)
    long = run_of(make_run, "long", 0.5, 0.6, 0.9, description=EVIL)
    page = tmp_path / "both.html"
    told = CliRunner().invoke(app, ["compare", short, long, "--json", "--html", str(page)])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert [run["best"] for run in found["runs"]] == [0.7, 0.9]
    assert (found["equal_trials"], [run["best_at_trials"] for run in found["runs"]]) == (2, [0.7, 0.6])
    assert "short has the best accuracy seen: 0.7" in found["sentence"]
    assert "proves nothing" in found["warnings"][0] and "another description" in found["differences"][0]
    assert found["runs"][1]["curve"] == [[0, 0.5], [1, 0.6], [2, 0.9]]
    read = Page(page.read_text())
    assert "script" not in read.tags and "polyline" in read.tags and "proves nothing" in read.text
    text = CliRunner().invoke(app, ["compare", short, long]).stdout
    assert "best of the first 2 trials" in text and "0.9" in text


def test_runs_are_compared_at_the_time_of_the_quickest_and_by_the_versions_that_ran_them(make_run):
    quick = run_of(make_run, "quick", 0.5, 0.7, 0.8)
    slow = make_run(name="slow")
    slow.start()
    for number, value in enumerate((0.5, 0.9, 0.95)):
        slow.trial(number, value, values=DEFAULT if number == 0 else None)
        slow.at += 20
    slow.finish()
    told = CliRunner().invoke(app, ["compare", quick, str(slow.path), "--json"])
    found = json.loads(told.stdout)
    assert [run["best_at_trials"] for run in found["runs"]] == [0.8, 0.95]
    assert [run["best_at_seconds"] for run in found["runs"]] == [0.8, 0.5]
    assert found["equal_seconds"] < 20
    assert [run["version"] for run in found["runs"]] == ["", ""], "not recorded: not that of the reader"


def test_runs_that_measure_other_things_are_told_apart_and_one_run_is_refused(make_run):
    first = run_of(make_run, "first", 0.5, 0.7)
    other = run_of(make_run, "other", 0.5, metric="loss", direction="minimize")
    told = CliRunner().invoke(app, ["compare", first, other])
    assert told.exit_code == 1 and "cannot be compared" in told.stdout
    assert "none is said to be better" in told.stdout
    alone = CliRunner().invoke(app, ["compare", first, first])
    assert alone.exit_code == 2 and "two different runs" in alone.stderr
