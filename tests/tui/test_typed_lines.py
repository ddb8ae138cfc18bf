import pytest

from fakes.tui_runs import begun, trials
from tunesmith.commands import Ask, Command, Pause, Resume, Stop
from tunesmith.events import Recommended
from tunesmith.recommendation import Recommendation
from tunesmith.space import Float, Space
from tunesmith.tui.facts import Facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.typed_lines import Leave, Reply, respond


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
    ],
    ids=str,
)
def test_a_line_is_a_command_or_leaves(line: str, response: Command | Leave) -> None:
    assert respond(running(), line) == response


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("/why 0", "trial 0 "),
        ("/why #0", "trial 0 "),
        ("/why", "trial 0 "),
        ("/best", "trial 0 "),
        ("/help", "/pause"),
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
    without_model = respond(running(model=None), "how is it going?")
    assert isinstance(without_model, Reply) and "no language model" in plain(without_model.spans)


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
