from pathlib import Path

import pytest

from fakes.tui_runs import begun, ended, started, trials
from tunesmith.commands import Approve, Ask, ChangeBudget, Command, Freeze, Pause, Resume, Stop
from tunesmith.events import ActionsProposed, Answered, CommandDone, Recommended, RunFinished
from tunesmith.recommendation import Recommendation
from tunesmith.space import Float, Space
from tunesmith.tui.facts import Facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.transcript import markdown, write_new
from tunesmith.tui.typed_lines import Afterwards, Export, Leave, Reply, respond


def running(model: str | None = "m") -> RunView:
    view = RunView(Facts())
    view.fold([begun(model=model), *trials([0.5])])
    return view


@pytest.mark.parametrize(
    ("line", "response"),
    [
        ("/pause", Pause()),
        (" /RESUME ", Resume()),
        ("/stop", Stop()),
        ("/quit", Leave.LEAVE),
        ("try a smaller width", Ask(text="try a smaller width")),
        ("why /best?", Ask(text="why /best?")),
        ("/trials +10", ChangeBudget(more_trials=10)),
        ("/export talk.md", Export("talk.md")),
    ],
    ids=str,
)
def test_a_line_is_a_command_or_leaves(line: str, response: Command | Leave | Export) -> None:
    assert respond(running(), line) == response


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("/why 0", "trial 0 "),
        ("/why #0", "trial 0 "),
        ("/why", "trial 0 "),
        ("/best", "trial 0 "),
        ("/help", "/try"),
        ("/help kill", "/kill N"),
        ("/budget", "trials"),
        ("/log", "trial 0 has written no log"),
    ],
)
def test_a_question_about_trials_is_answered_here(line: str, start: str) -> None:
    reply = respond(running(), line)
    assert isinstance(reply, Reply) and not reply.bad and plain(reply.spans).startswith(start)


@pytest.mark.parametrize(
    "line", ["/why seven", "/why -1", "/why 1 2", "/why ³", "/stop now", "/rm", "/", "/why " + "9" * 99]
)
def test_what_is_not_understood_is_never_sent(line: str) -> None:
    reply = respond(running(), line)
    assert isinstance(reply, Reply) and reply.bad


def test_what_the_run_cannot_take_is_refused_with_the_reason() -> None:
    waiting = respond(RunView(Facts()), "/pause")
    assert isinstance(waiting, Reply) and waiting.bad and "has not started" in plain(waiting.spans)
    view = running()
    view.fold([RunFinished(reason="done", status="finished")])
    assert respond(view, " /trials  +10 ") == Afterwards("/budget trials=+10")
    assert respond(view, "what matters?") == Afterwards("what matters?")
    assert isinstance(respond(view, "/why 0"), Reply)


def test_what_waits_for_approval_is_shown_as_lines_and_answered_with_y() -> None:
    view = running()
    freeze = Freeze(parameter="lr", value=0.1)
    view.fold([ActionsProposed(command_id=9, actions=(freeze,), effects=("lr: [b]fixed",), waiting=True)])
    said = plain(view.chat.items[-1].spans)
    assert "/freeze lr=0.1" in said and "lr: [b]fixed" in said
    assert respond(view, "y") == Approve(request=9)
    view.fold([CommandDone(command_id=10, command="approve", ok=True, reply="Approved.")])
    assert view.proposed is None and respond(view, "y") == Ask(text="y")


def test_two_trials_side_by_side_show_what_differs() -> None:
    view = RunView(Facts())
    view.fold([begun(), started(0), ended(0, 0.5), started(1, values={"learning_rate": 0.3, "[/]": "a"})])
    reply = respond(view, "/compare 0 1")
    assert isinstance(reply, Reply)
    rows = [line.split() for line in plain(reply.spans).splitlines()]
    assert ["learning_rate", "0.003", "0.3"] in rows and ["[/]", "-", "a"] in rows
    assert ["value", "0.5", "-"] in rows


def test_the_conversation_is_exported_escaped_and_overwrites_nothing(tmp_path: Path) -> None:
    view = running()
    view.add_typed("what *is* <b>this</b>?\n# second line")
    view.fold([Answered(command_id=1, text="![x](http://e.vil)", final=True)])
    text = markdown(view.chat, "digits")
    assert "**You:** what \\*is\\* \\<b\\>this" in text and "\\# second line" in text and "\\!\\[x\\]" in text
    path = write_new(str(tmp_path / "talk.md"), text)
    assert path.read_text() == text
    for bad in (str(path), str(tmp_path / "no" / "x.md"), "~nobody-here/x", "\udc80/x", str(tmp_path)):
        with pytest.raises(OSError):
            write_new(bad, "other")
    assert path.read_text() == text


def test_best_names_what_is_recommended_once_the_run_has_ended() -> None:
    view = running()
    space = Space({"lr": Float(0, 1)})
    found = Recommendation(
        trial=1, configuration=space.validate({"lr": 0.5}), expected=0.4, best_trial=0, best_value=0.5
    )
    view.fold([Recommended(recommendation=found, text="recommended: [b]trial 1")])
    reply = respond(view, "/best")
    assert isinstance(reply, Reply) and "recommended: [b]trial 1" in plain(reply.spans)
    view.fold([begun(model=None)])
    assert "recommended" not in plain(respond(view, "/best").spans)  # type: ignore[union-attr]
