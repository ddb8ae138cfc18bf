"""What every sink passes. Inherit `SinkCases` and give it two fixtures.

class TestMine(SinkCases):
    @pytest.fixture
    def make_sink(self):  # a new one for the same destination, as each session of a run makes it
        return lambda: my_package.MySink(my_package.MySink.settings(url=...))

    @pytest.fixture
    def handled(self):  # the `seq` of every event that reached the destination, in order
        return lambda folder: [...]
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tunesmith.events import Event, Noted
from tunesmith.testing.studies import SPACES, task_for
from tunesmith.tools.sinks.base import Sink

MakeSink = Callable[[], Sink]
Handled = Callable[[Path], list[int]]


def events(first: int, last: int) -> list[Event]:
    """Stored events with these `seq`, with text that a careless format would break."""
    return [Noted(text=f'{seq}\n"é\u2028', seq=seq, at=1e9 + seq) for seq in range(first, last + 1)]


class SinkCases:
    """Inherit, and add the fixtures `make_sink` and `handled`."""

    TASK = task_for(SPACES["numbers"])

    def session(self, sink: Sink, folder: Path, log: list[Event]) -> None:
        """What a session, or a process that follows one, does with a sink."""
        after = sink.open(folder, self.TASK)
        for event in log:
            if event.seq > after:
                sink.handle(event)

    def test_every_event_arrives_once_in_order_over_three_sessions(
        self, make_sink: MakeSink, handled: Handled, tmp_path: Path
    ) -> None:
        for last in (3, 3, 5):
            sink = make_sink()
            self.session(sink, tmp_path, events(1, last))
            sink.close()
            assert handled(tmp_path) == list(range(1, last + 1))

    def test_no_event_is_lost_where_the_process_was_killed(
        self, make_sink: MakeSink, handled: Handled, tmp_path: Path
    ) -> None:
        self.session(make_sink(), tmp_path, events(1, 3))  # never closed
        sink = make_sink()
        self.session(sink, tmp_path, events(1, 5))
        sink.close()
        assert sorted(set(handled(tmp_path))) == [1, 2, 3, 4, 5]
