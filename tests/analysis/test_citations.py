"""Citations are checked against the records."""

from __future__ import annotations

import pytest

from fakes.histories import configured, history, limited, trial
from tunesmith.tools.analysis.citations import mark_wrong_citations, wrong_citations
from tunesmith.trial import TrialState

PAST = history(
    trial(0, configured(), 0.81),
    trial(1, configured(width=100), 0.93456, curve=[(1, 0.5), (2, 0.93456)], expected=0.9),
    trial(2, configured(lr=0.05), state=TrialState.DIVERGED, curve=[(1, 0.2)]),
)
LIMITED = limited(14)[1]


@pytest.mark.parametrize(
    "text",
    [
        "Trial #1 -> 0.93456 beat #0 (0.81).",
        "#1 scored 0.93, and #1 reached 0.9346.",
        "#1 (0.935) after #1 → 0.5 at step 1; predicted #1 = 0.90",
        "#0 with 3 layers, #1, 14 trials later; #2 reached 7 epochs",
        "#2 diverged (see #0), #1 (2 of 3), #0 reached 81%",
        "issue 99, width 128, 100 trials",
        "",
    ],
)
def test_what_the_records_hold_passes(text):
    assert wrong_citations(text, PAST) == ()
    assert mark_wrong_citations(text, PAST) == text


@pytest.mark.parametrize(
    ("text", "correction"),
    [
        ("#7 was best", "there is no trial #7"),
        ("#1 -> 0.97", "the records hold 0.9346 for #1, not 0.97"),
        ("#0 (0.82) leads", "the records hold 0.81 for #0, not 0.82"),
        ("#2 scored 0.9", "the records hold no value for #2, not 0.9"),
        ("#0 → -0.81", "not -0.81"),
        ("#0 = 8.1e1", "not 8.1e1"),
    ],
    ids=["no such trial", "wrong value", "bracket", "failed trial", "sign", "exponent"],
)
def test_what_they_do_not_hold_is_said_in_the_text(text, correction):
    marked = mark_wrong_citations(text, PAST)
    assert marked.startswith(text + " [checked against the records: ") and correction in marked


def test_trials_launched_since_the_snapshot_may_be_named():
    assert wrong_citations("launched #3 and #4", PAST, launched=[3, 4]) == ()
    assert len(wrong_citations("launched #3 and #5", PAST, launched=[3, 4])) == 1


def test_many_wrong_citations_are_counted_and_not_all_listed():
    marked = mark_wrong_citations(" ".join(f"#{n}" for n in range(10, 60)), PAST)
    assert "45 more citations are wrong" in marked and len(marked) < 500


LIMITED = limited(14)[
    1
]  # 3: latency_ms 39.5, which breaks its limit; 7: val_accuracy 0.5579, latency_ms 11.5


@pytest.mark.parametrize(
    "text",
    [
        "#7 (latency_ms 11.5, params_m 1.05) beats #0, whose latency_ms is 4.75.",
        "#3 reached 0.718 but latency_ms = 39.5, over the limit latency_ms <= 20",
        "The best feasible is #7 at 0.56; #3 is the best without limits.",
        "#3 would be the best if it did not break the limit latency_ms of 20.",
    ],
)
def test_numbers_of_further_metrics_and_true_claims_pass(text):
    assert mark_wrong_citations(text, LIMITED) == text


@pytest.mark.parametrize(
    ("text", "correction"),
    [
        ("#7 has latency_ms 12.5.", "the records hold latency_ms 11.5 for #7, not 12.5"),
        ("#3 (latency_ms: 18, params_m 3.95)", "the records hold latency_ms 39.5 for #3, not 18"),
        ("#1 had latency_ms = 9", "the records hold latency_ms no value for #1, not 9"),
        ("#7 after #3 -> 0.9", "the records hold 0.718 for #3, not 0.9"),
        ("I recommend #3.", "#3 breaks latency_ms <= 20 with 39.5, so it is not the best"),
        ("#3 with 0.718 is by far the best trial", "#3 breaks latency_ms <= 20 with 39.5"),
        ("The best val_accuracy of 0.718 comes from #3", "so it is not the best"),
    ],
)
def test_wrong_numbers_of_further_metrics_and_infeasible_winners_are_corrected(text, correction):
    marked = mark_wrong_citations(text, LIMITED)
    assert marked.startswith(f"{text} [checked against the records: ") and correction in marked


def test_with_one_metric_named_values_are_read_as_before():
    assert (
        mark_wrong_citations("#1 is the best, val_accuracy 0.2", PAST) == "#1 is the best, val_accuracy 0.2"
    )


@pytest.mark.parametrize(
    "said",
    [
        "I have changed the limit on latency to 30.",
        "The limit is now latency <= 30.",
        "Done: the latency limit has been raised to 30, as you asked.",
        "I've relaxed your limit.",
    ],
)
def test_no_run_changes_a_limit_whoever_says_so(said: str) -> None:
    text = mark_wrong_citations(said, LIMITED)
    assert "the limits are still latency_ms <= 20 and params_m <= 5" in text and "task file" in text
    assert mark_wrong_citations(said, PAST) == said, "there is no limit to change"


@pytest.mark.parametrize(
    "said",
    [
        "I cannot change the limit here; the task file can.",
        "The limit is now kept by 5 of 8 trials.",
        "With a limit of 30 the best would be #1.",
        "The limit is what keeps the best value down.",
        "If the limit were 30, wider layers would be worth a try.",
    ],
)
def test_what_is_true_of_limits_is_left_alone(said: str) -> None:
    assert mark_wrong_citations(said, LIMITED) == said
