"""`tunesmith` without arguments."""

from __future__ import annotations

from pathlib import Path

from fakes.tiny_job import tunesmith, write_job
from fakes.tui_runs import TASK, Run, begun, trials
from tunesmith.tui.start.finding import LARGEST_TASK, tasks_in


def test_without_arguments_runs_and_tasks_of_the_folder_are_listed_with_their_commands(
    tmp_path: Path,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = tunesmith(cwd=empty)
    assert done.returncode == 0 and "There is no task and no run" in done.stdout

    write_job(tmp_path / "a b")
    run = Run(tmp_path / "runs/digits")
    (run.folder / "task.yaml").write_text(TASK)
    (run.folder / "run.json").write_text('{"created_at": 1.0}')
    run.tell(begun(), *trials([0.5]))
    run.store.close()
    done = tunesmith(cwd=tmp_path)
    assert done.returncode == 0
    assert "digits  interrupted  best 0.5000  1 trials" in done.stdout
    assert "tunesmith attach digits --resume\n      tunesmith attach digits\n" in done.stdout
    assert "tunesmith chat 'a b/task.yaml'" in done.stdout


def test_finding_tasks_follows_no_link_and_reads_no_large_or_odd_file(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_job(elsewhere)
    here = tmp_path / "here"
    here.mkdir()
    (here / "link").symlink_to(elsewhere)
    (here / "link.yaml").symlink_to(elsewhere / "task.yaml")
    (here / "large.yaml").write_bytes(b"space:\nmetric:\n" + b"#" * LARGEST_TASK)
    (here / "other.yaml").write_text("services: {}\n")
    (here / "bytes.yaml").write_bytes(b"\xff\xfe\x00space:")
    assert tasks_in(here) == ()
    write_job(here / "job")
    assert tasks_in(here) == (here / "job/task.yaml",)
