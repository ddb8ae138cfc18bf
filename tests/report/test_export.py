"""`tunesmith export`: every trial as a row, and a run in a few lines, whatever the words in it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes.histories import DEFAULT
from fakes.pages import Page, markdown
from tunesmith.cli import app
from tunesmith.tools.report.build import build_report
from tunesmith.tools.report.table import COLUMNS, cell, to_csv
from tunesmith.trial import TrialState

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("http://x")']
ESCAPES = "\x1b[31m\u202e"


def exported(*words: str) -> str:
    told = CliRunner().invoke(app, ["export", *words], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.stdout


def test_csv_has_every_trial_under_stable_columns_at_full_precision(whole_run):
    rows = list(csv.DictReader(io.StringIO(exported(str(whole_run.path)))))
    assert list(rows[0]) == [
        *COLUMNS,
        "values_accuracy",
        "params_lr",
        "params_width",
        "params_optimizer",
        "params_momentum",
    ]
    assert [row["state"] for row in rows] == ["completed", "completed", "pruned", "crashed", "completed"]
    assert rows[4]["params_lr"] == "0.012345678901234567" and rows[4]["value"] == "0.97"
    assert rows[2]["value"] == "" and rows[2]["last_reported"] == "0.45" and rows[2]["feasible"] == ""
    assert rows[0]["params_momentum"] == "", "not active"
    assert rows[3]["message"] == "ValueError: width must be even"


def test_json_and_a_file_and_a_run_by_its_name(whole_run, tmp_path: Path):
    document = json.loads(exported("digits", "--runs", str(whole_run.path.parent), "--format", "json"))
    assert (document["metric"], len(document["trials"])) == ("accuracy", 5)
    assert set(document["trials"][4]) == set(document["columns"])
    assert document["trials"][4]["params_lr"] == 0.012345678901234567
    out = tmp_path / "trials.csv"
    exported(str(whole_run.path), "-o", str(out))
    assert out.read_text() == exported(str(whole_run.path))
    told = CliRunner().invoke(app, ["export", str(tmp_path / "nothing")])
    assert told.exit_code == 2 and "there is no run" in told.stderr


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_would_calculate_is_text(text):
    assert cell(text).startswith("'")


def test_values_that_are_no_formula_stay(make_run):
    assert [cell(v) for v in (-1.5, "-1.5", None, True, 0, "adam", "a=b", "1e-3", "-inf")] == [
        "-1.5",
        "-1.5",
        "",
        "true",
        "0",
        "adam",
        "a=b",
        "1e-3",
        "-inf",
    ]
    run = make_run()
    for number, words in enumerate(FORMULAS):
        run.trial(number, state=TrialState.CRASHED, reason=words, outcome={"message": words + ESCAPES})
    text = to_csv(build_report(run.path))
    assert "\x1b" not in text and "\u202e" not in text
    for row in csv.DictReader(io.StringIO(text)):
        assert row["message"][0] == "'" or row["message"][0] not in "=+-@\t\r"


def test_the_summary_says_what_matters_in_a_few_lines_and_is_inert(whole_run, make_run):
    text = exported(str(whole_run.path), "--format", "md")
    said = Page(markdown(text)).text
    for words in (
        ": accuracy, maximize (finished",
        "Trial 4 is the best of 3 completed",
        "How sure: The best configuration is better",
        "Cost: 5 of 10 trials",
        "lr=0.0123",
        "tunesmith.tune again",
    ):
        assert words in said, words
    assert len(text.splitlines()) < 20
    evil = "<img src=x onerror=alert(1)> **b** [x](http://evil) ```"
    run = make_run(metric=evil, name="other")
    run.trial(0, 0.5, values=DEFAULT)
    run.tell()
    page = Page(markdown(exported(str(run.path), "--format", "md")))
    assert not page.tags & {"img", "a", "h1"} and "<img src=x" in page.text
