"""What a contender of the benchmark is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import Evaluator, Trace

DEFAULTED = "+default"
"""Ends the name of an Optuna sampler that starts from the task's default."""


@dataclass(frozen=True)
class Contender:
    """An optimiser that takes part.

    Attributes:
        name: As on the command line; stored runs are found by it.
        version: Changes when its code does, so that runs of two builds are never mixed.
        reads_words: Whether it reads the task's words, so that other words make other runs.
        run: Runs it once: task, seed, evaluations, evaluator.
        needs_fidelities: Whether it takes part only where tasks can be evaluated in part.
        missing: Which package it needs that is not installed, and the extra to install; empty if none.
    """

    name: str
    version: str
    reads_words: bool
    run: Callable[[BenchTask, int, int, Evaluator], Trace]
    needs_fidelities: bool = False
    missing: str = ""
