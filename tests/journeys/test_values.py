"""Values of every kind through whole runs: what is listed is what training receives and what comes back."""

import json
import math

import pytest

import tunesmith
from tunesmith.events import Degraded
from tunesmith.space import Categorical, Float, Int, Ordinal

CHOICES = [
    None,
    [50, 100],
    (3, (4,)),
    {"a": [None]},
    math.nan,
    1,
    "1",
    "none",
    "",
    "x" * 3000,
    2**90,
    1.0,
    True,
]


def train(config, trial):
    (trial.folder / "got.txt").write_text(repr(config))
    penalty = 0 if config["c"] is None else 1
    return penalty + config["opt.lr"] + (config["depth"] or 0) / 100


@pytest.mark.long
def test_training_receives_what_was_listed_in_every_session_of_a_run(tmp_path):
    told = []
    space = {
        "c": Categorical(CHOICES),
        "depth": Ordinal([None, 2, 4]),
        "n": Int(0, 2**62),
        "opt": {"lr": Float(0, 1)},
    }
    for trials in (4, 9):
        result = tunesmith.tune(
            train, space, metric="v", direction="minimize", trials=trials, seed=1, model=None, name="values",
            runs=tmp_path, listen=told.append,
            default={"c": [50, 100], "depth": None, "n": 2**53 + 1, "opt": {"lr": 0.5}},
        )  # fmt: skip
    notes = [event.cause for event in told if isinstance(event, Degraded) and event.where == "space"]
    assert notes == [f"c: {twice} equals 1, so the two are one choice" for twice in ("1.0", "True")]
    assert len(result.history.completed) == 9
    originals = {repr(choice) for choice in CHOICES[:-2]}
    seen = set()
    for trial in result.history:
        got = (tmp_path / "values" / "trials" / f"{trial.number:05d}" / "got.txt").read_text()
        config = result.history.space.originals(trial.configuration)
        assert got == repr(config) and repr(config["c"]) in originals
        seen.add(repr(config["c"]))
        if trial.number == 0:
            assert config == {"c": [50, 100], "depth": None, "n": 2**53 + 1, "opt.lr": 0.5}
    assert len(seen) >= 4
    assert repr(result.best["c"]) in originals and repr(result.recommended["c"]) in originals
    assert result.trial_rows()[0]["params.c"] == [50, 100]
    shown = json.loads((tmp_path / "values" / "report.json").read_text())
    assert shown["trials"][0]["configuration"]["c"] == "[50, 100]"
