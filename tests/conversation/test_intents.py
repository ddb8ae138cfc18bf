"""Without a model: the same questions, answered from the records by what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.histories import briefing, configured, grown, history, trial
from tunesmith.agent.conversation.asked import read_question
from tunesmith.agent.conversation.checking import faults
from tunesmith.agent.conversation.intents import INTENTS, answer_from_records, intent_of
from tunesmith.agent.conversation.records import Records
from tunesmith.events import Noted, TaskChanged
from tunesmith.history import History
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.trial import TrialState


def records(past: History) -> Records:
    return Records(briefing(past), ())


def answered(question: str, past: History) -> str:
    return answer_from_records(question, records(past))


MEANT = {
    "why 12": ("why 12", "why was trial 12 tried?", "/why 12", "Why #12?", "what's the reason for #12"),
    "compare 3 7": ("compare 3 7", "compare #3 with #7", "3 vs 7", "difference between trials 3 and 7?"),
    "log 5": ("log 5", "show me the traceback of #5"),
    "space": ("space", "what is the search space?", "which ranges are searched"),
    "what did I ask?": ("what did I ask?", "what had I asked before"),
    "curve 5": ("curve 5", "how is trial 5 doing?", "#5", "show me the curve of 5", "what about run 5"),
    "best": ("best", "/best", "what is the best so far?", "who is leading", "show the pareto front"),
    "what matters?": ("what matters", "which hyperparameters are important?", "what is flat?"),
    "how sure are you?": (
        "how sure",
        "how certain is that?",
        "are the predictions calibrated",
        "can I trust it",
    ),
    "what next?": ("what next", "what is planned", "what comes next?"),
    "is it worth going on?": ("is it worth going on", "has it converged?", "should I stop now?"),
    "what failed, and why?": ("what failed and why", "why did they crash", "any errors?", "out of memory?"),
    "what does it cost?": ("what does it cost", "how much money is spent", "budget?", "tokens"),
    "what do you believe about {parameter}?": (
        "what do you believe about lr?",
        "learning rate?",
        "where is the optimum of the width",
        "momentun",
    ),
    "what do you believe?": ("what do you believe", "your priors?"),
    "which are running?": ("which are running", "status", "what is running now?"),
    "what changed?": ("what changed", "show the notes"),
    "guidelines": ("guidelines", "what did you conclude?"),
}


@pytest.mark.parametrize("example", MEANT)
def test_a_question_is_read_in_the_words_that_people_use(example: str) -> None:
    about = records(grown(14))
    for said in MEANT[example]:
        found = intent_of(said, about)
        assert found is not None and found.example == example, said


def test_every_intent_has_a_case_and_answers_at_every_stage_of_a_run() -> None:
    assert {intent.example for intent in INTENTS} == set(MEANT)
    for past in (history(), grown(1), grown(14)):
        for said in MEANT.values():
            assert 0 < len(answered(said[0], past)) <= 6000


def test_the_document_lists_every_question() -> None:
    text = (Path(__file__).parents[2] / "docs" / "conversation.md").read_text(encoding="utf-8")
    assert [i.example for i in INTENTS if f"`{i.example.format(parameter='lr')}`" not in text] == []


def test_why_and_best_say_what_the_records_hold() -> None:
    done = trial(
        0, configured(), 0.7, reason="Because.", expected=0.71, spread=0.02, curve=[(1, 0.1), (2, 0.7)]
    )
    past = history(done, trial(1, configured(width=80), 0.8, evidence=(0,)))
    for part in ("Because.", "predicted 0.71 ± 0.02, got 0.7: held", "▁█"):
        assert part in answered("/why 0", past)
    assert "It rested on #0." in answered("why #1?", past)
    assert answered("why 9", past) == "There is no trial 9; 2 trials: 2 completed."
    assert "#1 | 0.8 | completed" in answered("best", past) and "the gain is 0.1" in answered("best", past)
    assert answered("best", history()).startswith("No trial has completed yet.")


def test_a_comparison_shows_differences_noise_curves_and_predictions() -> None:
    first = trial(3, configured(lr=0.01), 0.7, expected=0.6, spread=0.01, curve=[(1, 0.5), (2, 0.7)])
    second = trial(7, configured(width=128), 0.9, curve=[(1, 0.8), (2, 0.9)])
    past = history(*(trial(n, configured(width=60 + n), 0.1) for n in (0, 1, 2)), first, second)
    told = answered("compare 3 7", past)
    assert "#7 is better by 0.2" in told and "may be luck" in told
    assert "lr 0.01 against 0.001" in told and "width 64 against 128" in told
    assert "did not hold" in told and told.count("by step") == 2
    noisy = Records(briefing(past), ())
    noisy = Records(
        type(noisy.briefing)(**{**vars(noisy.briefing), "task": noisy.task.model_copy(update={"noise": 0.2})})
    )
    assert "within what noise explains" in answer_from_records("compare 3 7", noisy)
    assert "There is no trial 9" in answered("compare 3 9", past)


def test_failures_are_told_by_pattern() -> None:
    bad = [
        trial(n, configured(lr=0.05 + n / 1000), state=TrialState.DIVERGED, message="loss is nan")
        for n in (0, 1, 2)
    ]
    past = history(*bad, *(trial(n, configured(lr=0.001 * n), 0.5) for n in (3, 4, 5, 6)))
    told = answered("what failed and why?", past)
    assert "3 trials failed" in told and "diverged had lr >= 0.05" in told and "loss is nan" in told


def test_numbers_are_trials_only_where_they_can_be() -> None:
    space = grown(1).space
    assert read_question("try lr=0.03 width=48", space).trials == ()
    assert read_question("10 more trials", space).trials == ()
    assert read_question("stop after 5 epochs", space).trials == ()
    assert read_question("trials 3, 7 and 9", space).trials == (3, 7, 9)


def test_what_is_not_understood_gets_the_list_and_hostile_text_stays_plain() -> None:
    assert answered("what is the airspeed of a swallow", grown(3)).startswith("This was not understood")
    assert answered("help", grown(3)).startswith("You can ask")
    for text in ("", "</data> \x1b[2J" + "ж" * 5000, "#" * 500, "why " + "9" * 400, "\u202ebest"):
        assert "\x1b" not in answered(text, grown(3)) and "\u202e" not in answered(text, grown(3))
    past = grown(3)
    noted = Records(briefing(past), (Noted(text="[b]x[/b] \x1b]0;t\x07", by="person"),))
    assert "\x1b" not in answer_from_records("what changed?", noted)


def test_a_trial_of_an_earlier_space_is_not_said_to_be_missing() -> None:
    changed = TaskChanged(changes=("width is 64",), space=True, version=2, left=(7, 8))
    past = Records(briefing(grown(3)), (changed,))
    for question in ("why 7", "curve 7", "log 7", "compare 7 1"):
        assert "Trial 7 was run in an earlier search space" in answer_from_records(question, past)
    assert "There is no trial 9" in answer_from_records("why 9", past)
    assert faults("#7 has 0.9, #9 more", [8], past.history, past.left) == ["there is no trial 9"]


def test_trials_of_an_earlier_space_are_explained_and_compared() -> None:
    wide = Space({"lr": Float(1e-5, 10), "width": Int(8, 256), "optimizer": Categorical(["lion", "adam"]),
                  "depth": Int(1, 9)})  # fmt: skip
    then = trial(1, {"lr": 3.0, "width": 64, "optimizer": "lion", "depth": 4}, 0.613, space=wide)
    then = then.model_copy(update={"curve": ((1, 0.5), (2, 0.613))})
    past = replace(history(trial(0, configured(), 0.71), trial(2, configured(), 0.9)), earlier=(then,))
    told = "Trial 1 was run in an earlier search space and does not count in that of now."
    for question in ("why 1", "curve 1", "compare 1 2"):
        text = answered(question, past)
        assert text.count(told) == 1 and "0.613" in text and "lion" in text and "depth" in text, text
    assert "lr 3 against 0.001" in answered("compare 1 2", past)
    assert "0.613" in answered("log 1", past)
    assert told not in answered("why 2", past)
    found = faults("#1 has 0.7 and lr=2.", [1], past, records(past).left)
    assert found == ["trial 1 is 0.613, not 0.7", "trial 1 has lr 3, not 2"]
