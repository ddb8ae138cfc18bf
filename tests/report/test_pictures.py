"""The pictures of a report: what they show, that they are bounded, and that they hold whatever is in them."""

from __future__ import annotations

import pytest

from fakes.histories import DEFAULT
from fakes.pages import Page, own_script
from tunesmith.beliefs import Beliefs, ParameterBelief, Slice, Source
from tunesmith.tools.report.build import build_report
from tunesmith.tools.report.interactive import ROWS
from tunesmith.tools.report.render import all_pictures, to_html
from tunesmith.trial import Origin, TrialState

EVIL = "</script><script>alert(1)</script>\u2028<b>"


def believed(name: str, share: float | None) -> ParameterBelief:
    return ParameterBelief(
        name=name,
        kind="float",
        ticks=("0", "1", "2"),
        prior=(0.5, 0.5),
        posterior=(0.2, 0.8),
        expected="1.5",
        low="1",
        high="2",
        probability=0.8,
        sources=(Source(name="none", weight=1.0),),
        moved="",
        importance=share,
        importance_low=None if share is None else share / 2,
        importance_high=None if share is None else min(1.0, share * 1.5),
        slice=Slice(
            positions=(0.0, 0.5, 1.0),
            values=(0.1, 0.2, 0.3),
            mean=(0.9, 0.93, 0.91),
            low=(0.88, 0.92, 0.9),
            high=(0.92, 0.94, 0.92),
        ),
    )


@pytest.fixture
def searched(make_run):
    """Five completed trials with curves and predictions, one stopped early, one crashed."""
    run = make_run()
    run.start()
    for number in range(5):
        curve = tuple((step, 0.02 + number / 100 + step / 10) for step in range(9))
        run.trial(
            number,
            0.9 + number / 100,
            values=DEFAULT if number == 0 else None,
            origin=Origin.DEFAULT if number == 0 else Origin.SURROGATE,
            expected=0.9,
            spread=0.025,
            outcome={"curve": curve},
        )
    run.trial(5, state=TrialState.PRUNED, outcome={"curve": ((0, 0.3), (1, 0.45))})
    run.trial(6, state=TrialState.CRASHED, outcome={"message": EVIL})
    run.finish()
    return run


def test_a_run_has_its_pictures_and_each_mark_is_a_trial(searched):
    data = build_report(searched.path)
    made = {picture.key: picture for picture in all_pictures(data)}
    assert list(made) == ["curves", "slices", "parallel", "predicted", "workers"]
    assert {shape.number for shape in made["curves"].shapes} == {0, 1, 2, 3, 4, 5}
    assert made["curves"].logged is not None, "from 0.02 to 0.86: a logarithmic scale shows more"
    assert [s.css for s in made["curves"].shapes if s.number == 4] == [
        "curve completed leading",
        "end completed",
    ]
    assert {shape.number for shape in made["parallel"].shapes} == {0, 1, 2, 3, 4}
    assert "3 of 5 within one stated spread" in made["predicted"].note
    assert {shape.number for shape in made["workers"].shapes} - {None} == set(range(7))
    for picture in made.values():
        for shape in picture.shapes:
            pairs = [pair.split(",") for pair in shape.points.split()] or [[str(shape.x), str(shape.y)]]
            assert all(0 <= float(x) <= picture.width for x, _ in pairs), shape
            assert all(0 <= float(y) <= picture.height for _, y in pairs), shape
    page = Page(to_html(data))
    assert len(own_script(page)["trials"]) == 7
    heads = [a["data-column"] for tag, a in page.elements if tag == "th" and a.get("data-column")]
    assert {"lr", "width"} <= {*heads} <= {*own_script(page)["columns"]}, "sorted by a hyperparameter too"
    assert page.text.count("Learning curves") == 1


def test_what_is_believed_is_drawn_and_hostile_names_do_nothing(searched):
    beliefs = Beliefs(
        finished=7,
        used=5,
        basis=f"A Gaussian process over 5 trials. {EVIL}",
        metric="accuracy",
        parameters=(believed("width", 0.7), believed("lr", 0.2), believed(EVIL, None)),
    )
    data = build_report(searched.path, lambda task, history, events: beliefs)
    made = {picture.key: picture for picture in all_pictures(data)}
    assert made["importance"].summary == "width 70%; lr 20%"
    names = [label.text for label in made["slices"].labels if label.css == "name"]
    assert names[:2] == ["width", "lr"], "the most important first"
    assert sum(shape.css == "band" for shape in made["slices"].shapes) == 2
    page = Page(to_html(data))
    own_script(page)
    assert "b" not in page.tags and "<script>alert(1)</script>" in page.text


def test_ten_thousand_trials_make_a_page_of_bounded_size_that_says_what_it_leaves_out(searched):
    data = build_report(searched.path)
    line = data.trials[1]
    many = tuple(
        line.model_copy(update={"number": n, "value": 0.5 + (n * 7919 % 10_000) / 1e5, "best_so_far": False})
        for n in range(7, 10_000)
    )
    page = to_html(data.model_copy(update={"trials": (*data.trials, *many)}))
    assert len(page) < 1_500_000
    read = Page(page)
    assert len(own_script(read)["trials"]) == ROWS
    assert f"{10_000 - ROWS} of 10000 trials are not in this page" in read.text
    assert "of 10000 trials are not drawn" in read.text
    assert 4 in [trial["n"] for trial in own_script(read)["trials"]], "the best stays"


def test_the_page_is_the_same_without_its_script_and_curves_only_where_there_are_any(make_run):
    run = make_run(direction="minimize")
    run.trial(0, 0.5, values=DEFAULT)
    data = build_report(run.path)
    assert [picture.key for picture in all_pictures(data)] == ["slices"]
    assert Page(to_html(data)).tags >= {"svg", "table", "details"}
