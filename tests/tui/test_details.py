"""What the details say of a trial beyond its result: differences, timings, attempts."""

from __future__ import annotations

from pathlib import Path

from fakes.hostile_text import hostile_texts
from fakes.tui_runs import TASK, begun, ended, started
from tunesmith.trial import Provenance
from tunesmith.tui.detail_view import further_lines
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView


def test_differences_to_the_best_and_the_default_and_when_it_ran(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK + "default: {learning_rate: 0.01, optimizer: adamw}\n")
    view = RunView(read_facts(tmp_path))
    again = Provenance(attempt=2, parent=0)
    events = [
        begun(workers=2),
        started(0),
        started(1, values={"learning_rate": 0.01, "optimizer": "sgd"}, provenance=again),
        ended(0, 0.7, improved=True),
        ended(1, 0.5),
    ]
    view.fold([e.model_copy(update={"at": 100.0 + k, "clock": 1.0 + k}) for k, e in enumerate(events)])
    lines = [" ".join(plain(line).split()) for line in further_lines(view.trials[1], view)]
    assert "this best #0 default" in lines
    assert "learning_rate 0.01 0.003 same" in lines and "optimizer sgd adamw adamw" in lines
    assert any("into the run, on worker 2; took 2.0 s; seed 1" in line for line in lines)
    assert "how it came about: attempt 2; goes on from trial 0" in lines
    best = [" ".join(plain(line).split()) for line in further_lines(view.trials[0], view)]
    assert "this default" in best and "optimizer adamw same" in best


def test_hostile_names_and_values_are_literal() -> None:
    view = RunView(Facts())
    for number, text in enumerate(list(hostile_texts().values())[::10]):
        view.fold(
            [begun(), started(number, values={text or "p": text}, provenance=Provenance(taken_from=text))]
        )
        for line in further_lines(view.trials[number], view):
            assert not any(ord(c) < 32 or c in "\u202e\u2066\u2028" for c in plain(line))
