"""Optuna's own conformance cases for samplers, inherited."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from tunesmith import TunesmithSampler


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
class TestTunesmithSampler(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """No language model, no space given: the define-by-run case."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: TunesmithSampler(seed=0)
