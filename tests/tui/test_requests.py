import pytest

from tunesmith.events import Ask, Pause, Resume, Stop
from tunesmith.tui.requests import Best, Help, Mistake, Post, Quit, Request, Why, parse_request


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("/pause", Post(Pause())),
        (" /RESUME ", Post(Resume())),
        ("/stop", Post(Stop())),
        ("/why 7", Why(7)),
        ("/why #7", Why(7)),
        ("/why", Why(None)),
        ("/best", Best()),
        ("/help", Help()),
        ("/quit", Quit()),
        ("try a smaller width", Post(Ask(text="try a smaller width"))),
        ("why /best?", Post(Ask(text="why /best?"))),
    ],
    ids=str,
)
def test_a_line_asks_for_one_thing(line: str, request_: Request) -> None:
    assert parse_request(line) == request_


@pytest.mark.parametrize(
    "line", ["/why seven", "/why -1", "/why 1 2", "/why ³", "/stop now", "/rm", "/", "/why " + "9" * 99]
)
def test_what_is_not_understood_is_never_sent(line: str) -> None:
    assert isinstance(parse_request(line), Mistake)
