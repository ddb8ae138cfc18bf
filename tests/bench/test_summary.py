"""What stored runs say: the table, earlier builds, missing runs, pages with hostile names."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.made_up import make_run, make_suite
from tunesmith.bench.contenders import contender
from tunesmith.bench.pages import write_pages
from tunesmith.bench.plan import Plan, make_plan
from tunesmith.bench.show import show
from tunesmith.bench.store import Run
from tunesmith.bench.summary import Summary, summarise
from tunesmith.bench.task import Given, Suite
from tunesmith.errors import UsageError

NAMES = ("t1", "t2", "t3", "t4", "t5", "t6")


def full(suite: Suite, contenders: tuple[str, ...] = ("tunesmith", "gp+default", "random")) -> list[Run]:
    """The best of task i is 1 + i/100 and the median of random .2: at the end regret is, over both seeds,
    .05, .15 and .55 (in the contenders' order) over .8 + i/100; after 3 evaluations it is 1."""
    ends = {"tunesmith": 0.9, "gp+default": 0.8, "random": 0.4}
    return [
        make_run(task, name, seed, (0.0, 0.2, None, ends[name] + seed / 10 + i / 100))
        for i, task in enumerate(suite.tasks())
        for name in contenders
        for seed in range(2)
    ]


def text(summary: Summary) -> str:
    out = io.StringIO()
    show(summary, out)
    return out.getvalue()


GOLDEN = """\
made-up: 6 tasks, 2 seeds, 4 evaluations
made up for a test.

mean normalised regret     3-4    at 4  even at 4  ratio 3-4 to gp+default         ratio at 4  no worse  tasks
SMAC, recorded          0.1120  0.0620     0.0390                        –                  –         –      –
tunesmith               0.5303  0.0606     0.0603        0.90 [0.90, 0.90]  0.33 [0.33, 0.33]   yes/yes      6
gp+default              0.5909  0.1819     0.1808                        1                  1         –      6
random                  0.8335  0.6670     0.6629        1.41 [1.40, 1.42]  3.67 [3.67, 3.67]     no/no      6
"""


def test_the_table_of_known_runs() -> None:
    suite = make_suite(NAMES, given=(Given("SMAC, recorded", 0.112, 0.062, 0.039),))
    summary = summarise(make_plan(suite), full(suite))
    assert text(summary).startswith(GOLDEN.rstrip("\n")), text(summary)
    ours = next(row for row in summary.rows if row.label == "tunesmith")
    assert (ours.rank, ours.rank_low, ours.rank_high) == (1.0, 1.0, 1.0)
    assert ours.cpu_s == 2.0
    assert ours.proposal_ms == 125.0
    assert ours.failed == 12
    assert summary.missing == 0
    assert summary.difference is not None
    assert [label for label, _ in summary.difference.ranked] == ["tunesmith", "gp+default", "random"]


def test_the_spread_of_runs_and_the_course_of_regret_are_in_every_report(tmp_path: Path) -> None:
    suite = make_suite(NAMES)
    summary = summarise(make_plan(suite), full(suite))
    ours = next(row for row in summary.rows if row.label == "tunesmith")
    # Of task i, seed 0 ends at .1 / (.8 + i/100), seed 1 at 0.
    assert ours.end_tail is not None and ours.window_tail is not None
    assert (ours.end_tail.worst, ours.end_tail.task, ours.end_tail.seed) == (0.125, "t1", 0)
    assert ours.end_tail.median == pytest.approx(0.1 / 0.85 / 2, abs=0.01)
    assert ours.end_tail.median < ours.end_tail.high <= ours.end_tail.worst
    assert len(ours.high_curve) == len(ours.curve) == 4
    assert ours.high_curve[0] == 1.0 and ours.high_curve[3] == ours.end_tail.high
    shown = text(summary)
    assert "0.125 (t1, seed 0)" in shown and "any-time regret" in shown
    names = {path.name for path in write_pages(summary, tmp_path)}
    assert "tail.svg" in names
    document = json.loads((tmp_path / "summary.json").read_text())
    mine = next(row for row in document["rows"] if row["label"] == "tunesmith")
    assert mine["end_tail"]["task"] == "t1" and len(mine["high_curve"]) == 4
    assert "(t1, seed 0)" in (tmp_path / "report.html").read_text()


def test_ours_is_compared_with_each_other_contender_at_the_checkpoints() -> None:
    suite = replace(make_suite(NAMES), checkpoints=(3, 4, 50))
    summary = summarise(make_plan(suite), full(suite))
    table = {(v.label, v.evaluation): v for v in summary.versus}
    assert set(table) == {(label, at) for label in ("gp+default", "random") for at in (3, 4)}
    found = table["gp+default", 4]
    assert found.ratio == pytest.approx(1 / 3, abs=1e-3) and found.tasks == 6
    assert found.low is not None and found.high is not None
    assert found.low <= found.ratio <= found.high
    assert "gp+default at 4" in text(summary)


def test_a_task_counts_once_every_seed_is_done() -> None:
    suite = make_suite(NAMES)
    runs = [r for r in full(suite) if (r.contender, r.task, r.seed) != ("tunesmith", "t1", 1)]
    summary = summarise(make_plan(suite), runs)
    ours = next(row for row in summary.rows if row.label == "tunesmith")
    assert ours.tasks == 5 == ours.window.shared
    assert ours.rank is None
    assert summary.missing == 1
    assert any("Not finished on every task" in note and "tunesmith" in note for note in summary.notes)


def test_runs_of_an_earlier_build_are_a_row_of_their_own_and_are_run_again() -> None:
    suite = make_suite(NAMES)
    plan = make_plan(suite)
    runs = [replace(r, version="0.0.1+old") if r.contender == "tunesmith" else r for r in full(suite)]
    summary = summarise(plan, runs)
    labels = {row.label: row for row in summary.rows}
    assert "tunesmith" not in labels
    assert labels["tunesmith, earlier build 0.0.1+old"].kind == "earlier"
    assert summary.missing == 12
    assert "earlier build 0.0.1+old" in text(summary)
    both = [*runs, *(r for r in full(suite) if r.contender == "tunesmith")]
    summary = summarise(plan, both)
    assert [row.kind for row in summary.rows if row.label.startswith("tunesmith")] == ["live"]


def test_other_words_make_other_runs_for_those_who_read_them_only() -> None:
    suite = make_suite(NAMES)
    told = tuple(replace(task, words="a hill, standardised") for task in suite.tasks())
    missing = make_plan(replace(suite, tasks=lambda: told)).missing(full(suite))
    assert {spec.contender for spec in missing} == {"tunesmith"}


def test_of_few_tasks_the_values_themselves_are_shown_beside_the_regret() -> None:
    suite = make_suite(NAMES)
    summary = summarise(make_plan(suite, tasks=["t1"]), full(suite))
    assert {row.label: row.best["t1"] for row in summary.rows} == pytest.approx(
        {"tunesmith": 0.95, "gp+default": 0.85, "random": 0.45}
    )
    shown = text(summary)
    assert "best value after 4, mean over seeds" in shown and "t1 (score, maximize)" in shown
    assert "best value" not in text(summarise(make_plan(suite), full(suite)))


def test_without_runs_of_the_reference_it_is_said_why_there_are_no_ratios() -> None:
    suite = make_suite(NAMES)
    notes = summarise(make_plan(suite), full(suite, ("tunesmith", "random"))).notes
    assert any(note.startswith("No ratios: gp+default has no runs here") for note in notes)


def test_a_narrowed_plan_says_plainly_what_it_leaves_out() -> None:
    suite = make_suite(NAMES)
    plan = make_plan(replace(suite, seeds=5, contenders=(*suite.contenders, "tpe")), quick=True)
    assert text(summarise(plan, full(suite))).split("\n\n")[1] == (
        "Not the full benchmark: 1 of 6 tasks, 2 of 5 seeds, 3 of 4 contenders. Too little to judge by."
    )


def test_tasks_are_chosen_by_pattern_and_a_pattern_that_fits_none_is_refused() -> None:
    suite = make_suite(("iris/SVM", "iris/tree", "wine/SVM"))
    assert [t.name for t in make_plan(suite, tasks=["iris/*"]).tasks] == ["iris/SVM", "iris/tree"]
    with pytest.raises(UsageError, match="iris/tree"):
        make_plan(suite, tasks=["nothing*"])


def test_hyperband_is_refused_where_nothing_can_be_evaluated_in_part() -> None:
    suite = make_suite(("t1",))
    whole = tuple(replace(task, fidelities=None) for task in suite.tasks())
    suite = replace(suite, tasks=lambda: whole, contenders=("random", "hyperband"))
    with pytest.raises(UsageError, match="in part"):
        make_plan(suite, contenders=["hyperband"])
    plan = make_plan(suite)
    assert [who.name for who in plan.contenders] == ["random"]
    assert "hyperband" in plan.left_out[0]


def test_without_cmaes_its_contender_is_left_out_and_asked_for_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    suite = replace(make_suite(("t1",)), contenders=("random", "cmaes"))
    assert make_plan(suite).left_out == ("the contender cmaes needs cmaes: pip install 'tunesmith[bench]'",)
    with pytest.raises(UsageError, match=r"tunesmith\[bench\]"):
        make_plan(suite, contenders=["cmaes"])


HOSTILE = "<script>alert('x')</script>&\"\x1b[31m"


class Tags(HTMLParser):
    """The tags of a page, and what its texts say."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.words += " ".join(value or "" for _, value in attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile_plan() -> tuple[Plan, list[Run]]:
    suite = make_suite((HOSTILE, *NAMES))
    suite = replace(suite, given=(Given(HOSTILE, 0.1, 0.1),), about=HOSTILE, shown_family=HOSTILE)
    runs = full(suite)
    runs += [replace(r, contender=HOSTILE, fault=HOSTILE) for r in runs if r.contender == "random"]
    return make_plan(suite), runs


def test_names_from_anywhere_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    plan, runs = hostile_plan()
    summary = summarise(plan, runs)
    files = write_pages(summary, tmp_path)
    page = Tags()
    page.feed((tmp_path / "report.html").read_text())
    assert "script" not in page.tags
    assert "<script>alert('x')</script>" in page.words
    assert "\x1b" not in text(summary)
    svgs = [path for path in files if path.suffix == ".svg"]
    assert {p.name for p in svgs} == {
        "regret.svg",
        "tail.svg",
        "rank.svg",
        "critical_difference.svg",
        "cost.svg",
    }
    for path in svgs:
        root = ElementTree.fromstring(path.read_text())
        kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert kinds <= {"svg", "title", "desc", "style", "rect", "clipPath", "polyline", "text"}
        assert root.find("{http://www.w3.org/2000/svg}desc") is not None


def test_every_default_contender_of_the_suites_exists() -> None:
    from tunesmith.bench.suites import SUITES, open_suite

    for name in SUITES:
        suite = open_suite([name])
        assert suite.name == name
        tasks = [task.name for task in suite.tasks()]
        assert len(set(tasks)) == len(tasks)
        assert set(suite.quick) <= set(tasks)
        for who in suite.contenders:
            contender(who)


def test_another_default_makes_other_runs_for_all() -> None:
    suite = make_suite(NAMES[:1])
    moved = tuple(replace(task, default={"kind": "round", "x": 0.2, "n": 2}) for task in suite.tasks())
    missing = make_plan(replace(suite, tasks=lambda: moved)).missing(full(suite))
    assert {spec.contender for spec in missing} == {"tunesmith", "gp+default", "random"}
