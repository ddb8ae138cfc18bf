"""A pipeline's run in the terminal: allocations stage by stage, and scaling by samples."""

from __future__ import annotations

from pathlib import Path

from fakes.tui_runs import begun, ended, started
from tunesmith.events import Event, GuidelinesStated
from tunesmith.guidelines import Claim, Guideline
from tunesmith.items import Items
from tunesmith.tools.records.trial_folder import record_outcome
from tunesmith.trial import Origin, Outcome, Proposal, TrialState
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


def test_guidelines_are_told_by_round_and_judged_as_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK)
    facts = read_facts(tmp_path)
    assert facts.study is not None
    claim = Claim(parameter="find.model", relation="better", value=HOSTILE, than="small")
    stated = Guideline(text=f"Take {HOSTILE}\x1b[31m.", about="capability", claim=claim, evidence=(0,))
    plain_words = Guideline(text="Balance.", about="exploration")
    rounds = [GuidelinesStated(round=n, trials=1, guidelines=(stated, plain_words)) for n in (1, 2)]
    told: list[Event] = [begun()]
    for number, (model, right) in enumerate((("small", 20), (HOSTILE, 60))):
        configuration = facts.study.space.validate(
            {"find.model": model, "find.samples": 1, "answer.model": "small", "answer.samples": 1}
        )
        proposal = Proposal(configuration=configuration, origin=Origin.SURROGATE, reason="because")
        items = {"quality": Items(tuple(float(k < right) for k in range(100))).pack()}
        values = {"quality": right / 100, "cost": 40.0}
        outcome = Outcome(state=TrialState.COMPLETED, values=values, items=items)
        record_outcome(tmp_path / "trials" / f"{number:05d}", outcome)
        told += [
            started(number).model_copy(update={"proposal": proposal}),
            ended(number, right / 100, improved=True, values=values),
            *rounds[number : number + 1],
        ]
    view = RunView(facts)
    assert "no language model has stated guidelines" in said(view, "/guidelines")
    view.fold([event.model_copy(update={"seq": i, "at": 100.0 + i}) for i, event in enumerate(told, 1)])
    log = [plain(item.spans) for item in view.chat.items]
    lines = next(text for text in log if text.startswith("guidelines of round 2")).splitlines()
    assert lines[1].startswith(f"- Take {HOSTILE}") and lines[1].endswith("capability, from #0")
    assert len(lines) == 3 and "\x1b" not in "".join(log)
    judged = said(view, "/guidelines").splitlines()
    assert len(judged) == 4 and judged[0].endswith("capability, rounds 1 and 2, from #0")
    assert (
        f"find.model={HOSTILE} scores higher than find.model=small: held: #1 against #0: +0.4 (" in judged[1]
    )
    assert "100 items)" in judged[1] and judged[3] == "  nothing that trials can judge"


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
    assert f"find   ███████▌   75 %  {HOSTILE} x 4, majority  cost 30, on 50 % of the items" in best
    assert "answer ██▌        25 %  small x 1  cost 10" in best
    stages = said(view, "/stages")
    assert "find small  ▁▃  0.4 at 1*, 0.5 at 4*" in stages and f"find {HOSTILE}  █  0.8 at 4*" in stages
    assert cells(view.trials[2], facts.short)[-1][0] == f"{HOSTILE}×4 → small×1"
