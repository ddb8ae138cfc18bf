"""A run that 0.1.0 began with a language model and left after 10 of 12 trials: read, continued, reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith
from tunesmith.agent.methods.hybrid.expert import START, model_expert
from tunesmith.agent.methods.hybrid.gate import side, steps_of
from tunesmith.events import Decided, PriorsElicited
from tunesmith.history import History
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.reconcile import reconcile
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import WARM_START, Origin, Prediction, Proposal, Provenance

STORED = Path(__file__).parents[1] / "data" / "run_0_1_0"
SIDES = [None, None, "model", "surrogate", "model", "surrogate", "model", "surrogate", "surrogate", "model"]
"""Of the ten stored trials, by their `details["gate"]`: 0 let the model in, 1 kept it out."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the stored run folder with its task beside `runs`."""
    for name in ("task.yaml", "tiny.py"):
        shutil.copy(STORED / name, tmp_path)
    folder = Path(shutil.copytree(STORED / "old", tmp_path / "runs" / "old"))
    started = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**started, "task_file": str(tmp_path / "task.yaml")}))
    return folder


def check(history: History) -> None:
    """What 0.1.0 recorded about the ten trials, in today's fields."""
    proposals = [trial.proposal for trial in history][:10]
    assert [side(p) for p in proposals] == SIDES and [p.provenance.side for p in proposals] == SIDES
    assert [p.provenance.stage for p in proposals] == [None, WARM_START, *[None] * 8]
    assert [step.missed for step in steps_of(history)][:3] == [None, False, False]
    assert proposals[1].origin is Origin.MODEL and proposals[1].details == {}
    assert proposals[1].provenance.model_prediction == Prediction(mean=-0.2, std=0.05)
    fourth = proposals[4].provenance
    assert (fourth.model_weight, fourth.elicited_priors) == (0.2, 2)
    assert fourth.acquisition == pytest.approx(-0.1302798) and fourth.prior_weight == pytest.approx(1.716057)
    assert fourth.spread_factor == pytest.approx(3.0906606)
    assert set(proposals[4].details) == {"trust", "candidates"}, "what no code decides by stays there"
    expert = model_expert(history)
    assert (expert.weight, expert.compared, expert.predicted) == (pytest.approx(START), 0, 1)
    assert expert.error == pytest.approx(abs(-0.2 + 0.19799936607))


def test_its_folders_study_and_events_read_as_0_1_0_meant_them(old: Path) -> None:
    folder = RunFolder.open(old)
    trials = [folder.read_config(number).trial() for number in folder.trial_numbers()]
    stored = StudyStore.open(folder, folder.task).load()
    assert [t.proposal for t in trials] == [t.proposal for t in stored]
    check(reconcile(folder, StudyStore.open(folder, folder.task)))
    events = EventStore(folder.db)
    read = events.events()
    events.close()
    assert [len(e.beliefs) for e in read if isinstance(e, PriorsElicited)] == [2]
    launched = [p for e in read if isinstance(e, Decided) for p in e.decision.launch + e.decision.candidates]
    assert launched and all(not {"gate", "warm_start", "model_expected"} & set(p.details) for p in launched)


def test_it_goes_on_without_a_model_and_is_reported(old: Path) -> None:
    done = tunesmith("run", "task.yaml", "--json", "--no-model", cwd=old.parents[1])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert len(report["trials"]) == 12 and report["status"] == "finished"
    assert report["chosen_by"]["model"] == 1 and report["in_the_models_place"] == 0
    assert report["trials"][3]["provenance"]["side"] == "surrogate"
    assert report["say"]["with_it"] + report["say"]["without_it"] >= 10, "the elicited priors go on counting"
    folder = RunFolder.open(old)
    history = reconcile(folder, StudyStore.open(folder, folder.task))
    check(history)
    assert [t.proposal.provenance.side for t in history][10:] == ["surrogate", "model"]


def test_every_key_that_0_1_0_kept_in_details_has_its_field() -> None:
    details = {"own_choice": 1.0, "gate": 0.0, "fallback": 1.0, "surrogate_expected": 1.0, "trust": 0.5}
    details |= {"surrogate_spread": 0.1, "model_expected": float("nan"), "stated": 0.0, "tokens": 7.0}
    stored = {
        "configuration": {"values": {}, "digest": "0"},
        "origin": "model",
        "reason": "?",
        "details": details,
    }
    read = Proposal.model_validate(stored)
    assert read.provenance == Provenance(
        side="model",
        own_choice=True,
        fallback=True,
        surrogate_prediction=Prediction(mean=1.0, std=0.1),
        elicited_priors=0,
    )
    assert read.details == {"trust": 0.5, "tokens": 7.0}
    assert Proposal.model_validate_json(read.model_dump_json()) == read
