"""Several metrics of one trial: printed, written to files, returned, reported."""

from __future__ import annotations

import json
import math
from collections import namedtuple
from dataclasses import make_dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import MissingMetric
from tunesmith.items import Items
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.measuring import returned
from tunesmith.tools.execution.printed.choice import result_of
from tunesmith.tools.execution.printed.output import Output
from tunesmith.tools.execution.trying import try_training
from tunesmith.trial import TrialState

LOW = Reading(maximize=False)
TWO = (("lat", LOW),)


def read(text, reading=None, further=TWO, *, err=""):
    """What is made of some output of a task with the metric `acc`: the result, and its reports."""
    reports = []
    output = Output(
        "acc",
        reading or Reading(),
        further=further,
        report=lambda value, step: reports.append((step, value)),
        record=lambda value, step: reports.append((step, value)),
        log=lambda data: None,
    )
    for stream, data in (("stderr", err), ("stdout", text)):
        output.feed(stream, data.encode())
    output.end()
    return output.result(), reports


def lines(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects)


EPOCHS = [{"epoch": i, "acc": a, "lat": t} for i, a, t in ((0, 0.5, 30), (1, 0.9, 20), (2, 0.7, 10))]
APART = [{"epoch": one["epoch"], name: one[name]} for one in EPOCHS for name in ("acc", "lat")]
BEST = Reading(take="best")
OWN_BEST = (("lat", Reading(take="best", maximize=False)),)
BY_PATTERN = (("lat", Reading(regex=r"latency[ =]+(?P<value>[\d.]+)", maximize=False)),)
FORMS = {
    "one object": (lines({"acc": 0.9, "lat": 20}), {}),
    "two objects": (lines({"acc": 0.9}, {"lat": 20}), {}),
    "the other first": (lines({"lat": 20}, {"acc": 0.9}), {}),
    "a dict and a text": ("{'lat': np.float64(20.0)}\nINFO result {\"acc\": \"0.9\"}\n", {}),
    "inside another": (lines({"acc": 0.9, "speed": {"lat": 20}}), {"further": (("speed/lat", LOW),)}),
    "several lines": (json.dumps({"lat": 20, "acc": 0.9}, indent=1), {}),
    "a pattern": ("latency = 20 ms\n" + lines({"acc": 0.9}), {"further": BY_PATTERN}),
    "a pattern for the first": ("acc: 0.9\n" + lines({"lat": 20}), {"reading": Reading(regex="acc: (.+)")}),
    "a group of the pattern": (
        "acc 0.9 in 20 ms\n",
        {"reading": Reading(regex=r"acc (?P<value>\S+) in (?P<lat>\d+)")},
    ),
    "standard error": ("", {"err": lines({"acc": 0.9}, {"lat": 20})}),
    "two streams": (lines({"lat": 20}), {"err": lines({"acc": 0.9})}),
    "best, in one object": (lines(*EPOCHS), {"reading": BEST}),
    "best, at one step": (lines(*APART), {"reading": BEST}),
    "best, at one step on two streams": (lines(*APART[::2]), {"reading": BEST, "err": lines(*APART[1::2])}),
    "best, measured once": (lines(*APART[::2], {"lat": 20}), {"reading": BEST}),
    "best, by patterns": (
        "acc=.5\nlatency 30\nacc=.9\nlatency 20\nacc=.7\nlatency 10\n",
        {"reading": Reading("best", r"acc=([\d.]+)"), "further": BY_PATTERN},
    ),
    "best, in lists": ("{'acc': [0.5, 0.9, 0.7], 'lat': [30, 20, 10]}\n", {"reading": BEST}),
    "a result after reports": (lines(*EPOCHS, {"acc": 0.9, "lat": 20}), {}),
    "reports and one result": (lines(*EPOCHS[::2], {"acc": 0.9, "lat": 20}), {}),
    "a rank": ('[rank0]: {"acc": 0.9}\n[rank0]: {"lat": 20}\n[rank1]: {"lat": 99}\n', {}),
    "a bar that is drawn over": ('\r{"lat": 99}\r{"lat": 20}\n' + lines({"acc": 0.9}), {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "how"), FORMS.values(), ids=FORMS)
def test_two_metrics_are_found_whatever_form_they_have(text, how):
    (values, _, _), _ = read(text, **how)
    name = next(iter(how.get("further", TWO)))[0]
    assert (values["acc"], values[name]) == (0.9, 20.0)


@given(
    epochs=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["one", "apart", "other first"])),
        min_size=1,
        max_size=12,
    ),
    take=st.sampled_from([None, "best", "last"]),
    other=st.sampled_from([None, "best", "last"]),
    final=st.booleans(),
)
def test_further_metrics_are_of_the_step_that_counts_unless_they_say_otherwise(epochs, take, other, final):
    printed = []
    for step, (acc, lat, form) in enumerate(epochs):
        both = [{"epoch": step, "acc": acc}, {"epoch": step, "lat": lat}]
        together = [{"lat": lat, "step": step, "acc": acc}]
        printed += {"one": together, "apart": both, "other first": both[::-1]}[form]
    results = [(acc, lat) for acc, lat, _ in epochs] + [(50, 50)] * final
    printed += [{"acc": 50}, {"lat": 50}] * final
    (values, _, _), reports = read(
        lines(*printed), Reading(take=take), (("lat", Reading(take=other, maximize=False)),)
    )
    best = max(results, key=lambda one: one[0]) if take == "best" else results[-1]
    lats = [lat for _, lat in results]
    expected = {None: best[1], "best": min(lats), "last": lats[-1]}[other]
    assert (values["acc"], values["lat"]) == (best[0], expected)
    assert reports[: len(epochs)] == [(step, acc) for step, (acc, _, _) in enumerate(epochs)]


def test_each_metric_takes_its_own_value_where_the_task_says_so():
    (values, notes, _), reports = read(lines(*EPOCHS), BEST, OWN_BEST)
    assert (values["acc"], values["lat"]) == (0.9, 10.0)
    assert any("best of 3 values of lat is taken, at step 2" in note for note in notes)
    assert reports == [(0, 0.5), (1, 0.9), (2, 0.7)], "the curve is the first metric's"
    (values, _, _), _ = read(lines(*EPOCHS), Reading(take="last"), OWN_BEST)
    assert (values["acc"], values["lat"]) == (0.7, 10.0)
    (values, _, _), _ = read(lines(*EPOCHS), None, (("lat", Reading(take="last")),))
    assert (values["acc"], values["lat"]) == (0.7, 10.0)


def test_a_further_metric_that_is_missing_at_the_step_taken_is_its_last_one_and_told():
    text = lines(
        {"epoch": 0, "acc": 0.5, "lat": 30}, {"epoch": 1, "acc": 0.9}, {"epoch": 2, "acc": 0.7, "lat": 10}
    )
    (values, notes, _), _ = read(text, BEST)
    assert (values["acc"], values["lat"]) == (0.9, 10.0)
    assert any("lat has no value at step 1" in note and "at step 2" in note for note in notes)


@pytest.mark.parametrize(
    "text",
    [lines({"acc": 0.9}, {"lat": 12}, {"lat": 20}), lines({"acc": 0.9, "lat": 20}, {"lat": 12})],
    ids=["on lines of its own", "beside the first metric, and alone"],
)
def test_two_different_results_of_a_further_metric_are_told_with_their_lines(text):
    (values, notes, _), _ = read(text)
    assert values["lat"] == 20.0
    assert any(all(word in note for word in ("lat", "12", "20", "line")) for note in notes), notes
    assert "`metric:" not in str(notes), "the key of a task with one metric"


@pytest.mark.parametrize(
    ("text", "further", "words"),
    [
        (lines({"acc": 9}), TWO, ["without 'lat'", '`{"acc": 9}`', "`metrics`", '{"acc": 0.5, "lat": 0.5}']),
        (lines({"lat": 3}), TWO, ["without 'acc'"]),
        ("hello\n", TWO, ["without 'acc', 'lat'", "`hello`"]),
        ("", TWO, ["without 'acc', 'lat'", "it printed nothing"]),
        (lines({"acc": 0.9, "latency": 3}), (("latency_ms", LOW),), ["without 'latency_ms'", "`latency`"]),
        (lines({"acc": 0.9, "lat": True}), TWO, ["`lat` = True, which is no number"]),
        (lines({"acc": 0.9, "lat": "fast"}), TWO, ["'fast'", "no number"]),
        (lines({"acc": 0.9, "lat": [1, 2]}), TWO, ["`metrics: {lat: {take: last}}`", "`items: true`"]),
        (lines({"acc": 0.9, "lat": [1, 2]}), TWO, ["`, with its direction if it has one, or best"]),
        (lines({"acc": 0.9, "lat": [True, False]}), TWO, ["2 times true or false", "{lat: {items: true}}`"]),
        (lines({"acc": 0.9, "lat": []}), TWO, ["no list of numbers (0 entries)"]),
        (lines({"acc": 0.9}) + "lat: 3 ms\n", TWO, ["3 ms", r"regex: 'lat\W{1,3}(?P<value>", "}}`, with"]),
        (lines({"acc": 0.9}) + "time 3\n", BY_PATTERN, ["does not match `metrics.lat.regex`", "`time 3`"]),
        ("1.5 M\n", (("size_m", LOW),), ["`1.5 M`, is no JSON. Print", "without 'acc', 'size_m'"]),
        (lines({"acc": 0.9}), (("lat", LOW), ("size", LOW)), ["without 'lat', 'size'"]),
    ],
)  # fmt: skip
def test_all_metrics_that_are_missing_are_named_with_the_nearest_lines_and_the_fix(text, further, words):
    with pytest.raises(MissingMetric) as error:
        read(text, further=further)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(acc=JSON, lat=JSON, take=st.sampled_from([None, "best"]), items=st.booleans())
def test_whatever_stands_under_the_names_is_a_result_or_told_to_be_none(acc, lat, take, items):
    further = (("lat", Reading(items=items, maximize=False)),)
    try:
        (values, _, packed), _ = read(lines({"acc": acc, "lat": lat}), Reading(take, items=items), further)
    except MissingMetric as error:
        assert "'acc'" in str(error) or "'lat'" in str(error)
        return
    assert set(values) >= {"acc", "lat"} and set(packed) <= set(values)
    for name, text in packed.items():
        assert Items.unpack(text).mean == pytest.approx(values[name])


def test_lists_are_scores_per_item_only_where_the_task_says_so():
    items = Reading(items=True)
    text = lines({"acc": [1, True, 0, 1], "lat": {"a": 10.5, "b": 29.5}})
    (values, notes, packed), _ = read(text, items, (("lat", Reading(items=True, maximize=False)),))
    assert (values, notes) == ({"acc": 0.75, "lat": 20.0}, ())
    assert Items.unpack(packed["acc"]) == Items((1.0, 1.0, 0.0, 1.0))
    assert Items.unpack(packed["lat"]) == Items((10.5, 29.5), ("a", "b"))
    epochs = lines(*({"epoch": i, "acc": scores} for i, scores in enumerate(([0, 1], [1, 1], [0, 0]))))
    (values, _, packed), reports = read(epochs, Reading(take="best", items=True), ())
    assert (values["acc"], reports) == (1.0, [(0, 0.5), (1, 1.0), (2, 0.0)])
    assert Items.unpack(packed["acc"]).scores == (1.0, 1.0)
    (values, notes, packed), _ = read(lines({"acc": [0.5, float("nan")], "lat": 1}), items)
    assert math.isnan(values["acc"]) and not packed and "not kept" in notes[0]


def test_a_command_prints_its_metrics_on_different_lines_and_writes_others_to_files(bench):
    script = bench.script(
        """
        import json, pathlib, sys
        for epoch in range(3):
            print(json.dumps({"epoch": epoch, "accuracy": [0.5, 0.9, 0.7][epoch]}))
            print(json.dumps({"epoch": epoch, "loss": [3.0, 2.0, 1.0][epoch]}))
        print("INFO latency: 12.5 ms", file=sys.stderr)
        out = pathlib.Path(sys.argv[1])
        (out / "sizes.csv").write_text("step,params_m,flops\\n0,4.5,7\\n1,4.75,8\\n")
        (out / "scores.json").write_text(json.dumps({"hits": {"a": 1, "b": 0}, "f1": 0.25}))
        """
    )
    further = (
        ("loss", LOW),
        ("latency_ms", Reading(regex=r"latency: (?P<value>\S+)", maximize=False)),
        ("params_m", Reading(file="{checkpoint_dir}/sizes.csv", maximize=False)),
        ("flops", Reading(take="best", file="{checkpoint_dir}/sizes.csv", maximize=False)),
        ("hits", Reading(file="{checkpoint_dir}/scores.json", items=True)),
        ("f1", Reading(file="{checkpoint_dir}/scores.json")),
    )
    objective = Objective(command=("python", str(script), "{checkpoint_dir}"), workdir=bench.root)
    outcome = bench.outcome(bench.start(objective, reading=BEST, further=further))
    assert outcome.state is TrialState.COMPLETED, outcome.message
    assert outcome.values == {
        **{"accuracy": 0.9, "loss": 2.0, "latency_ms": 12.5, "params_m": 4.75},
        **{"flops": 7.0, "hits": 0.5, "f1": 0.25},
    }
    assert Items.unpack(outcome.items["hits"]) == Items((1.0, 0.0), ("a", "b"))
    assert outcome.curve == ((0, 0.5), (1, 0.9), (2, 0.7))


@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        (
            "print('{\"accuracy\": 0.5}')",
            TrialState.CRASHED,
            ["without 'lat', 'size'", "r.json was not written", "`metrics.size.file`"],
        ),
        (
            "print('{\"accuracy\": 0.5, \"lat\": NaN}'); open('r.json', 'w').write('{\"size\": 1}')",
            TrialState.DIVERGED,
            ["lat was nan"],
        ),
    ],
    ids=["missing", "not finite"],
)
def test_a_command_without_one_of_its_metrics_has_a_typed_end(bench, text, state, words):
    script = bench.script(text)
    objective = Objective(command=("python", str(script)), workdir=bench.root)
    job = bench.start(objective, further=(("lat", LOW), ("size", Reading(file="r.json"))))
    outcome = bench.outcome(job)
    assert outcome.state is state and outcome.values == {}
    assert [word for word in words if word not in outcome.message] == [], outcome.message


def test_metrics_in_the_primary_ones_file_are_those_of_its_row(bench):
    script = bench.script(
        """
        open("log.csv", "w").write("epoch,accuracy,lat\\n0,0.5,30\\n1,0.9,20\\n2,0.7,10\\n")
        print('{"size": 4}')
        """
    )
    objective = Objective(command=("python", str(script)), workdir=bench.root)
    further = (("lat", LOW), ("size", LOW))
    outcome = bench.outcome(bench.start(objective, reading=Reading("best", file="log.csv"), further=further))
    assert outcome.values == {"accuracy": 0.9, "lat": 20.0, "size": 4.0}, outcome.message
    assert outcome.curve == ((0, 0.5), (1, 0.9), (2, 0.7))


RETURNED = {
    "a dict": lambda trial: {"accuracy": 0.9, "lat": np.float32(20)},
    "a named tuple": lambda trial: namedtuple("R", "accuracy lat")(0.9, 20),
    "a dataclass": lambda trial: make_dataclass("R", ["accuracy", "lat"])(0.9, np.array([20])),
    "attributes": lambda trial: SimpleNamespace(accuracy=0.9, lat="20"),
    "a float after reports of both": lambda trial: trial.report({"accuracy": 0.5, "lat": 20}, 0) or 0.9,
    "nothing after reports of both": lambda trial: trial.report({"accuracy": 0.9, "lat": 20}, 0),
    "the other after reports of the first": lambda trial: trial.report(0.9, 0) or {"lat": 20},
    "items": lambda trial: (
        trial.report_items([1, 1, 1, 0.6]) or trial.report_items({"a": 10, "b": 30}, "lat")
    ),
}


class NoEngine:
    """A channel that nobody reads."""

    def report(self, step, value, others=None):
        pass

    def verdict(self, step):
        return False


def trained(train, folder, *names):
    """What a function comes to that is called as `train(trial)`, in this process."""
    readings = tuple((name, LOW) for name in names)
    job = Job(0, folder, {}, 0, "accuracy", Objective(function="train.py:train"), further=readings)
    trial = TrialHandle(0, folder, 0, "accuracy", NoEngine(), further=readings)
    first, *further = returned(train(trial), trial.reports, job)
    return trial.reports.with_items(result_of(first, further))


@pytest.mark.parametrize("train", RETURNED.values(), ids=RETURNED)
def test_two_metrics_of_a_function_are_found_whatever_holds_them(tmp_path, train):
    assert trained(train, tmp_path, "lat").values == pytest.approx({"accuracy": 0.9, "lat": 20.0})


def test_the_best_report_counts_with_what_was_reported_beside_it(bench):
    text = """
        def train(config, trial):
            for epoch, (accuracy, lat) in enumerate([(0.5, 30), (0.9, 20), (0.7, 10)]):
                trial.report({"accuracy": accuracy, "lat": lat, "note": "x"}, epoch)
            return {"accuracy": 0.6, "lat": 5, "size": 3}
        """
    further = (*TWO, ("size", LOW))
    outcome = bench.run(text, reading=BEST, further=further)
    assert outcome.values == {"accuracy": 0.9, "lat": 20.0, "size": 3.0}
    outcome = bench.run(text, reading=BEST, further=(*OWN_BEST, ("size", LOW)))
    assert outcome.values == {"accuracy": 0.9, "lat": 5.0, "size": 3.0}
    assert outcome.curve == ((0, 0.5), (1, 0.9), (2, 0.7))


@pytest.mark.parametrize(
    ("train", "error", "words"),
    [
        (lambda trial: 0.5, MissingMetric, ["'lat', 'size'", "float 0.5", "keys 'accuracy', 'lat', 'size'"]),
        (lambda trial: None, MissingMetric, ["without 'accuracy', 'lat', 'size'", "returned nothing"]),
        (lambda trial: {"acc": 1, "lat": 2}, MissingMetric, ["'accuracy', 'size'", "nearest key is 'acc'"]),
        (lambda trial: {"accuracy": 1, "lat": True}, TypeError, ["'lat' = True, which is no number"]),
        (lambda trial: {"accuracy": 1, "lat": [1, 2]}, TypeError, ["metrics: {lat: {take: last}}", "items"]),
        (
            lambda trial: {"accuracy": 1, "lat": [True, False]},
            TypeError,
            ["{lat: {items: true}}`, with its dir"],
        ),
        (lambda trial: trial.report({"lat": 1}, 0), ValueError, ["accuracy", "{'lat': 1}"]),
        (lambda trial: trial.report_items([1], "speed"), ValueError, ["'speed'", "accuracy, lat, size"]),
        (lambda trial: trial.report_items(3.5), TypeError, ["no scores of items", "3.5"]),
        (lambda trial: trial.report_items(["x"]), TypeError, ["no scores of items"]),
    ],
)
def test_a_function_without_one_of_its_metrics_is_told_what_to_return(tmp_path, train, error, words):
    with pytest.raises(error) as raised:
        trained(train, tmp_path, "lat", "size")
    assert [word for word in words if word not in str(raised.value)] == [], str(raised.value)


@pytest.mark.parametrize("scores", [[], ["a", "b"], [[1, 2], [3, 4]], {}, {"a": "right"}])
def test_scores_per_item_that_are_none_are_told_as_such(tmp_path, scores):
    reading = Reading(items=True)
    job = Job(0, tmp_path, {}, 0, "accuracy", Objective(function="train.py:train"), reading=reading)
    reports = TrialHandle(0, tmp_path, 0, "accuracy", NoEngine(), reading=reading).reports
    with pytest.raises(TypeError, match="is no list of scores per item"):
        returned({"accuracy": scores}, reports, job)


def test_a_further_metric_of_a_function_decides_how_the_trial_ends(bench):
    text = "def train(config, trial): return {'accuracy': 1, 'lat': config['lat']} if config['lat'] else 0.5"
    outcome = bench.run(text, further=TWO, configuration={"lat": math.inf})
    assert (outcome.state, outcome.message) == (TrialState.DIVERGED, "lat was inf at the end")
    outcome = bench.run(text, further=TWO, configuration={"lat": 0})
    assert outcome.state is TrialState.CRASHED and "without 'lat'" in outcome.message
    assert outcome.values == {}


def test_scores_per_item_are_kept_and_the_value_is_theirs_or_the_one_given(bench):
    text = """
        import numpy as np
        def train(config, trial):
            trial.report_items(np.array([0.0, 0.0]))
            trial.report_items(np.array([1, 2, 1, 2]) == np.array([1, 2, 1, 1]))
            return {value}
        """
    outcome = bench.run(text.replace("{value}", "None"))
    assert (outcome.values, outcome.notes) == ({"accuracy": 0.75}, ())
    assert Items.unpack(outcome.items["accuracy"]) == Items((1.0, 1.0, 1.0, 0.0))
    outcome = bench.run(text.replace("{value}", "75.0"))
    assert outcome.values == {"accuracy": 75.0} and len(outcome.items) == 1
    assert outcome.notes == ("accuracy is 75, and the mean of its scores per item 0.75; the value counts.",)
    outcome = bench.run(
        text.replace("{value}", "{'accuracy': [1, 0], 'loss': 1}"), reading=Reading(items=True)
    )
    assert outcome.values == {"accuracy": 0.5, "loss": 1.0}
    assert Items.unpack(outcome.items["accuracy"]).scores == (1.0, 1.0, 1.0, 0.0), "what was reported counts"


def test_more_scores_than_are_kept_leave_the_metric_and_a_note(bench):
    text = "def train(config, trial): trial.report_items([1] * 100_001)"
    outcome = bench.run(text)
    assert (outcome.values, outcome.items) == ({"accuracy": 1.0}, {})
    assert "100,001" in outcome.notes[0] and "not kept" in outcome.notes[0]


@pytest.mark.slow  # PyTorch takes seconds to load
def test_a_tensor_of_right_answers_is_scores_per_item(bench):
    pytest.importorskip("torch")
    outcome = bench.run(
        """
        import torch
        def train(config, trial): return {"accuracy": torch.tensor([1, 2, 3]) == torch.tensor([1, 2, 4])}
        """,
        reading=Reading(items=True),
    )
    assert Items.unpack(outcome.items["accuracy"]).scores == (1.0, 1.0, 0.0), outcome.message


def test_one_training_that_is_tried_shows_every_metric(bench):
    script = bench.script("def train(config, trial): return {'accuracy': 0.5, 'lat': 3}")
    objective = Objective(function=f"{script}:train", workdir=bench.root)
    tried = try_training(objective, "accuracy", {}, further=TWO, reports=None, preload=())
    assert tried.outcome.values == {"accuracy": 0.5, "lat": 3.0}
