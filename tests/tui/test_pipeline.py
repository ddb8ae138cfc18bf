"""A pipeline's run in the terminal: allocations stage by stage, and scaling by samples."""

from __future__ import annotations

from pathlib import Path

from fakes.tui_runs import begun, ended, started
from tunesmith.events import Event
from tunesmith.trial import Origin, Proposal
from tunesmith.tui.facts import read_facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import cells
from tunesmith.tui.typed_lines import Reply, respond

TASK = """
name: answers
problem:
  name: pipeline
  stages:
    "find":
      models: {small: {parameters: 1e9}, "[red]large[/red]": {parameters: 1e10}}
      samples: [1, 4, 8]
    answer:
      models: {small: {parameters: 1e9}, "[red]large[/red]": {parameters: 1e10}}
      samples: [1, 4, 8]
"""
HOSTILE = "[red]large[/red]"


def said(view: RunView, line: str) -> str:
    reply = respond(view, line)
    assert isinstance(reply, Reply)
    return plain(reply.spans)


def test_a_trial_is_shown_stage_by_stage(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK)
    facts = read_facts(tmp_path)
    assert not facts.problem and facts.study is not None
    rows = [("small", 1, 0.4), ("small", 4, 0.5), (HOSTILE, 4, 0.8)]
    told: list[Event] = [begun()]
    for number, (model, samples, quality) in enumerate(rows):
        configuration = facts.study.space.validate(
            {"find.model": model, "find.samples": samples, "answer.model": "small", "answer.samples": 1}
        )
        proposal = Proposal(configuration=configuration, origin=Origin.SURROGATE, reason="because")
        values = {"quality": quality, "cost": 40.0, "find.cost": 30.0, "answer.cost": 10.0, "find.share": 0.5}
        told += [
            started(number).model_copy(update={"proposal": proposal}),
            ended(number, quality, improved=True, values=values),
        ]
    view = RunView(facts)
    view.fold([event.model_copy(update={"seq": i, "at": 100.0 + i}) for i, event in enumerate(told, 1)])

    best = said(view, "/best")
    assert f"find   ███████▌   {HOSTILE} x 4, majority  75 %  cost 30, on 50 % of the items" in best
    assert "answer ██▌        small x 1  25 %  cost 10" in best
    stages = said(view, "/stages")
    assert "find small  ▁▃  0.4 at 1*, 0.5 at 4*" in stages and f"find {HOSTILE}  █  0.8 at 4*" in stages
    assert cells(view.trials[2], facts.short)[-1][0] == f"{HOSTILE}×4 → small×1"
