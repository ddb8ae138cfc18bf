"""What a report says follows from the records, and from nothing else."""

from __future__ import annotations

import json
import math

import pytest

from fakes.histories import DEFAULT
from tunesmith.budget import ModelSpend
from tunesmith.events import AnswersParsed, Confirmed, Decided, Degraded, ModelCalled, RunFinished
from tunesmith.interfaces import Decision
from tunesmith.tools.report.build import build_report
from tunesmith.tools.report.render import to_html, to_markdown
from tunesmith.trial import Origin, Provenance, TrialState


def test_the_best_configuration_stands_beside_the_default(whole_run):
    data = build_report(whole_run.path)
    assert data.best is not None
    assert (data.best.trial, data.best.value, data.best.seed) == (4, 0.97, 44)
    assert data.best.configuration["lr"] == 0.012345678901234567
    assert data.best.checkpoint == "trials/00004/checkpoints/model.pt"
    assert (data.default, data.default_value) == (DEFAULT, 0.91)
    assert (data.status, data.ended) == ("finished", "the budget of 10 trials is used")
    assert (
        "Trial 4 is the best of 3 completed (5 in all): accuracy 0.97, where the default had 0.91"
        in data.headline
    )


def test_every_trial_is_shown_with_its_reason_prediction_and_end(whole_run):
    data = build_report(whole_run.path)
    assert [line.state for line in data.trials] == [
        "completed",
        "completed",
        "pruned",
        "crashed",
        "completed",
    ]
    assert data.states == {"completed": 3, "pruned": 1, "crashed": 1}
    assert [line.best_so_far for line in data.trials] == [True, True, False, False, True]
    second = data.trials[1]
    assert (second.expected, second.spread, second.evidence) == (0.92, 0.015, (0,))
    assert second.reason == "It looked good."
    assert second.shown == "lr=0.002, width=64, optimizer=adam"
    assert (data.trials[2].last_reported, data.trials[2].steps) == (0.45, 2)
    assert (data.trials[3].message, data.trials[3].traceback) == (
        "ValueError: width must be even",
        "line 1\nline 2",
    )


def test_the_comparison_has_a_line_a_seed_and_the_recorded_verdict(whole_run):
    compared = build_report(whole_run.path).comparison
    assert compared is not None and compared.low is not None and compared.mean_gain is not None
    assert [pair.gain for pair in compared.pairs] == pytest.approx([0.05, 0.04, 0.045])
    assert compared.mean_gain == pytest.approx(0.045)
    assert compared.verdict == "better" and compared.low > 0
    assert "3 paired seeds" in compared.sentence


def test_a_gain_is_positive_for_a_lower_loss_and_none_beside_a_failed_run(make_run):
    run = make_run(direction="minimize")
    run.trial(0, 0.5, values=DEFAULT)
    run.trial(1, 0.2)
    run.confirm([0.2, 0.3, None], [0.6, 0.5, 0.5], trial=1, direction="minimize")
    compared = build_report(run.path).comparison
    assert compared is not None and compared.n == 2
    assert [pair.gain for pair in compared.pairs] == [pytest.approx(0.4), pytest.approx(0.2), None]
    best = build_report(run.path).best
    assert best is not None and best.trial == 1


@pytest.mark.parametrize(
    ("changes", "events", "why"),
    [
        ({"confirm": None}, (), "asks for no comparison"),
        ({"default": None}, (), "states no default"),
        ({}, (), "ended before the comparison"),
        ({}, (Confirmed(done=0, total=0, text="Not compared: interrupted."),), "Not compared: interrupted."),
    ],
    ids=["not asked for", "no default", "ended before", "recorded reason"],
)
def test_without_a_comparison_the_reason_is_given(make_run, changes, events, why):
    run = make_run(**changes)
    run.trial(0, 0.9)
    run.tell(*events)
    data = build_report(run.path)
    assert data.comparison is None
    assert why in data.not_compared


def test_a_damaged_confirm_json_costs_the_comparison_and_not_the_report(whole_run):
    (whole_run.path / "confirm.json").write_text('{"metric": "test_accuracy", "seeds": [1')
    data = build_report(whole_run.path)
    assert data.comparison is None and "confirm.json cannot be read" in data.not_compared
    assert data.best is not None
    whole_run.confirm([0.95, 0.96, 0.955], [0.90, 0.92, 0.91], trial=4)
    record = json.loads((whole_run.path / "confirm.json").read_text())
    record["comparison"]["low"] = "NaN"
    (whole_run.path / "confirm.json").write_text(json.dumps(record))
    data = build_report(whole_run.path)
    assert data.comparison is None and "no finite number" in data.not_compared


def test_what_a_model_was_asked_said_and_had_a_part_in_is_added_up_and_shown_on_both_pages(make_run):
    run = make_run()
    data = build_report(run.path)
    assert data.model.sentence == "No language model was used." and data.model.names == ()
    assert data.model.answers is None and data.say is None
    run.start(model="local-7b")
    run.trial(0, 0.9, origin=Origin.DEFAULT)
    run.trial(1, 0.9, origin=Origin.MODEL, provenance=Provenance(side="model", model_weight=0.2))
    run.trial(2, 0.9, origin=Origin.SURROGATE, provenance=Provenance(side="surrogate", fallback=True))
    run.trial(3, 0.9, origin=Origin.SURROGATE, provenance=Provenance(side="model", model_weight=0.35))
    answered = {"prompt_tokens": 900, "completion_tokens": 100}
    failed = {"error": "503", "prompt_tokens": 0, "completion_tokens": 0}
    spend = ModelSpend(calls=1, dollars=None, **answered)
    call = {"purpose": "warm start", "model": "local-7b", "seconds": 1.0, "dollars": None, "spend": spend}
    run.tell(
        ModelCalled(ok=True, estimated=True, **call, **answered),
        ModelCalled(ok=False, **call, **failed),
        AnswersParsed(where="hybrid/candidates.v2", strict=40, tolerant=3, refused=2),
        AnswersParsed(where="hybrid/opening.v1", strict=1, repaired=1),
    )
    data = build_report(run.path)
    use, read, say = data.model, data.model.answers, data.say
    assert (use.calls, use.failed_calls, use.prompt_tokens, use.completion_tokens) == (2, 1, 900, 100)
    assert use.dollars is None and use.purposes == {"warm start": 2}
    assert use.sentence == (
        "Language model local-7b: 2 calls, 1 of them failed; 1000 tokens (1000 of them estimated: not "
        "counted by the server, or no answer came); cost unknown."
    )
    assert use.estimated_tokens == 1000
    assert (read.strict, read.tolerant, read.repaired, read.refused) == (41, 3, 1, 2)
    assert data.chosen_by == {"default": 1, "model": 1, "surrogate": 2} and data.in_the_models_place == 1
    assert (say.with_it, say.without_it, say.weight) == (2, 1, 0.35) and "35% of at most 50%" in say.sentence
    for page in (to_markdown(data), to_html(data)):
        chosen = "Chosen by: default 1, model 1, surrogate 2. 1 of them by the numeric strategy because"
        assert chosen in page and read.sentence in page and say.sentence in page


def test_decisions_and_incidents_are_listed_with_how_often_and_after_which_trials(make_run):
    run = make_run()
    run.trial(0, 0.5)
    timeout = Degraded(what="fallback", where="llambo", cause="timeout", continuation="the prior was used")
    rejected = Degraded(what="rejected", where="model", cause="lr = 5", continuation="it was not run")
    decision = Decision(reason="Look nearer the best.", stop="no more gain")
    run.tell(timeout, rejected, timeout, timeout, Decided(policy="rules", decision=decision))
    data = build_report(run.path)
    assert [(i.what, i.where, i.count) for i in data.incidents] == [
        ("fallback", "llambo", 3),
        ("rejected", "model", 1),
    ]
    (line,) = data.decisions
    assert (line.after_trials, line.policy, line.reason, line.stop) == (
        1,
        "rules",
        "Look nearer the best.",
        "no more gain",
    )


def test_trials_without_a_value_are_shown_and_a_lost_one_does_not_count(make_run):
    run = make_run()
    assert build_report(run.path).headline == "No trial has run."
    run.trial(0, state=TrialState.CRASHED, outcome={"message": "boom"})
    data = build_report(run.path)
    assert data.best is None and data.headline.startswith("None of 1 trials completed")
    run.trial(1, state=TrialState.LOST, outcome={"message": "interrupted"})
    run.trial(2, expected=math.inf, spread=math.inf)
    data = build_report(run.path)
    assert [line.state for line in data.trials] == ["crashed", "lost", "running"]
    assert data.used.trials == 2
    assert (data.trials[2].expected, data.trials[2].spread) == (None, None)


def test_time_is_summed_over_sessions_and_not_between_them(make_run):
    run = make_run()
    run.start()
    run.trial(0, 0.5)  # two events, a second each
    run.tell(RunFinished(reason="interrupted", status="stopped"))
    run.at += 1000.0
    run.start(resumed=True)
    run.trial(1, 0.6)
    data = build_report(run.path)
    assert data.used.seconds == pytest.approx(3.0 + 2.0)
    assert data.status == "unfinished", "the second session has not ended"


def test_no_path_of_the_machine_is_shown(make_run, tmp_path, monkeypatch):
    project = tmp_path / "somebody" / "project"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    run = make_run()
    trace = (
        f'File "{project}/train.py", line 3\nFile "{tmp_path}/somebody/lib/x.py", line 9\n'
        f"cwd is {project}; log in {run.path}/trials/00000/log.txt; {project}-old stays apart"
    )
    run.trial(
        0, state=TrialState.CRASHED, outcome={"message": f"no file {project}/data.csv", "traceback": trace}
    )
    data = build_report(run.path)
    line = data.trials[0]
    assert line.message == "no file data.csv"
    assert line.traceback == (
        'File "train.py", line 3\nFile "~/lib/x.py", line 9\n'
        "cwd is .; log in trials/00000/log.txt; ~/project-old stays apart"
    )
    assert str(tmp_path) not in data.model_dump_json()


def test_a_task_file_is_named_as_from_here_and_a_model_is_replayed(tmp_path, monkeypatch, make_run):
    monkeypatch.chdir(tmp_path)
    run = make_run(path=tmp_path / "jobs" / "task.yaml", seed=7, objective={"function": "train.py:train"})
    run.start(workers=2)
    data = build_report(run.path)
    assert data.reproduce.commands == (
        "tunesmith run jobs/task.yaml --fresh --seed 7 --trials 10 --workers 2 --no-model",
    )
    assert not data.reproduce.exact
    run.start(workers=1)
    assert build_report(run.path).reproduce.exact
    run.start(model="some-model")
    (command,) = build_report(run.path).reproduce.commands
    assert command.endswith("--replay runs/digits/exchanges.jsonl")


def test_building_a_report_changes_no_record(whole_run):
    def state() -> dict[str, bytes]:
        files = (f for f in whole_run.path.rglob("*") if f.is_file() and not f.name.startswith("run.db-"))
        return {str(f): f.read_bytes() for f in files}

    before = state()
    build_report(whole_run.path)
    assert state() == before
    assert json.loads((whole_run.path / "confirm.json").read_text())["trial"] == 4


def test_a_comparison_of_an_earlier_best_says_so(whole_run):
    whole_run.trial(5, 0.99)
    compared = build_report(whole_run.path).comparison
    assert compared is not None
    assert "compared trial 4, the best at that time, and not yet trial 5" in compared.note
