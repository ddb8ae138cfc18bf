"""Incidents: folded, grouped and bounded; their lines; the pane through its keys."""

from __future__ import annotations

from rich.cells import cell_len

from fakes.hostile_text import hostile_texts
from fakes.tui_runs import Run, begun, ended, started
from tunesmith.budget import ModelSpend
from tunesmith.events import CommandDone, Degraded, ModelCalled, RunFinished, TrialReported
from tunesmith.trial import Provenance, TrialState
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.incident_view import counts_line, detail_lines, group_lines
from tunesmith.tui.incidents import MOST_GROUPS, MOST_KEPT, Incidents
from tunesmith.tui.panes.incidents import IncidentsPane
from tunesmith.tui.panes.trial_details import TrialDetailsPane
from tunesmith.tui.spans import joined, plain


def failed_call(error: str) -> ModelCalled:
    return ModelCalled(
        purpose="briefing", model="m", ok=False, seconds=1, prompt_tokens=1, completion_tokens=0,
        dollars=None, error=error, spend=ModelSpend(calls=1, dollars=None),
    )  # fmt: skip


def rejected(cause: str) -> Degraded:
    return Degraded(what="rejected", where="proposal by model", cause=cause, continuation="it was not run")


def test_incidents_are_counted_by_kind_and_grouped_by_cause() -> None:
    incidents = Incidents()
    events = [
        begun(),
        ended(0, None, message="RuntimeError: shape 3 is not 4", traceback="a\nb"),
        ended(1, None, message="RuntimeError: shape 17 is not 128"),
        ended(2, None, state=TrialState.TIMED_OUT, message="not finished within 60 s"),
        ended(3, None, state=TrialState.PRUNED, curve=((1, 0.2), (5, 0.3))),
        ended(4, 0.5, surprise=-2.5),
        ended(5, 0.5, surprise=1.9),
        ended(6, None, state=TrialState.LOST, message="its worker vanished", loss="process"),
        started(7, provenance=Provenance(attempt=2)),
        failed_call("HTTP 500 in 3 s"),
        failed_call("HTTP 500 in 9 s"),
        rejected("the same configuration is trial 12 already"),
        rejected("lr is above 0.1"),
        Degraded(what="fallback", where="policy.decide", cause="x", continuation="the rules decided"),
        Degraded(what="retry", where="model call: briefing", cause="x", continuation="asked again"),
        CommandDone(command_id=1, command="kill", ok=False, reply="trial 99 is not running"),
        CommandDone(command_id=2, command="kill", ok=True, reply="killed"),
    ]
    taken = [incidents.take(event) for event in events]
    assert taken == [False, *[True] * 5, False, *[True] * 9, False]
    assert incidents.counts == {
        "crashed": 2, "timed_out": 1, "pruned": 1, "missed": 1, "worker": 1, "rerun": 1, "model": 2,
        "duplicate": 1, "rejected": 1, "fallback": 1, "retry": 1, "refused": 1,
    }  # fmt: skip
    groups = {group.kind: group for group in incidents.groups}
    assert incidents.groups[0].kind == "refused" and len(incidents.groups) == 12
    assert groups["crashed"].count == 2 and groups["crashed"].latest.trial == 1
    assert groups["crashed"].latest.cause == "RuntimeError: shape 17 is not 128"
    assert groups["pruned"].latest.cause == "step 5, 0.3000: worse than other trials at the same step"
    assert "2.5 sd worse than predicted" in groups["missed"].latest.cause
    assert groups["fallback"].latest.done == "the rules decided"
    assert plain(counts_line(incidents)).startswith("2 crashed · 1 timed out · 1 worker · 2 model failed")


def test_a_session_that_was_killed_is_an_incident_and_one_that_was_stopped_is_none() -> None:
    incidents = Incidents()
    stopped = RunFinished(reason="a person stopped it", status="stopped")
    assert not any(map(incidents.take, [begun(), stopped, begun(resumed=True, trials_before=3)]))
    assert incidents.take(begun(resumed=True, trials_before=4))
    assert incidents.groups[0].latest.done == "continued after 4 trials"
    assert incidents.take(RunFinished(reason="no trial completed", status="failed"))


def test_what_is_kept_is_bounded_and_the_counts_are_not() -> None:
    incidents = Incidents()
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(300):
        name = letters[number % 26] + letters[number // 26 % 26]
        incidents.take(ended(number, None, message=f"error of {name}", traceback="t" * 9_000))
        incidents.take(ended(number, None, message=f"the same {number}"))
    groups = incidents.groups
    assert len(groups) == MOST_GROUPS + 1 and incidents.total == 600
    assert sum(group.count for group in groups) == 600
    assert max(len(group.kept) for group in groups) == MOST_KEPT
    assert max(len(each.traceback) for group in groups for each in group.kept) < 4_100
    assert "further causes, the latest: error of" in plain(joined(group_lines(incidents, 120, 40)))
    same = next(group for group in groups if group.count == 300)
    assert "the latest 20 of them" in plain(detail_lines(same, 80, 20)[0])


def test_lines_fit_whatever_the_words_and_the_cursor_is_in_sight() -> None:
    incidents = Incidents()
    for number, text in enumerate(list(hostile_texts().values())[::5]):
        incidents.take(ended(number, None, message=text, traceback=text))
        incidents.take(Degraded(what="warning", where=text, cause=text, continuation=text))
    groups = incidents.groups
    for width, height in ((120, 30), (60, 12), (20, 3), (1, 1)):
        for cursor in (0, len(groups) // 2, len(groups) - 1):
            shown = group_lines(incidents, width, height, cursor)
            assert len(shown) <= height
            assert height < 4 or any(line[0][0] == "❯ " for line in shown[1:])
            for line in [*shown, *detail_lines(groups[cursor], width, height)]:
                text = plain(line)
                assert cell_len(text) <= max(width, 12) and not any(ord(c) < 32 for c in text)
                assert not any(c in text for c in "\u202e\u2066\u2028")
    assert "Nothing failed" in plain(group_lines(Incidents(), 80, 10)[0])


async def test_from_the_list_of_causes_to_the_trial_and_back(run: Run) -> None:
    run.tell(
        begun(),
        started(0),
        ended(0, 0.5, improved=True),
        started(1),
        TrialReported(number=1, step=3, value=0.1),
        ended(1, None, state=TrialState.PRUNED),
        started(2),
        ended(
            2,
            None,
            message="ValueError: [b]no[/b]",
            traceback="Traceback\n  File train.py\nValueError: [b]no[/b]",
        ),
    )
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("f6")
        await pilot.pause()
        pane = app.query_one(IncidentsPane)
        assert app.focused is pane and pane.content_size.height > 10
        lines = pane.render().plain.split("\n")
        assert lines[0] == "1 crashed · 1 pruned"
        assert "1× crashed" in lines[1] and "#2 ValueError: [b]no[/b]" in lines[1]
        assert "#1 step 3, 0.1000: worse than other trials" in lines[2]
        await pilot.press("enter")
        text = pane.render().plain
        assert "trials/00002/log.txt" in text and "File train.py" in text
        await pilot.press("left", "down", "enter")
        assert "1× pruned" in pane.render().plain and "trials/00001/log.txt" in pane.render().plain
        await pilot.press("enter")
        await pilot.pause()
        assert app.selection.chosen == 1 and app.focused_pane is app.query_one(TrialDetailsPane)
        await pilot.press("f6")
        run.tell(started(3), ended(3, None, state=TrialState.DIVERGED, message="loss is nan"))
        while "of 4" in pane.render().plain or app.view.incidents.total < 3:
            await pilot.pause(0.02)
        await pilot.press("left")
        await pilot.pause()
        shown = pane.render().plain.split("\n")
        assert "loss is nan" in shown[1] and shown[3].startswith("❯")
