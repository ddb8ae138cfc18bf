"""The circuit breaker against a clock that the test moves."""

from __future__ import annotations

import pytest

from tunesmith.agent.models.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker
from tunesmith.errors import ModelUnavailable


class Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.opened: list[tuple[str, str]] = []
        self.breaker = Breaker(lambda cause, meaning: self.opened.append((cause, meaning)), lambda: self.now)

    def opens(self) -> bool:
        try:
            self.breaker.check()
        except ModelUnavailable:
            return True
        return False


def test_it_opens_after_three_failures_in_a_row_and_not_after_three_in_all() -> None:
    bench = Bench()
    for _ in range(5):
        bench.breaker.failed("lost")
        bench.breaker.failed("lost")
        bench.breaker.succeeded()
    assert not bench.opens()
    for _ in range(3):
        bench.breaker.failed("lost")
    assert bench.opens()
    assert len(bench.opened) == 1


def test_after_the_pause_one_attempt_probes_and_failing_it_doubles_the_pause() -> None:
    bench = Bench()
    for _ in range(3):
        bench.breaker.failed("lost")
    bench.now += FIRST_PAUSE_S
    assert not bench.opens()  # the probe
    assert bench.opens()  # everybody else, while it is out
    bench.breaker.failed("still lost")
    bench.now += 2 * FIRST_PAUSE_S - 1
    assert bench.opens()
    bench.now += 1
    assert not bench.opens()
    bench.breaker.succeeded()
    assert not bench.opens() and not bench.breaker.is_open


def test_the_pause_never_grows_past_its_longest() -> None:
    bench = Bench()
    for _ in range(20):
        bench.breaker.failed("lost")
    bench.now += LONGEST_PAUSE_S
    assert not bench.opens()


def test_a_lasting_fault_opens_it_for_good() -> None:
    bench = Bench()
    bench.breaker.failed("401", lasting=True)
    bench.now += 1e9
    with pytest.raises(ModelUnavailable, match="not asked again in this run, after: 401"):
        bench.breaker.check()


def test_two_timeouts_are_enough() -> None:
    bench = Bench()
    bench.breaker.failed("slow", weight=2)
    assert not bench.opens()
    bench.breaker.failed("slow", weight=2)
    assert bench.opens()
