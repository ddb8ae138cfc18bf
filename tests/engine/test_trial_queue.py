"""Numbers are promised at once and kept."""

from __future__ import annotations

import threading

from fakes.inline_engine import proposal
from tunesmith.tools.engine.trial_queue import TrialQueue


def test_numbers_are_promised_in_order_after_what_waits_already() -> None:
    queue = TrialQueue(5)
    assert queue.add([proposal(0.1), proposal(0.2)]) == [5, 6]
    assert queue.add([]) == []
    assert queue.add([proposal(0.3)]) == [7]
    assert [queue.start() for _ in range(3)] == [5, 6, 7]
    assert queue.first() is None and queue.start_unqueued() == 8


def test_who_was_not_queued_waits_for_those_who_were_promised_the_number() -> None:
    queue = TrialQueue(0)
    assert queue.start_unqueued() == 0
    assert queue.add([proposal(0.1)]) == [1]
    assert queue.start_unqueued() is None
    assert queue.start() == 1
    assert queue.start_unqueued() == 2


def test_a_dropped_proposal_takes_no_number() -> None:
    queue = TrialQueue(0)
    queue.add([proposal(0.1), proposal(0.2)])
    assert queue.first() == proposal(0.1)
    queue.drop()
    assert (queue.first(), queue.start()) == (proposal(0.2), 0)
    assert queue.waiting == ()


def test_promises_hold_while_trials_start_in_another_thread() -> None:
    queue = TrialQueue(0)
    promised: dict[float, int] = {}
    started: dict[float, int] = {}
    over = threading.Event()

    def launch() -> None:
        for n in range(300):
            x = (n + 1) / 400
            (promised[x],) = queue.add([proposal(x)])
        over.set()

    thread = threading.Thread(target=launch)
    thread.start()
    while not over.is_set() or queue.first() is not None:
        waiting = queue.first()
        if waiting is None:
            queue.start_unqueued()
        else:
            started[float(waiting.configuration["x"])] = queue.start()
    thread.join()
    assert len(started) == 300 and started == promised
