"""The key `tuner`: names, presets with changed settings, faults with suggestions, to a file and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.methods.llambo.settings import PRESETS
from tunesmith.errors import TaskError
from tunesmith.task import Task, load_task

TASK = """\
metric: acc
direction: maximize
objective: train.py:train
space: {lr: {type: float, low: 1e-5, high: 1e-1, scale: log}}
"""


@pytest.fixture
def read(tmp_path):
    def read(tuner):
        path = tmp_path / "task.yaml"
        path.write_text(f"{TASK}tuner: {tuner}\n", encoding="utf-8")
        return load_task(path)

    return read


@pytest.mark.parametrize(
    ("given", "name", "changed"),
    [
        ("hybrid", "hybrid", {}),
        ("null", "hybrid", {}),
        ("numeric", "numeric", {}),
        ("llambo-paper", "llambo-paper", {}),
        ("{method: random}", "random", {}),
        ("{alpha: 1}", "llambo", {"alpha": 1}),
        ("{preset: llambo-paper, alpha: 0.1}", "llambo-paper", {"alpha": 0.1}),
        ("{method: llambo, preset: llambo-code, context: none}", "llambo-code", {"context": "none"}),
    ],
)
def test_a_tuner_is_a_name_or_a_mapping_and_reads_back_from_every_form_it_is_written_in(
    read, tmp_path, given, name, changed
):
    task = read(given)
    assert (task.tuner.name, task.tuner.changed) == (name, changed)
    assert task.tuner.settings == task.tuner.member.settings(**changed)
    again = Task.model_validate(task.model_dump(mode="json", exclude={"path", "default"}))
    (tmp_path / "again.yaml").write_text(task.to_yaml(), encoding="utf-8")
    assert task.tuner == again.tuner == load_task(tmp_path / "again.yaml").tuner


@pytest.mark.parametrize(
    ("given", "key", "said"),
    [
        ("llambo-papr", "tuner", "did you mean 'llambo-paper'?"),
        ("3", "tuner", "a name or a mapping"),
        ("{}", "tuner", "a name or a mapping"),
        ("{preset: code}", "tuner.preset", "is no method; there are hybrid"),
        ("{method: llamb}", "tuner.method", "did you mean 'llambo'?"),
        ("{alhpa: 0.1}", "tuner.alhpa", "did you mean 'alpha'?"),
        ("{alpha: much}", "tuner.alpha", "number"),
        ("{candidates: 0}", "tuner.candidates", "at least 1"),
        ("{context: ful}", "tuner.context", "'none', 'partial' or 'full'"),
        ("{method: hybrid, alpha: 0.1}", "tuner.alpha", "belongs to the method llambo, not to hybrid"),
        ("{method: numeric, preset: llambo}", "tuner.preset", "no preset of the method numeric"),
    ],
)
def test_a_fault_names_key_line_and_what_was_meant(read, given, key, said):
    with pytest.raises(TaskError) as caught:
        read(given)
    assert caught.value.key == key and caught.value.line == 5 and said in str(caught.value)


def test_an_executor_is_chosen_in_the_same_way():
    fields = {"metric": "acc", "direction": "maximize", "space": {"x": {"type": "bool"}}}
    task = Task.model_validate(fields | {"executor": {"name": "local"}})
    assert task.executor == Task.model_validate(fields).executor and "executor" not in task.to_yaml()
    for chosen, key, said in (
        ("locl", "executor", "did you mean 'local'?"),
        ({"queue": "gpu"}, "executor", "has no setting 'queue'"),
    ):
        with pytest.raises(TaskError) as caught:
            Task.model_validate(fields | {"executor": chosen})
        assert caught.value.key == key and said in str(caught.value)


@pytest.mark.parametrize(
    ("tuner", "policy", "said"),
    [
        ("hybrid", "agnet", "should be one of rules, agent"),
        ("llambo", "rules", "cannot replace that of llambo"),
    ],
)
def test_a_policy_is_registered_and_replaces_none_that_proposes_every_trial(read, tuner, policy, said):
    assert read("hybrid\npolicy: rules").policy == "rules"
    with pytest.raises(TaskError) as caught:
        read(f"{tuner}\npolicy: {policy}")
    assert caught.value.key == "policy" and caught.value.line == 6 and said in str(caught.value)


def test_all_faults_of_a_tuner_are_told_at_once(read):
    with pytest.raises(TaskError) as caught:
        read("{alpha: x, samples: 0, colour: red}")
    assert {caught.value.key, *(e.key for e in caught.value.also)} == {
        "tuner.alpha",
        "tuner.samples",
        "tuner.colour",
    }


def test_settings_change_the_preset_they_start_from(read):
    protocol = read("{preset: llambo-paper, alpha: 0.25, candidates: 6}").tuner.settings
    assert (protocol.alpha, protocol.candidates, protocol.completions) == (0.25, 6, 3)
    kept = {"alpha", "candidates", "completions"}
    assert protocol.model_dump(exclude=kept) == PRESETS["llambo-paper"].model_dump(exclude=kept)


def test_llambo_decides_in_step_however_many_workers_there_are(read):
    task = read("llambo")

    def in_step(*, asks_model: bool = True, **changes) -> bool:
        return task.model_copy(update={"workers": 4, **changes}).decides_in_step(asks_model=asks_model)

    numeric = read("numeric").tuner
    assert in_step() and not in_step(in_step=False)
    assert not in_step(tuner=numeric) and not in_step(tuner=numeric, asks_model=False)
    assert not in_step(tuner=numeric, workers=1), "no trial waits for a model"
    assert in_step(tuner=numeric, workers=1, asks_model=False), "the rules cost nothing"
    assert in_step(tuner=numeric, workers=1, in_step=True), "unless the task says so"


def test_check_shows_the_tuner_and_whether_the_caps_allow_it(read, tmp_path, capsys, monkeypatch):
    from typer.testing import CliRunner

    from tunesmith.cli import app

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "train.py").write_text("def train(config, trial):\n    return 1.0\n")
    for written, said in [
        ("llambo-paper", "llambo-paper: about 1050 calls"),
        ("llambo-paper", "budget.model.calls is 60"),
        ("numeric", "tuner      numeric"),
        ("null", "tuner      hybrid: a language model"),
    ]:
        read(written)
        done = CliRunner().invoke(app, ["check", str(tmp_path / "task.yaml")])
        assert done.exit_code == 0 and said in done.output


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(["method", "preset", "alpha", "context", "candidates", "top_p", "warp", "hue"])


@given(_VALUES | st.dictionaries(_KEYS, _VALUES | st.sampled_from(["llambo", "none"]), max_size=4))
def test_anything_given_is_a_tuner_or_a_fault_of_the_task(given_):
    fields = {"metric": "acc", "direction": "maximize", "space": {"x": {"type": "bool"}}, "tuner": given_}
    try:
        task = Task.model_validate(fields)
    except TaskError as error:
        assert error.key is not None and error.key.startswith("tuner")
    else:
        assert isinstance(task.tuner.settings, task.tuner.member.settings)
