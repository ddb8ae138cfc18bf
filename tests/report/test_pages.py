"""The written report: three files, whole, self-contained, and inert whatever its words say."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

from fakes.histories import DEFAULT
from fakes.pages import Page, markdown, own_script
from tunesmith.events import Decided, Degraded
from tunesmith.interfaces import Decision
from tunesmith.tools.report import write_report
from tunesmith.tools.report.build import build_report
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.plot import plot, sparklines
from tunesmith.tools.report.render import as_yaml, code, inline
from tunesmith.trial import TrialState

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></td></table><h1>owned</h1>",
    "a | b | c",
    "![x](http://evil.example/p.png) [click](javascript:alert(1)) http://evil.example www.evil.example",
    "first\n\n# heading\n\n- item",
    "````\n```\n</code>",
    "{{ 7 * 7 }} {% raw %}",
    "**bold** `code` ~~gone~~ \\| $x$ &lt;b&gt;",
    "_under_ __double__ a_b_c _",
    "- item",
    "1. item",
    "\x1b[31mred\x00\u202e",
]


@pytest.fixture
def hostile_run(make_run):
    """Every field that a model, a log, a person or a task file fills, filled with the worst."""
    run = make_run(description=" ".join(HOSTILE))
    run.start(model="<b>model</b>|")
    run.trial(0, 0.9, values=DEFAULT)
    for number, words in enumerate(HOSTILE, start=1):
        run.trial(
            number,
            state=TrialState.CRASHED,
            reason=words,
            outcome={"message": words, "traceback": f"{words}\nlast line"},
        )
        run.tell(
            Degraded(what="repair", where=words, cause=words, continuation=words),
            Decided(policy=words, decision=Decision(reason=words, stop=words)),
        )
    run.confirm([0.9], [0.8], trial=0)
    record = json.loads((run.path / "confirm.json").read_text())
    record["comparison"]["sentence"] = record["note"] = " ".join(HOSTILE)
    (run.path / "confirm.json").write_text(json.dumps(record))
    return run


def test_three_files_are_written_beside_the_run_and_the_json_reads_back(whole_run):
    paths = write_report(whole_run.path)
    assert [path.name for path in paths] == ["report.md", "report.html", "report.json"]
    read = ReportData.model_validate_json(paths.json.read_text())
    assert read.schema_version == 1
    assert read.model_copy(update={"written_at": ""}) == build_report(whole_run.path).model_copy(
        update={"written_at": ""}
    )
    assert write_report(whole_run.path) == paths, "again, over the old one"
    assert not {"NaN", "Infinity"} & set(paths.json.read_text().split())


@pytest.mark.parametrize("page", ["markdown", "html"])
def test_a_page_has_everything(whole_run, page):
    paths = write_report(whole_run.path)
    text = Page(paths.html.read_text() if page == "html" else markdown(paths.markdown.read_text())).text
    for said in (
        "Trial 4 is the best of 3 completed",
        "3 paired seeds",
        "No language model was used.",
        "trials/00004/checkpoints/model.pt",
        "lr: 0.012345678901234567",
        '"optimizer": "adam"',
        "0.92 ± 0.015",
        "(0.45)",
        "ValueError: width must be even",
        "line 1 line 2",
        "tunesmith.tune again",
        "901",
        "+0.045",
        "(trials 0)",
    ):
        assert said in text, said


def test_the_html_is_one_page_that_asks_for_nothing_from_outside(whole_run):
    page = Page(write_report(whole_run.path).html.read_text())
    own_script(page)
    assert not page.tags & {"link", "img", "iframe", "object", "a", "form", "base"}
    for tag, attributes in page.elements:
        assert not {"src", "href", "xlink:href"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
    assert "url(" not in write_report(whole_run.path).html.read_text()


def test_hostile_words_are_shown_in_the_html_and_do_nothing(hostile_run):
    page = Page(write_report(hostile_run.path).html.read_text())
    texts = [trial["text"] for trial in own_script(page)["trials"]]
    assert len(texts) == 1 + len(HOSTILE)
    assert not page.tags & {"img", "a", "b"}
    assert len([tag for tag, _ in page.elements if tag == "h1"]) == 1
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\x1b" not in page.text and "\u202e" not in page.text


def test_hostile_words_are_shown_in_the_markdown_and_do_nothing(hostile_run):
    source = write_report(hostile_run.path).markdown.read_text()
    page = Page(markdown(source))
    assert not page.tags & {"script", "img", "a", "b", "s", "del"}
    assert len([tag for tag, _ in page.elements if tag == "h1"]) == 1
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "http://" not in source.split("## Failures")[0], "a bare address becomes a link on a forge"
    rows = [line for line in source.splitlines() if line.startswith("| ") and "crashed" in line]
    assert len(rows) == len(HOSTILE)
    cells = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in rows}
    assert cells == {9}, "no text adds a cell"


def test_a_run_of_nothing_and_an_unfinished_one_have_pages(make_run):
    run = make_run()
    text = Page(write_report(run.path).html.read_text()).text
    assert "No trial has run." in text
    assert plot(build_report(run.path)) is None
    run.trial(0)
    assert "running" in Page(write_report(run.path).html.read_text()).text


def test_one_terrible_value_does_not_flatten_the_picture(make_run):
    run = make_run()
    values = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.05]
    for number, value in enumerate(values):
        run.trial(number, value)
    data = build_report(run.path)
    picture = plot(data)
    assert picture is not None
    assert [mark.outside for mark in picture.marks] == [False] * 7 + [True]
    heights = [mark.y for mark in picture.marks]
    assert heights[:7] == sorted(heights[:7], reverse=True), "better is higher"
    assert heights[0] - heights[6] > 0.6 * (picture.bottom - picture.top)
    each, best = sparklines(data)
    assert each[0] == each[7] == "▁" and each[6] == "█"
    assert best == "".join(sorted(best)) and best[-1] == "█"


def test_a_loss_is_drawn_with_the_best_low_and_the_worst_outside(make_run):
    run = make_run(direction="minimize")
    for number, value in enumerate([3.0, 2.0, 1.0, 1e6]):
        run.trial(number, value)
    picture = plot(build_report(run.path))
    assert picture is not None
    assert [mark.outside for mark in picture.marks] == [False, False, False, True]
    assert picture.marks[2].y > picture.marks[0].y > picture.marks[3].y


@pytest.mark.parametrize(
    "values",
    [
        [0.5],
        [0.5, 0.5],
        [0.0, 0.0],
        [1.7e308, -1.7e308],
        [1.0, 1.0 + 1e-16],
        [1e-300, 2e-300],
        [1e12, 1e12 + 3],
    ],
    ids=["one", "equal", "zero", "huge", "nearly equal", "tiny", "close and large"],
)
def test_any_finite_values_can_be_drawn(make_run, values):
    run = make_run()
    for number, value in enumerate(values):
        run.trial(number, value)
    picture = plot(build_report(run.path))
    assert picture is not None
    for mark in picture.marks:
        assert picture.left <= mark.x <= picture.right and picture.top <= mark.y <= picture.bottom
    labels = [tick.text for tick in picture.y_ticks]
    assert 0 < len(labels) <= 12 and len(set(labels)) == len(labels)
    Page(write_report(run.path).html.read_text())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_inline_shows_exactly_its_text(text):
    shown = Page(markdown(f"x {inline(text)}")).text
    assert shown == "x " + " ".join(text.replace("\x00", "\ufffd").split())
    alone = Page(markdown(inline(text)))
    assert alone.tags == {"p"}


@pytest.mark.parametrize("text", ["plain", "```", "a ```` b", "`````\n"], ids=repr)
def test_a_code_block_cannot_be_left_from_within(text):
    page = Page(markdown(code(text, "text") + "\n\nafter"))
    assert page.tags == {"pre", "code", "p"}
    assert page.words[0].rstrip("\n") == text.rstrip("\n")


def test_the_yaml_reads_back_as_exactly_the_configuration():
    values = {"lr": 1e-05, "n": 3, "flag": True, "kind": "yes", "odd": "a: b # c\nd", "f": 0.1 + 0.2}
    assert YAML(typ="safe").load(as_yaml(values)) == values
