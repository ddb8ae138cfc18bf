"""Where guidelines are shown: the history tool, a person's question, and the lines of a run."""

from __future__ import annotations

from dataclasses import replace

from fakes.histories import briefing
from fakes.small_pipeline import CAPS, ran, task
from tunesmith.agent.conversation.intents import answer_from_records
from tunesmith.agent.conversation.records import Records
from tunesmith.agent.methods.agenttts.archive import Archive
from tunesmith.agent.methods.agenttts.method import METHOD
from tunesmith.agent.methods.base import MethodContext
from tunesmith.agent.models import open_model
from tunesmith.agent.policy.findings import findings
from tunesmith.bench.scripted_planner import scripted_planner
from tunesmith.cli.stream import Stream
from tunesmith.events import GuidelinesStated
from tunesmith.guidelines import Claim, Guideline
from tunesmith.items import Items
from tunesmith.tools.toolbox.base import Turn
from tunesmith.tools.toolbox.history import history as history_tool
from tunesmith.trial import TrialState

TASK = task()
HISTORY = ran(TASK, ("large", 1, "large", 1), ("large", 1, "small", 8), ("large", 1, "small", 40))
CLAIM = Claim(parameter="answer.samples", relation="no_gain_beyond", value=8)
STATED = GuidelinesStated(
    round=1, trials=2, guidelines=(Guideline(text="Eight are enough.", about="saturation", claim=CLAIM),)
)
LINE = "Eight are enough. [answer.samples > 8 brings no gain: held; #2 against #1: "


def concluded():
    archive = Archive(lambda event: event, [STATED])
    return replace(briefing(HISTORY), conclusions=lambda: archive.lines(HISTORY))


def test_the_history_tool_ends_with_the_guidelines_and_is_as_before_without_any():
    plain = history_tool(Turn(briefing(HISTORY), None))
    shown = history_tool(Turn(concluded(), None))
    assert shown.startswith(plain) and "Guidelines" not in plain
    assert shown.removeprefix(plain).startswith(f"\nGuidelines so far:\n{LINE}")


def test_a_person_may_ask_for_them_without_a_model():
    answer = answer_from_records("guidelines", Records(concluded()))
    assert answer.startswith(LINE)
    nothing = answer_from_records("guidelines", Records(briefing(HISTORY)))
    assert "no guidelines" in nothing and "Eight" not in nothing


def test_a_run_prints_each_round_with_claims_and_counts_what_was_said_before(capsys):
    stream = Stream(TASK)
    other = Guideline(text="Balance [bold]both[/].", about="exploration", evidence=(0, 1))
    stream.show(STATED)
    stream.show(STATED.model_copy(update={"round": 2, "guidelines": (*STATED.guidelines, other)}))
    assert capsys.readouterr().out.splitlines() == [
        "  ~ guidelines of round 1:",
        "      saturation   Eight are enough.",
        "                   claim: answer.samples > 8 brings no gain",
        "  ~ guidelines of round 2:",
        "      exploration  Balance [bold]both[/]. (from #0, #1)",
        "      as before: 1 guideline of earlier rounds",
    ]


def test_a_trial_that_a_race_stopped_is_told_by_its_items():
    stopped = {
        "value": None,
        "state": TrialState.PRUNED,
        "items": {"quality": Items((1.0, 1.0, 0.0)).pack()},
        "curve": ((1, 1.0), (2, 1.0), (3, 0.667)),
    }
    last = HISTORY.trials[-1].model_copy(update=stopped)
    text = " ".join(findings(HISTORY.with_trial(last), (last,)))
    assert "was stopped early at 0.667 after 3 items: no better than the best on the same items." in text


def test_a_run_of_the_method_has_them_in_its_briefings():
    model = open_model(scripted_planner, CAPS, lambda event: event, mode="live")
    context = MethodContext(
        TASK,
        lambda event: event,
        model,
        name="agenttts",
        settings=METHOD.settings(),
        earlier=(STATED,),
    )
    parts = METHOD.build(context)
    assert parts.conclusions is not None and parts.conclusions(HISTORY)[0].startswith(LINE)
