"""The reducer, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.tui_runs import TASK, begun, ended, started, trials
from tunesmith.budget import ModelSpend
from tunesmith.events import (
    Answered,
    CommandDone,
    Confirmed,
    Decided,
    ElicitedPrior,
    Event,
    ModelCalled,
    PriorsElicited,
    RunFinished,
    TaskChanged,
    Thought,
    ToolCalled,
    ToolReturned,
    TrialReported,
    Woken,
)
from tunesmith.interfaces import Decision
from tunesmith.trial import TrialState
from tunesmith.tui.chat_view import MOST_ITEMS
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.status import fit, segments
from tunesmith.tui.trial_view import cells, details
from tunesmith.tui.typed_lines import best, why


def view_of(*events: Event, facts: Facts | None = None) -> RunView:
    view = RunView(facts or Facts(trials=16))
    view.fold(event.model_copy(update={"seq": i, "at": 100.0 + i}) for i, event in enumerate(events, 1))
    return view


def said(view: RunView) -> list[str]:
    return [plain(item.spans) for item in view.chat.items]


def row(view: RunView, number: int) -> list[str]:
    return [text for text, _ in cells(view.trials[number], view.facts.write)]


def test_a_row_says_how_far_a_trial_is() -> None:
    view = view_of(begun(), started(0), started(1), TrialReported(number=0, step=3, value=0.5))
    assert row(view, 0) == ["0", "running", "0.5000", "", "surrogate", "learning_rate=0.003, optimizer=adamw"]
    assert row(view, 1)[2] == ""
    view.fold([ended(0, 0.75, improved=True), ended(1, None, message="RuntimeError: no")])
    assert row(view, 0)[1:4] == ["done", "0.7500", "★"]
    assert row(view, 1)[1:4] == ["crashed", "", ""]


def test_changes_name_what_has_to_be_drawn_again_and_only_that() -> None:
    view = view_of(begun(), *trials([0.5, 0.7]))
    assert view.take_changes().trials == {0, 1}
    view.fold([TrialReported(number=1, step=2, value=0.1)])
    changes = view.take_changes()
    assert (changes.trials, changes.chat, changes.plot) == ({1}, frozenset(), False)
    view.fold([started(2), ended(2, 0.9, improved=True)])
    assert view.take_changes().trials == {1, 2}  # 1 loses its star
    assert view.take_changes() == type(changes)()


def test_pieces_of_a_turn_are_one_item_even_between_other_events() -> None:
    view = view_of(
        Thought(turn=1, speaker="model", text="Learning ", final=False),
        *trials([0.5]),
        Thought(turn=1, speaker="model", text="rates.\x1b[3", final=False),
        Thought(turn=1, speaker="model", text="1m Next", final=True),
        Thought(turn=2, speaker="model", text="Other", final=True),
    )
    thoughts = [plain(item.spans) for item in view.chat.items if item.mark == "◆"]
    assert thoughts == ["Learning rates. Next", "Other"]  # the escape was cut in two, and still went


def test_a_tool_call_and_its_return_are_one_line_with_all_of_it_underneath() -> None:
    view = view_of(
        ToolCalled(turn=1, tool="suggest", arguments={"n": 3}),
        ToolCalled(turn=1, tool="suggest", arguments={"n": 4}),
        ToolReturned(turn=1, tool="suggest", result="first\nresult"),
        ToolReturned(turn=1, tool="suggest", result="second", ok=False),
    )
    assert said(view) == ["suggest n=3 → first result", "suggest n=4 → second"]
    assert view.chat.items[0].body == '{"n": 3}\nfirst\nresult'


def test_a_decision_that_changes_nothing_is_no_line_and_one_that_taught_something_is() -> None:
    decision = Decided(policy="rules", decision=Decision(reason="Look near 0.003.", wake_after=1))
    assert said(view_of(decision)) == ["Look near 0.003."]
    spoken = Thought(turn=0, speaker="narrator", text="Look near 0.003.")
    assert said(view_of(spoken, decision)) == ["Look near 0.003."], "not twice"
    same = Decided(policy="rules", decision=Decision(reason="No change of plan after start: it goes on."))
    assert said(view_of(Woken(triggers=("start",)), same)) == []
    stop = Decided(policy="rules", decision=Decision(reason="No change of plan after x.", stop="enough"))
    assert said(view_of(stop)) == ["stop: enough"]


def test_a_long_note_says_its_first_sentence_and_the_rest_on_demand() -> None:
    text = "The learning rate matters most. " + "It explains a lot of what was seen. " * 8
    for event in (
        Thought(turn=0, speaker="narrator", text=text),
        Decided(policy="agent", decision=Decision(reason=text)),
    ):
        view = view_of(event)
        assert said(view) == ["The learning rate matters most. …"]
        assert view.chat.items[0].body == text.strip()
    answer = view_of(Answered(command_id=1, text=text, final=True))
    assert said(answer) == [text.strip()], "an answer is shown whole"


def test_what_the_model_expects_is_told_and_nothing_in_it_moves_a_cursor() -> None:
    lr = ElicitedPrior(parameter="lr\x1b[2J", low=1e-3, best=3e-3, high=1e-2)
    adam = ElicitedPrior(parameter="optimizer", weights={"adam": 0.7}, why="Usual.")
    view = view_of(PriorsElicited(beliefs=(lr, adam), prompt_id="hybrid/opening.v1"))
    said = plain(view.chat.items[-1].spans)
    assert "expects lr" in said and "near 0.003 (0.001 to 0.01), optimizer adam (70%)" in said
    assert "\x1b" not in said


def test_progress_of_the_comparison_is_one_line_and_the_verdict_takes_its_place() -> None:
    view = view_of(Confirmed(done=0, total=10), Confirmed(done=5, total=10))
    assert said(view) == ["comparing the best with the default: 5 of 10 runs"]
    view.fold([Confirmed(done=10, total=10, text="better by 0.02")])
    assert said(view) == ["better by 0.02"]


def test_trials_running_when_a_session_ended_are_lost_and_time_between_sessions_does_not_count() -> None:
    view = RunView(Facts())
    events = [begun(), started(0), begun(resumed=True, trials_before=1), started(1)]
    for seq, (event, at) in enumerate(zip(events, (100.0, 110.0, 5000.0, 5005.0), strict=True), 1):
        view.fold([event.model_copy(update={"seq": seq, "at": at})])
    assert view.trials[0].state is TrialState.LOST
    assert (view.state, view.running) == ("running", 1)
    assert view.elapsed(now=5010.0) == pytest.approx(20.0)
    view.fold([RunFinished(reason="done", status="finished", at=5030.0, seq=5)])
    assert view.elapsed(now=9999.0) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("command", "state"), [("pause", "paused"), ("stop", "stopping"), ("ask", "running")]
)
def test_a_command_carried_out_shows_in_the_state(command: str, state: str) -> None:
    view = view_of(begun(), CommandDone(command_id=1, command=command, ok=False, reply="refused"))
    assert view.state == "running"
    view.fold([CommandDone(command_id=2, command=command, ok=True, reply="")])
    assert view.state == state


def test_a_run_whose_process_is_gone_is_interrupted_once() -> None:
    view = view_of(begun(), started(0))
    view.interrupt()
    view.interrupt()
    assert view.state == "interrupted" and view.trials[0].state is TrialState.LOST
    assert sum("interrupted" in text for text in said(view)) == 1


def test_the_log_keeps_the_newest_items_under_keys_that_never_change() -> None:
    view = view_of(begun(), *trials([0.5] * 3000))
    assert MOST_ITEMS <= len(view.chat.items) <= MOST_ITEMS + 200
    assert view.chat.items[-1].key == 6000
    assert view.chat.items[0].key == view.chat.dropped


def test_details_hold_reason_prediction_against_outcome_curve_and_traceback() -> None:
    view = view_of(
        begun(),
        started(0),
        started(1, expected=0.7, spread=0.05, evidence=(0,), prompt_id="hybrid/candidates.v2"),
        ended(1, 0.82, surprise=2.4, curve=((1, 0.25), (2, 0.5), (3, 0.8))),
        started(2),
        ended(2, None, message="ValueError: bad", traceback="Traceback:\n  boom [/]"),
    )
    lines = [plain(spans) for spans in details(view.trials[1], view.facts.write)]
    assert lines == [
        "trial 1 ✓ done  0.8200  2s",
        "learning_rate=0.003, optimizer=adamw",
        "expected 0.7000 ± 0.0500, got 0.8200 (2.4 spreads better)",
        "curve ▁▄█  0.2500 → 0.8000, step 3",
        "because of 1  (surrogate, hybrid/candidates.v2, resting on #0)",
    ]
    failed = plain(why(view, 2).spans)
    assert failed.endswith("cause ValueError: bad\n  Traceback:\n    boom [/]")


def test_the_plot_follows_the_incumbents_and_leaves_out_what_would_flatten_it() -> None:
    plot = view_of(begun(), *trials([0.5, 0.7, 0.6, 0.8])).plot
    assert plot.points == ((0, 0.5), (1, 0.7), (2, 0.6), (3, 0.8))
    assert plot.steps == ((0, 0.5), (1, 0.5), (1, 0.7), (3, 0.7), (3, 0.8))
    values = [0.80, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87, -1e9]
    wild = view_of(begun(), *trials(values)).plot
    assert wild.hidden == 1 and wild.limits is not None and wild.limits[0] > 0.7
    assert all(wild.limits[0] <= value <= wild.limits[1] for value, _ in wild.ticks)
    assert [words for _, words in wild.ticks] == ["0.80", "0.82", "0.84", "0.86"]


def test_the_status_line_drops_the_least_important_first() -> None:
    spend = ModelSpend(calls=9, prompt_tokens=20_000, completion_tokens=1_300, dollars=0.012)
    called = ModelCalled(
        purpose="decide",
        model="m",
        ok=True,
        seconds=1,
        prompt_tokens=1,
        completion_tokens=1,
        dollars=0,
        spend=spend,
    )
    view = view_of(begun(model="gpt-5-mini"), *trials([0.5]), started(1), called)
    line = segments(view, now=163.0)
    assert plain(fit(line, 200)) == (
        "● running  │  trials 1/16  │  workers 1/2  │  best 0.5000 #0  │  elapsed 1m02"
        "  │  gpt-5-mini 9 calls  │  21.3k tokens  │  model cost $0.01"
    )
    assert plain(fit(line, 60)) == "● running │ trials 1/16 │ elapsed 1m02 │ model cost $0.01"
    assert plain(fit(line, 5)) == "● running"
    assert "no language model" in plain(fit(segments(view_of(begun()), now=1.0), 200))


def test_facts_come_from_the_task_file_and_a_broken_one_is_said_not_raised(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK)
    facts = read_facts(tmp_path)
    assert (facts.metric, facts.direction, facts.trials, facts.wall_time_s) == (
        "val_accuracy",
        "maximize",
        16,
        600.0,
    )
    assert facts.short({"learning_rate": 0.003, "optimizer": "sgd"}) == "lr 0.003 sgd"
    (tmp_path / "task.yaml").write_text("space: [")
    assert "task.yaml" in read_facts(tmp_path).problem


def test_why_without_a_number_takes_the_newest_finished_trial() -> None:
    view = view_of(begun(), *trials([0.5, 0.6]), started(2))
    assert plain(why(view, None).spans).startswith("trial 1 ")
    assert plain(why(view, 7).spans) == "there is no trial 7; there are 0 to 2"
    assert plain(best(view_of(begun())).spans) == "no trial has completed yet"


def test_the_line_says_that_the_model_thinks_and_for_how_long() -> None:
    with_model = begun(model="scripted")
    asked = Woken(triggers=("start",))
    line = plain(fit(segments(view_of(with_model, asked), now=102.0 + 42), 200))
    assert "the model is thinking 42s" in line
    decided = Decided(policy="agent", decision=Decision(reason="So."))
    assert "thinking" not in plain(fit(segments(view_of(with_model, asked, decided), now=190.0), 200))
    assert "thinking" not in plain(fit(segments(view_of(begun(), asked), now=190.0), 200))


def test_trials_outside_a_changed_search_space_become_history_and_the_best_is_another() -> None:
    changed = TaskChanged(changes=("lr is narrower",), space=True, version=2, epoch=2, left=(1,), best=0)
    view = view_of(begun(), *trials([0.5, 0.9, 0.4]), changed)
    assert row(view, 1)[3:5] == ["", "history"] and row(view, 0)[3] == "★" and view.best == 0
    assert view.plot.points == ((0, 0.5), (2, 0.4)) and view.plot.steps == ((0, 0.5), (2, 0.5))
    assert any("lr is narrower" in line for line in said(view))
    view.fold([started(3), ended(3, 0.6, improved=True)])
    assert view.best == 3 and row(view, 0)[3] == ""
    back = changed.model_copy(update={"left": (), "best": 1, "version": 1, "epoch": 3})
    view.fold([back])
    assert view.best == 1 and row(view, 1)[3:5] == ["★", "surrogate"] and len(view.plot.points) == 4
