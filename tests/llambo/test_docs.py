"""docs/llambo.md runs as it stands."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from fakes.chat_server import ChatServer
from fakes.llambo_model import Oracle
from tunesmith.agent.methods.llambo.settings import PRESETS, LlamboSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "llambo.md"


def truth(values: Any) -> float:
    return -abs(math.log10(values["lr"]) + 2.5) - 0.1 * abs(values["depth"] - 4)


def test_the_programs_of_the_document_run_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert len(programs) == 7
    names: dict[str, Any] = {}
    with ChatServer(Oracle(truth, noise=0.01, threshold=-0.5)) as server:
        monkeypatch.setenv("TUNESMITH_BASE_URL", server.url)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        for program in programs:
            exec(compile(program, DOCUMENT.name, "exec"), names)  # noqa: S102  our own document
    assert len(names["study"].trials) == 8 and len(names["other"].trials) == 8
    asked = [c.configuration for c in names["candidates"]]
    np.testing.assert_allclose(names["mean"], [truth(c) for c in asked], atol=0.05)
    assert names["probability"].shape == names["std"].shape == (len(asked),)
    assert truth(names["best"]) == pytest.approx(max(truth(c) for c in asked), abs=0.1)


def test_every_argument_and_setting_that_the_document_names_is_one() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("candidates", "context", "blinded", "batch", "recalibrate"):
        assert name in text and name in LlamboSettings.model_fields
    for preset in PRESETS:
        assert f"`{preset}`" in text


@pytest.fixture(autouse=True)
def quiet() -> Any:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)
