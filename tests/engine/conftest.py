"""A maker for engines in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.inline_engine import EngineMaker


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[EngineMaker]:
    maker = EngineMaker(tmp_path)
    yield maker
    maker.close()
