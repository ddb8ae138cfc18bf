"""Going on with a run that has ended, without leaving the terminal."""

from __future__ import annotations

from typing import Protocol

from tunesmith.text.literal import one_line
from tunesmith.tui.spans import Spans, joined
from tunesmith.tui.state import RunView


class Engine(Protocol):
    """A run's engine that was started here, as `tunesmith.api.background` has it."""

    began: float
    """Unix time it was started."""

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""

    def log_tail(self) -> str:
        """The last lines of what it printed."""


def asks_to_go_on(line: str) -> bool:
    """Whether a typed line is `/resume`."""
    return line.strip().lower() == "/resume"


def offer(view: RunView) -> Spans:
    """How a run ended, and how one goes on with it from here."""
    why = f": {one_line(view.ending, 200)}" if view.ending else ""
    done = view.state == "finished"
    how = "/trials +10 and then /resume go on with it" if done else "/resume goes on with it"
    return ((f"This run is over ({view.state}{why}). {how}, in the background.", "dim"),)


def why_not_started(engine: Engine) -> Spans:
    """What an engine printed that has ended and did not begin a session."""
    head = "there was nothing left to run" if engine.code == 0 else "the run could not be started"
    more = "; /trials +10 gives it more trials, then /resume" if engine.code == 0 else ""
    lines = [one_line(line, 200) for line in engine.log_tail().splitlines()[-6:] if line.strip()]
    return joined([((f"{head}{more}", "warn"),), *(((f"  {line}", "dim"),) for line in lines)])
