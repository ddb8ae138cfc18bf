"""`tunesmith bench pipeline` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

from fakes.tiny_job import tunesmith


def test_one_command_makes_runs_pages_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    command = ["bench", "pipeline", "--quick", "--seeds", "1", "--contenders", "random,rule", "--jobs", "1"]
    command += ["--tasks", "no-interaction", "--results", str(tmp_path)]
    ran = tunesmith(*command, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / "pipeline" / "partial"
    page = (folder / "README.md").read_text()
    assert "## no-interaction" in page and "| rule |" in page and "Not the full benchmark" in page
    assert "<svg" in (folder / "no-interaction.svg").read_text()
    document = json.loads((folder / "summary.json").read_text())
    rows = document["tables"][0]["rows"]
    assert [row["contender"] for row in rows] == ["random", "rule"]
    assert all(row["runs"] == 1 and row["items"] <= 10_000 for row in rows)
    stored = (tmp_path / "pipeline" / "runs.jsonl").read_text()
    again = tunesmith(*command, "--json", cwd=tmp_path)
    assert again.returncode == 0 and json.loads(again.stdout) == document
    assert (tmp_path / "pipeline" / "runs.jsonl").read_text() == stored  # nothing was missing


def test_what_does_not_exist_is_told(tmp_path: Path) -> None:
    unknown = tunesmith("bench", "pipeline", "--tasks", "nothing", cwd=tmp_path)
    assert unknown.returncode == 2 and "no-interaction" in unknown.stderr
    of_others = tunesmith("bench", "pipeline", "--evaluations", "3", cwd=tmp_path)
    assert of_others.returncode == 2 and "50 trials" in of_others.stderr
