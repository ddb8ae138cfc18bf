"""Two threads may propose side by side: neither lifts the other's limit on BLAS threads."""

from __future__ import annotations

import threading

import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_info, threadpool_limits

from tunesmith.agent.methods.gp.threads import one_blas_thread, one_thread


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_in_a_run_the_limit_holds_whoever_returns_first_and_is_lifted_at_its_end():
    entered, left, seen = threading.Event(), threading.Event(), list[set[int]]()

    @one_thread
    def of_the_policy() -> None:
        entered.set()
        assert left.wait(600)
        seen.append(blas_threads())

    @one_thread
    def of_the_engine(thread: threading.Thread) -> None:
        thread.start()
        assert entered.wait(600)

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            thread = threading.Thread(target=of_the_policy)
            of_the_engine(thread)
            left.set()
            thread.join()
        assert seen == [{1}] and blas_threads() == before
