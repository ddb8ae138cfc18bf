"""When a policy's answers took effect: kept beside the model's answers in `exchanges.jsonl`, and replayed.

A model's answer comes whenever it comes, while trials start and end. What it changes is changed by the
engine at one moment, named by the numbers of trials started and finished. A replay has the recorded answers
at once, holds each back until that moment, and waits for it there: then the strategy sees what it saw.

One line for each thing that happened: `{what, started, finished, at}`.

    woken      the policy was asked; `seconds` the run had spent, which its prompts may show
    advice     a part of a model's answer began to count
    launch     the policy queued trials, or tried to
    decision   the policy's decision became the plan
    ended      the search ended
"""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from tunesmith.tools.records.line_file import append_line

What = Literal["woken", "advice", "launch", "decision", "ended"]


class Moment(NamedTuple):
    """A point in a run. With one worker a run passes each of its moments at most once."""

    started: int
    """Trials started so far, those of earlier sessions included."""
    finished: int

    def reached(self, now: Moment) -> bool:
        return now.started >= self.started and now.finished >= self.finished


class Happened(NamedTuple):
    what: What
    moment: Moment
    seconds: float | None = None


class Moments:
    """The moments of a run as they come; used from the engine's thread. This one keeps none.

    Attributes:
        in_step: The engine is to wait for every decision before it starts a trial.
    """

    in_step = False

    def may_wake(self, now: Moment) -> bool:
        """Whether the policy may be asked now, if there is a reason."""
        return True

    def woken(self, now: Moment, seconds: float) -> float:
        """The policy is asked now. Returns the seconds that it is told the run has spent."""
        return seconds

    def may_take(self, now: Moment) -> bool:
        """Whether what the policy has done may take effect now."""
        return True

    def awaited(self, now: Moment) -> bool:
        """Whether something that the policy is about to do takes effect at this very moment."""
        return False

    def took_effect(self, what: What, now: Moment) -> None:
        """Something takes effect now."""

    def ended(self, now: Moment) -> None:
        """The search has ended."""

    def over(self, now: Moment) -> bool | None:
        """Whether the recorded run had ended by this moment; None where its end is not known."""
        return None


class KeptMoments(Moments):
    """Appends each to a file, `exchanges.jsonl` of a run that records its model's answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def woken(self, now: Moment, seconds: float) -> float:
        seconds = round(seconds, 3)
        self._append("woken", now, seconds=seconds)
        return seconds

    def took_effect(self, what: What, now: Moment) -> None:
        self._append(what, now)

    def ended(self, now: Moment) -> None:
        self._append("ended", now)

    def _append(self, what: What, now: Moment, **more: float) -> None:
        append_line(self._path, json.dumps({"what": what, **now._asdict(), **more, "at": time.time()}))


class ReplayedMoments(Moments):
    """Lets everything happen when it did.

    Args:
        path: The recording. One made before moments were kept was made in step with one worker.
    Attributes:
        unfinished: Which waking of the policy, counted from 1, led to a decision that came too late although
            parts of it had counted; None where there is none. What it asked for last is not in the recording.
    """

    def __init__(self, path: Path) -> None:
        happened = read_moments(path)
        self.in_step = not happened
        ended = happened[-1].moment if happened and happened[-1].what == "ended" else None
        self._ended = ended
        self._left = deque(each for each in happened if each.what != "ended")
        wakes = [each.what for each in self._left if each.what in ("woken", "decision")]
        self.unfinished = wakes.count("woken") if ended is not None and wakes[-1:] == ["woken"] else None
        if self.unfinished is not None and self._left[-1].what == "woken":
            self._left.pop()  # nothing of it ever counted, so it need not be asked for
            self.unfinished = None

    def may_wake(self, now: Moment) -> bool:
        return bool(self._left) or not self._before_the_end(now)

    def woken(self, now: Moment, seconds: float) -> float:
        if self._left and self._left[0].what == "woken":
            return self._left.popleft().seconds or seconds
        return seconds

    def may_take(self, now: Moment) -> bool:
        if not self._left:
            return not self._before_the_end(now)
        return self._left[0].what == "woken" or self._left[0].moment.reached(now)

    def awaited(self, now: Moment) -> bool:
        return bool(self._left) and self._left[0].what != "woken" and self._left[0].moment.reached(now)

    def took_effect(self, what: What, now: Moment) -> None:
        if self._left and self._left[0].what == what:
            self._left.popleft()

    def over(self, now: Moment) -> bool | None:
        return None if self._ended is None else self._ended.reached(now)

    def _before_the_end(self, now: Moment) -> bool:
        """Whether the recorded run was still going on at this moment; False where its end is not known."""
        return self._ended is not None and now.started <= self._ended.started


def read_moments(path: Path) -> list[Happened]:
    """The moments in a recording, in order.

    A torn line is left out, and so are the ends of all sessions but the last.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    happened = [each for line in lines if (each := _read(line)) is not None]
    last = len(happened) - 1
    return [each for place, each in enumerate(happened) if each.what != "ended" or place == last]


def _read(text: str) -> Happened | None:
    try:
        line: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or line.get("what") not in get_args(What):
        return None
    started, finished, seconds = line.get("started"), line.get("finished"), line.get("seconds")
    if not isinstance(started, int) or not isinstance(finished, int):
        return None
    return Happened(line["what"], Moment(started, finished), seconds if isinstance(seconds, float) else None)
