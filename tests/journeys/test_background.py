"""Engines in processes of their own: one a run, and going on with what a run has kept."""

from __future__ import annotations

from pathlib import Path

from fakes.tiny_job import tunesmith, write_job
from tunesmith.api.background import go_on, start_engine
from tunesmith.tools.records.background import NAME, engine_of, read_background
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.run_list import runs_in


def test_a_run_goes_on_in_the_background_by_what_it_has_kept_and_only_once(tmp_path: Path) -> None:
    write_job(tmp_path, trials=1)
    text = (tmp_path / "task.yaml").read_text()
    (tmp_path / "task.yaml").write_text(text.replace('confirm: {function: "train.py:test", seeds: 3}', ""))
    assert tunesmith("run", "task.yaml", "--quiet", "--no-model", cwd=tmp_path).returncode == 0
    folder = RunFolder.open(tmp_path / "runs/tiny").path
    stored = folder / "task.yaml"
    stored.write_text(stored.read_text().replace("trials: 1", "trials: 3"))

    engine = start_engine(folder, ["run", str(folder), "--quiet", "--no-model"])
    assert engine is not None
    assert go_on(folder) is None, "it has no lock yet, and is known all the same"
    assert [run.state for run in runs_in(tmp_path / "runs")] == ["running"]
    assert engine.wait(60) == 0, engine.log_tail()
    assert engine_of(folder) is None and [run.trials for run in runs_in(tmp_path / "runs")] == [3]
    note = read_background(folder)
    assert note is not None and "--no-model" in note.args

    assert tunesmith("run", "task.yaml", "--quiet", cwd=tmp_path).returncode == 0
    assert not (folder / NAME).exists(), "a later session was told otherwise"
