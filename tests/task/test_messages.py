"""Every message about a task file has rule, value, place and fix: at least three of the four."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunesmith.errors import TaskError
from tunesmith.task import load_task

PARTS = {
    "objective": "train.py:train",
    "metric": "score",
    "direction": "maximize",
    "space": "{lr: {type: float, low: 0.001, high: 1.0, scale: log}, width: {type: int, low: 1, high: 64}, "
    "kind: {type: categorical, choices: [a, b]}}",
    "default": "{lr: 0.1, width: 2, kind: a}",
    "budget": "{trials: 4}",
}
FIX = re.compile(
    r"Write |[Dd]id you mean|Put it|Remove|Add |Close it|Indent|Swap|Name (it|the|a|one)|Save it|Keep one|"
    r"Check the name|there are|such as|one of|nearest legal|Rename|no folder|should be '"
)

# a task's key, what stands there, what the message shows of it, what it says to write
KEYS = [
    ("budgett", "{trials: 3}", "budgett", "did you mean 'budget'?"),
    ("zzzqq", "1", "zzzqq", "there are name, description"),
    ("direction", "max", "'max'", "`direction: maximize`"),
    ("direction", "lower", "'lower'", "`direction: minimize`"),
    ("direction", "", "None", "`direction: maximize`"),
    ("metric", "3", "got 3", "`metric: '3'`"),
    ("metric", "[a]", "['a']", "Write a text"),
    ("space", "[lr]", "['lr']", "`space: {lr: {type: float"),
    ("space", "{}", "at least one parameter", "`space: {lr: {type: float"),
    ("space", "{lr: 3}", "got 3", "{type: float, low: 0, high: 1}"),
    ("space", "{lr: [1, 2]}", "[1, 2]", "`lr: {type: categorical, choices: [1, 2]}`"),
    ("space", "{lr: {low: 1, high: 2}}", "no `type`", "`type: float`"),
    ("space", "{lr: {type: flaot, low: 1, high: 2}}", "'flaot'", "`type: float`"),
    ("space", "{lr: {type: choice, choices: [1]}}", "'choice'", "`type: categorical`"),
    ("space", "{lr: {type: float, lo: 1, high: 2}}", "'lo'", "did you mean 'low'?"),
    ("space", "{lr: {type: float, min: 1, max: 2}}", "'min'", "`low` instead"),
    ("space", "{lr: {type: float, low: 1, high: 2, log: true}}", "'log'", "`scale: log`"),
    ("space", "{lr: {type: float, low: 1}}", "lacks `high`", "`high: 1`"),
    ("space", "{lr: {type: float, low: '1e-4', high: 2}}", "'1e-4'", "`low: 0.0001`"),
    ("space", "{lr: {type: float, low: 1 e-4, high: 2}}", "'1 e-4'", "`low: 0.0001`"),
    ("space", "{lr: {type: float, low: 3, high: 2}}", "low=3, high=2", "`low: 2, high: 3`"),
    ("space", "{lr: {type: float, low: 0, high: 2, scale: log}}", "low=0.0", "above 0, such as `low: 1e-5`"),
    ("space", "{n: {type: int, low: 0, high: 2, scale: log}}", "low=0", "`low: 1`"),
    ("space", "{lr: {type: float, low: 1, high: 2, scale: logg}}", "'logg'", "`scale: log`"),
    ("space", "{lr: {type: float, low: 1, high: 2, step: 0}}", "got 0", "`step: 1`"),
    ("space", "{lr: {type: float, low: 1, high: 2, step: 0.1, scale: log}}", "not log", "Remove `step`"),
    ("space", "{k: {type: categorical, choices: []}}", "got 0", "`choices: [sgd, adam]`"),
    ("space", "{k: {type: categorical, choices: 'a, b'}}", "'a, b'", "`choices: [a, b]`"),
    ("space", "{k: {type: categorical}}", "lacks `choices`", "`choices: [sgd, adam]`"),
    ("space", "{w: {type: int, low: 1.5, high: 3}}", "got 1.5", "`low: 2`"),
    ("space", "{a: {type: int, low: 1, high: 3, when: {aa: 1}}}", "'aa'", "Did you mean 'a'?"),
    ("space", "{a: {type: int, low: 1, high: 3, when: x}}", "'x'", "`when: {NAME: VALUE}`"),
    ("space", "{a: {type: bool}, b: {type: bool, when: {a: z}}}", "'a' = 'z'", ""),
    ("space", "{a: {type: bool}, constraints: ['a <']}", "'a <'", "`width <= 4 * depth`"),
    ("space", "{a: {type: bool}, constraints: ['c < 2']}", "'c'", "there are a"),
    ("space", "{a: {type: bool}, constraints: 'a > 5'}", "'a > 5'", "`constraints: ['a > 5']`"),
    ("default", "{lr: 0.1, width: 2}", "'kind' is missing", "such as `kind: "),
    ("default", "{lr: 5, width: 2, kind: a}", "'lr' = 5", "nearest legal value: 1.0"),
    ("default", "{lr: 0.1, width: 2, kind: c}", "'kind' = 'c'", "one of a, b"),
    ("default", "{lr: fast, width: 2, kind: a}", "'lr' = 'fast'", "Write such a value"),
    ("default", "[1]", "got [1]", "`default: {lr: 0.001}`"),
    ("budget", "{trials: 0}", "got 0", "`trials: 1` or more"),
    ("budget", "{trials: ten}", "'ten'", "`trials: 4`"),
    ("budget", "30", "got 30", "`budget: {trials: 30}`"),
    ("budget", "{trial: 30}", "trial", "did you mean 'trials'?"),
    ("budget", "{wall_time: 1 week}", "'1 week'", "`wall_time: 1h30m`"),
    ("budget", "{trial_time: -5m}", "'-5m'", "such as 45s, 10m or 1h30m"),
    ("budget", "{model: {calls: -3}}", "got -3", "`calls: 0` or more"),
    ("workers", "many", "'many'", "`workers: 4`"),
    ("workers", "100000", "got 100000", "`workers: 1024` or less"),
    ("seed", "1.5", "got 1.5", "`seed: 2`"),
    ("confirm", "{seeds: 0}", "got 0", "`seeds: 1` or more"),
    ("confirm", "5", "got 5", "`confirm: {seeds: 5}`"),
    ("confirm", "{seeds: 5, most: 2}", "got 2", "`most: 5`"),
    ("confirm", "{function: 'a.py:f', command: 'b'}", "got both", "Remove one"),
    ("confirm", "{function: a.py}", "'a.py'", "`function: train.py:test`"),
    ("pruner", "medain", "'medain'", "`kind: median`"),
    ("pruner", "{kind: median, warmup: 3}", "warmup", "did you mean 'warmup_steps'?"),
    ("tuner", "hybird", "'hybird'", "did you mean 'hybrid'?"),
    ("policy", "rule", "'rule'", "one of rules, agent"),
    ("executor", "slurm", "'slurm'", "there are local"),
    ("executor", "{name: local, start: fork}", "'start'", "start_method"),
    ("executor", "{name: local, start_method: thread}", "'thread'", "'auto', 'fork' or 'spawn'"),
    ("sinks", "jsonl", "'jsonl'", "`sinks: [jsonl]`"),
    ("sinks", "[wandb]", "'wandb'", "there are jsonl"),
    ("problem", "rl", "'rl'", "there are training"),
    ("noise", "lots", "'lots'", "such as 0.004"),
    ("fixed", "{lr: 0.1}", "lr", "Remove it from one"),
    ("preload", "torch", "'torch'", "`preload: [torch]`"),
    ("in_step", "maybe", "'maybe'", "`in_step: true`"),
    ("data_file", "trian.csv", "trian.csv is not there", "Did you mean 'train.csv'?"),
    ("data_file", "data/train.csv", "data/train.csv is not there", "no folder"),
    ("data_file", "folder", "folder is a folder", "Name the file in it"),
    ("data_file", "{path: train.csv, target: z}", "z: there is no such column", "there are x, y"),
    ("data_file", "{path: train.csv, target: y, task: ranking}", "'ranking'", "'classification'"),
    ("objective", "train.py", "'train.py'", "`objective: train.py:train`"),
    ("objective", "train.py:Trainer.train", "'Trainer.train'", "a function at the top level"),
    ("objective", "pkg.module:train", "'pkg.module:train'", "`objective: pkg/module.py:train`"),
    ("objective", "python t.py {lr}", "'python t.py {lr}'", "`objective: {command: 'python t.py {lr}'}`"),
    ("objective", "{}", "got neither", "`objective: train.py:train`"),
    ("objective", "{comand: x}", "comand", "did you mean 'command'?"),
    ("objective", "{command: 'python t.py {lrr} {width} {kind}'}", "{lrr}", "did you mean 'lr'?"),
    ("objective", "{command: 'python t.py {lr} {width}'}", "does not pass kind", "`--kind {kind}`"),
    ("name", "'a b/c'", "'a b/c'", "such as 'a-b-c'"),
    ("name", "5", "got 5", "`name: '5'`"),
]
# the text of a file, the line that is named, what the message shows of it, what it says to write
FILES = [
    ("metric: a\nspace:\n\tlr: {type: float}\n", 3, "`lr: {type: float}`", "Indent it by blanks"),
    ("space:\n  lr:\n    type: float\n   low: 1\n", 4, "by 3 blanks", "by 4 blanks, as line 3"),
    ("metric: a\n  direction: maximize\n", 2, "below `metric: a`", "by no blanks, as line 1"),
    ("metric: a\nmetric: b\n", 2, "'a' there and 'b' here", "Remove one"),
    ("metric a\ndirection: maximize\n", 1, "`metric a`", "Write `metric: a`"),
    ("metric: a\ndirection maximize\nseed: 1\n", 2, "`direction maximize`", "Write `direction: maximize`"),
    ("space:\n  lr\n    type: float\n", 2, "`lr`", "Write `lr:`"),
    ("description: |\n  some words\nmetric a\nseed: 1\n", 3, "`metric a`", "Write `metric: a`"),
    ("metric:a\ndirection:maximize\n", 1, "`metric:a`", "Write `metric: a`"),
    ("metric:a\nseed: 1\n", 1, "`metric:a`", "Write `metric: a`"),
    ("space: {lr: {type:float, low: 1}}\n", 1, "`type:float`", "Write `type: float`"),
    ("metric: a\nspace: {lr: {type: float\nseed: 1\n", 2, "`space: {lr: {type: float`", "Close it with `}`"),
    ("sinks: [jsonl\nseed: 1\n", 1, "`sinks: [jsonl`", "Close it with `]`"),
    ('metric: "a\nseed: 1\n', 1, '`metric: "a`', "Close it"),
    ("space: {}}\n", 1, "`space: {}}`", "Remove it"),
    ("description: small: net\n", 1, "`description: small: net`", "`description: 'small: net'`"),
    ("metric: @a\n", 1, "`metric: @a`", "`metric: '@a'`"),
    ("metric: *a\n", 1, "`*a`", "Put it in quotes"),
    ('metric: "a\\qb"\n', 1, "`\\q`", "single quotes"),
    ("objective: {lr} x\n", 1, "`objective: {lr} x`", "Put it in quotes"),
    ("- metric: a\n", 1, "`- metric: a`", "`metric: score`"),
    ("hello\n", 1, "`hello`", "`tunesmith init train.py`"),
    ("", 1, "is empty", "`tunesmith init train.py`"),
    ("# nothing\n", 1, "is empty", "`tunesmith init train.py`"),
    ("metric: a\n---\nmetric: b\n", 2, "`---`", "Keep one task"),
    ("space:\n  lr:\n    <<: *b\n", 3, "`*b`", "Put it in quotes"),
    ("base: &b {type: float}\nspace:\n  lr:\n    <<: *b\n", 4, "`<<`", "Write the keys out"),
    ("metric: !!python/object:os.system x\n", 1, "'!!python/object:os.system'", "Write plain values"),
    ("metric: a\nnoise: .nan\n", 2, "'.nan'", ""),
    ("1: a\n", 1, "'1'", "Put it in quotes"),
    ("[task]\nmetric = 'a'\n", 2, "`metric = 'a'`", "Write `metric: 'a'`"),
    ("import torch\ndef train(config, trial):\n    return 1\n", 2, "is Python", "Name the task file"),
    (b"metric: a\ndescription: caf\xe9\n", 2, "not UTF-8", "Save it as UTF-8"),
    ("metric: a\n".encode("utf-16"), 1, "not UTF-8", "Save it as UTF-8"),
    ('{\n"metric": "score",\n"direction": "up",\n}', 3, "'up'", "`direction: maximize`"),
]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("x,y\n1,2\n2,3\n")
    Path("train.py").write_text("def train(config, trial): return 1\n")
    Path("folder").mkdir()

    def told(text: str | bytes, name: str = "task.yaml") -> list[str]:
        if text is not None:
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(TaskError) as caught:
            load_task(Path(name))
        return str(caught.value).split("\n")

    return told


@pytest.mark.parametrize("key, value, shown, fix", KEYS, ids=[f"{k}: {v[:30]}" for k, v, _, _ in KEYS])
def test_a_wrong_value_is_shown_at_its_line_with_what_to_write(told, key, value, shown, fix):
    parts = PARTS | {key: value}
    if key == "space":
        del parts["default"]
    lines = told("".join(f"{name}: {text}\n" for name, text in parts.items()))
    line = next(line for line in lines if f": {key}" in line)
    assert line.startswith(f"task.yaml:{list(parts).index(key) + 1}: {key}")
    assert shown in line
    assert fix in line
    assert not fix or FIX.search(line)
    assert_readable(line)


@pytest.mark.parametrize("text, number, shown, fix", FILES, ids=[repr(text)[:40] for text, *_ in FILES])
def test_a_file_that_is_no_task_is_shown_at_its_line_with_what_to_write(told, text, number, shown, fix):
    line = next(line for line in told(text) if shown in line)
    assert line.startswith(f"task.yaml:{number}: ")
    assert fix in line
    assert_readable(line)


@pytest.mark.parametrize("key", ["objective", "metric", "direction", "space"])
def test_a_missing_key_is_named_with_an_example(told, key):
    parts = {name: text for name, text in PARTS.items() if name not in (key, "default")}
    (line,) = told("".join(f"{name}: {text}\n" for name, text in parts.items()))
    assert line.startswith(f"task.yaml: {key}: is missing. Write ")
    assert f"`{key}: " in line or "such as" in line


@pytest.mark.parametrize(
    "name, shown, fix",
    [
        ("taks.yaml", "cannot be read", "Did you mean 'task.yaml'?"),
        ("sub/task.yaml", "cannot be read", "There is no folder 'sub'"),
        ("folder", "is a folder", "Name the task file in it"),
        ("train.py", "is a Python script", "`tunesmith init train.py` writes one"),
        ("train.csv", "is a table of data", "A task file is YAML"),
    ],
)
def test_a_path_that_is_no_task_file_is_named_with_the_nearest(told, name, shown, fix):
    Path("task.yaml").write_text("")
    (line,) = told(None, name)
    assert line.startswith(f"{name}: {shown}")
    assert fix in line


def assert_readable(line: str) -> None:
    """One line that can be read aloud: bounded, ended, no marks in a row, nothing of the machinery."""
    assert len(line) < 500
    assert line.endswith((".", "?", "more"))
    assert not re.search(r"\.\.(?!\.)(?<!\.\.\.)|\?\.| {2}|;\.|Input |validat|permitted|tuple|pydantic", line)
