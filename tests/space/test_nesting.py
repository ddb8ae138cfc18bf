"""Groups of parameters are written nested and have dotted names everywhere else."""

import json

import numpy as np
import pytest

from tunesmith.agent.models.replies import parse_configuration
from tunesmith.errors import SpaceError, TaskError
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.task import Task, load_task

NESTED = {
    "epochs": {"type": "int", "low": 1, "high": 9},
    "optimizer": {
        "lr": {"type": "float", "low": 0, "high": 1},
        "type": {"type": "categorical", "choices": ["sgd", "adam", None]},
        "schedule": {
            "warmup": {"type": "int", "low": 0, "high": 5, "when": {"type": "sgd"}},
            "floor": {"type": "bool", "when": {"epochs": [1, 2]}},
        },
    },
    "constraints": ["optimizer.schedule.warmup < epochs"],
}
FLAT = {"epochs": 2, "optimizer.lr": 0.5, "optimizer.type": "sgd", "optimizer.schedule.warmup": 1,
        "optimizer.schedule.floor": True}  # fmt: skip
WRITTEN = {"epochs": 2, "optimizer": {"lr": 0.5, "type": "sgd", "schedule": {"warmup": 1, "floor": True}}}


def test_a_nested_space_has_dotted_names_and_conditions_within_the_group():
    space = Space.from_dict(NESTED)
    assert set(space.names) == set(FLAT)
    assert space.conditions["optimizer.schedule.warmup"] == {"optimizer.type": ("sgd",)}
    assert space.conditions["optimizer.schedule.floor"] == {"epochs": (1, 2)}
    assert dict(space.validate(WRITTEN)) == dict(space.validate(FLAT)) == FLAT
    assert space.snap({"epochs": 9, "optimizer": {"type": "adam"}})[0]["optimizer.type"] == "adam"
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space
    for configuration in space.sample(np.random.default_rng(0), 20):
        assert space.decode(space.encode(configuration)[0]) == configuration


def test_parameters_in_python_nest_as_well():
    space = Space(
        {
            "opt": {"lr": Float(0, 1), "kind": Categorical(["a", "b"])},
            "net": {"opt": {"depth": Int(1, 3, when={"opt.kind": "a"})}},
        }
    )
    assert space.names == ("opt.lr", "opt.kind", "net.opt.depth")
    assert space.conditions["net.opt.depth"] == {"opt.kind": ("a",)}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(WRITTEN),
        json.dumps(FLAT),
        "Here it is: {epochs: 2, optimizer: {lr: 0.5, type: 'sgd', schedule: {warmup: 1, floor: true}}}",
    ],
)
def test_a_model_may_answer_nested_or_dotted(answer):
    space = Space.from_dict(NESTED)
    assert dict(space.validate(parse_configuration(answer, space).values)) == FLAT


@pytest.mark.parametrize(
    "data, text",
    [
        ({"a": {"b": {"type": "bool"}}, "a.b": {"type": "bool"}}, "a.b is given twice"),
        ({"a": {"b": {"type": "float", "low": 2, "high": 1}}}, "a.b: Float needs low <= high"),
        ({"a": {"b": {"type": "bool"}, "low": 3}}, "a has no `type`"),
        ({"a": {}}, "a has no `type`"),
    ],
)
def test_a_fault_in_a_group_names_the_whole_path(data, text):
    with pytest.raises(SpaceError, match=text):
        Space.from_dict(data)


def test_a_fault_in_a_group_of_a_task_file_has_its_line(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        "metric: v\ndirection: minimize\nobjective: {command: 'train --lr {opt.lr}'}\n"
        "space:\n  opt:\n    lr:\n      type: float\n      low: 2\n      high: 1\n"
    )
    with pytest.raises(TaskError, match="space.opt.lr.low") as caught:
        load_task(path)
    assert caught.value.line == 8
    path.write_text(path.read_text().replace("low: 2", "low: 0") + "default: {opt: {lr: 0.5}}\n")
    task = load_task(path)
    assert dict(task.default) == {"opt.lr": 0.5}
    assert Task.model_validate(task.model_dump()).default == task.default
