"""One BLAS thread while proposing.

The matrices here are small: with several threads the operations take several times longer, occupy the cores
that trials train on, and make the last bits of a result depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()  # looks for the libraries once: 3 ms, against 13 us for each limit


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """The same for everything inside, whichever thread it is in; to be entered in the main thread.

    For a run in which two threads propose side by side: the first to return would lift the other's limit, and
    OpenBLAS takes no limit from any thread but the main one (found with 0.3.31).
    """
    import scipy.linalg  # noqa: F401  brings a BLAS of its own, which has to be there to be limited

    with _pools().limit(limits=1, user_api="blas"):
        yield


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run with BLAS limited to one thread; the limit is lifted again when it returns."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with _pools().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
