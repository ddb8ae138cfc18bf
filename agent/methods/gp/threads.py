"""One BLAS thread while proposing.

The matrices here are small: with several threads the operations take several times longer, occupy the cores
that trials train on, and make the last bits of a result depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()  # looks for the libraries once: 3 ms, against 13 us for each limit


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run with BLAS limited to one thread; the limit is lifted again when it returns."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with _pools().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
