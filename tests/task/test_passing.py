"""Options as scripts have them: what a script's own parser makes of the arguments is the configuration."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.argv import arguments
from tunesmith.errors import ObjectiveError, TaskError
from tunesmith.space import Bool, Categorical, Float, Int, Space
from tunesmith.task import Task, load_task
from tunesmith.task.passing import passing

HELPERS = """
import argparse, ast, json
DEFAULT = 0.5
def str2bool(text):
    if text.lower() in ("yes", "true", "t", "y", "1"):
        return True
    if text.lower() in ("no", "false", "f", "n", "0"):
        return False
    raise argparse.ArgumentTypeError("Boolean value expected.")
def float_or_none(text):
    return None if text == "none" else float(text)
def onoff(text):
    return {"on": True, "off": False}[text]
"""
SWITCHES = [
    'action="store_true"',
    'action="store_true", default=False',
    'action="store_false"',
    "action=argparse.BooleanOptionalAction",
    "action=argparse.BooleanOptionalAction, default=True",
    "type=bool, default=True",
    "type=bool",
    "default=True",
    "type=str2bool, default=False",
    'type=str2bool, nargs="?", const=True, default=False',
    "type=onoff, default=True",
    'type=lambda s: s == "True", default=True',
    "type=lambda s: bool(int(s)), default=True",
    "type=int, choices=[0, 1], default=1",
    "type=eval, default=True",
    "type=ast.literal_eval",
    "type=json.loads, required=True",
    'action="store_const", const=True, default=False',
]
NUMBERS = [
    ("type=float, default=DEFAULT", Float(-2.0, 2.0)),
    ("type=float", Float(-1e-4, 1e-4)),
    ("type=float", Float(1e-6, 1.0, "log")),
    ("type=int, default=3", Int(-50, 50)),
    ("type=int, choices=[16, 32, 64]", Categorical([16, 64])),
    ('choices=["adam", "sgd"], default="sgd"', Categorical(["adam", "sgd"])),
    ("type=str", Categorical(["a b", "$(x)", "-x", "--lr", "é'\"", "1e-3"])),
    ("type=float", Categorical([0.1, -1e-05, 2])),
    ("type=float", Categorical([None, 0.1, -1e-05])),
    ("type=float_or_none, default=1.0", Categorical([None, 0.5])),
    ('type=int, nargs="+", default=[1]', Categorical([[64, 32], [128]])),
    ('type=int, nargs="*"', Categorical([None, [64, 32], []])),
    ('type=int, action="append"', Categorical([None, [64, 32], [7]])),
    ('type=lambda s: [int(x) for x in s.split(",")], default=[]', Categorical([[64, 32], [128]])),
    ("type=json.loads, default={}", Categorical([[64, 32], "a", None, {"a": [1]}])),
    ("type=eval, default=0", Categorical([[64, 32], "a b", None, -3])),
    ('choices=["relu", "none"], default="relu"', Categorical(["none", "relu"])),
]
OPTIONS = st.one_of(
    st.sampled_from(SWITCHES).map(lambda given: (given, Bool())),
    st.sampled_from(NUMBERS),
)
SPELLINGS = st.sampled_from(["--{n} {{{p}}}", "--{n}={{{p}}}", "{{--{n}}}"])


def parser_of(declared: list[str]) -> tuple[str, argparse.ArgumentParser]:
    source = HELPERS + "parser = argparse.ArgumentParser()\n" + "\n".join(declared) + "\n"
    names: dict[str, object] = {}
    exec(source, names)  # noqa: S102 - our own text above
    return source, names["parser"]  # type: ignore[return-value]


def read_as(parsed: object, value: object) -> object:
    """What the parsed value means where a hyperparameter has `value`."""
    return bool(parsed) if isinstance(value, bool) else parsed


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(OPTIONS, SPELLINGS), min_size=1, max_size=4), st.booleans(), st.data())
def test_parsing_the_arguments_gives_the_configuration_back(tmp_path_factory, options, all_at_once, data):
    folder = tmp_path_factory.getbasetemp()
    names = ["lr", "weight-decay", "use_amp", "n.layers"][: len(options)]
    declared = [
        f'parser.add_argument("--{name}", {text})'
        for name, ((text, _), _) in zip(names, options, strict=True)
    ]
    source, parser = parser_of(declared)
    script = folder / f"passing_{os.getpid()}.py"
    script.write_text(source, encoding="utf-8")
    parameters = [name.replace("-", "_") for name in names]
    space = Space({p: kind for p, ((_, kind), _) in zip(parameters, options, strict=True)})
    words = [
        spelling.format(n=name, p=parameter).split()
        for name, parameter, (_, spelling) in zip(names, parameters, options, strict=True)
    ]
    command = ["python", script.name, *(["{options}"] if all_at_once else sum(words, []))]
    made = passing(command, space, folder)
    configuration = space.sample(np.random.default_rng(data.draw(st.integers(0, 99))))[0]
    values = space.originals(configuration)
    argv, missing = arguments(made.command, values)
    assert argv[:2] == ["python", script.name] and not missing
    found = vars(parser.parse_args(argv[2:]))
    assert {p: read_as(found[p], values[p]) for p in parameters} == values, argv
    assert not made.warnings


@pytest.fixture
def passed(tmp_path):
    """The arguments that a script gets for values, and what is said about them."""

    def passed(declared, command, space, **values):
        (tmp_path / "train.py").write_text(HELPERS + "p = argparse.ArgumentParser()\n" + dedent(declared))
        made = passing(["python", "train.py", *command.split()], Space(space), tmp_path)
        return arguments(made.command, values)[0][2:], [*made.notes, *made.warnings]

    return passed


@pytest.mark.parametrize(
    ("declared", "command", "when_true", "when_false"),
    [
        ('p.add_argument("--no-bias", dest="bias", action="store_false")', "--no-bias {on}", "", "--no-bias"),
        ('p.add_argument("--no-on", action="store_true")', "--no-on {on}", "", "--no-on"),
        ('p.add_argument("--disable_on", action="store_true")', "--disable_on {on}", "", "--disable_on"),
        ('p.add_argument("--on", action="store_true")\n'
         'p.add_argument("--no-on", dest="on", action="store_false")', "--on {on}", "--on", "--no-on"),
        ("", "{--on}", "--on", ""),
        ("", "{--no-on}", "", "--no-on"),
        ("", "{--on|--no-on}", "--on", "--no-on"),
        ("", "{on:flag} x", "--on x", "x"),
        ("", "-v {on:--use-on} {on:|--off}", "-v --use-on", "-v --off"),
        ("", "--on {on:1|0}", "--on 1", "--on 0"),
        ("", "--gpu {on:1|}", "--gpu 1", ""),
        ("", "--on={on:yes|no}", "--on=yes", "--on=no"),
        ("", "--on {on}", "--on true", "--on false"),
        ("", "x={on} +y={on} {on:~z|}", "x=true +y=true ~z", "x=false +y=false"),
        ('p.add_argument("--on", type=bool)', "{options}", "--on=true", "--on="),
        ("", "{options}", "--on true", "--on false"),
        ('p.add_argument("--only", action="store_true")', "--onl {on}", "--only", ""),
    ],
)  # fmt: skip
def test_flags_in_every_spelling(passed, declared, command, when_true, when_false):
    space = {"on": Bool()}
    assert passed(declared, command, space, on=True)[0] == when_true.split()
    assert passed(declared, command, space, on=False)[0] == when_false.split()


def test_a_hyperparameter_named_like_the_flag_means_the_flag_and_one_named_like_its_value_the_value(passed):
    declared = 'p.add_argument("--no-bias", dest="bias", action="store_false")'
    assert passed(declared, "--no-bias {no_bias}", {"no_bias": Bool()}, no_bias=True)[0] == ["--no-bias"]
    assert passed(declared, "--no-bias {bias}", {"bias": Bool()}, bias=True)[0] == []


def test_lists_nulls_and_repeated_options_have_forms():
    values = {"h": [64, 32], "t": ["a b", "c"], "none": None, "e": []}
    command = (
        "p --h {h:items} --tag {t:each} --g={t:each} --c {h:,} --j {h:json} --y={t:python} --none {none}"
    )
    assert arguments(command.split(), values)[0] == [
        *("p", "--h", "64", "32", "--tag", "a b", "--tag", "c", "--g=a b", "--g=c", "--c", "64,32"),
        *("--j", "[64, 32]", "--y=['a b', 'c']"),
    ]
    command = (
        "p --none {none:none} --e {e:each} --f={e:each} +x={none} a.b={none:hydra} c={t:hydra} -v {none} z"
    )
    assert arguments(command.split(), values)[0] == ["p", "--none", "none", "a.b=null", "c=['a b',c]", "z"]


def test_an_option_goes_only_when_all_of_its_values_do():
    command = ["p", "--sizes", "{a}", "{b}", "-v", "--beta={b}", "m"]
    assert arguments(command, {"a": 1})[0] == ["p", "--sizes", "1", "-v", "m"]
    assert arguments(command, {"b": 2})[0] == ["p", "--sizes", "2", "-v", "--beta=2", "m"]
    assert arguments(command, {})[0] == ["p", "-v", "m"]


@pytest.mark.parametrize(
    ("declared", "kind", "words"),
    [
        ('p.add_argument("--x", action="store_true")', Float(0.0, 1.0), "so it takes no value"),
        ('p.add_argument("--x", action="store_true", default=True)', Bool(), "false cannot be said"),
    ],
)  # fmt: skip
def test_what_the_script_cannot_be_told_is_refused_before_a_trial(passed, declared, kind, words):
    with pytest.raises(ObjectiveError, match=re.escape(words)):
        passed(declared, "--x {x}", {"x": kind}, x=1)


@pytest.mark.parametrize(
    ("declared", "kind", "words"),
    [
        ('p.add_argument("--lr", type=float)', Float(0.0, 1.0), "declares no option --x"),
        ('p.add_argument("--x", type=int)', Float(0.0, 1.0), "whole numbers only"),
        ('p.add_argument("--x", choices=["a"])', Categorical(["a", "b"]), "'b' is not among"),
        ('from elsewhere import read\np.add_argument("--x", type=read)', Bool(), "could not be told"),
    ],
)
def test_what_the_script_may_refuse_is_a_warning(passed, declared, kind, words):
    said = passed(declared, "--x {x}", {"x": kind}, x=0)[1]
    assert any(words in text for text in said), said


@pytest.mark.parametrize(
    ("source", "words", "argv", "said"),
    [
        ("", "--on {on}", "--on false", "write {--on} if it is a flag"),
        ("from sacred import Experiment", "with on={on} x={x}", "with on=False x='a b'", None),
        ("from absl import flags\nflags.DEFINE_bool('b', True, '')", "--on {on}", "--on=false", "as these"),
        ("from absl import flags\nflags.DEFINE_bool('on', True, '')", "--on {on}", "--noon", "as the script"),
        ("import fire\ndef f(on=True, x='b'): pass\nfire.Fire(f)", "{options}", "--on=False --x='a b'", None),
        (
            "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\n"
            "a = s.add_parser('a')\na.add_argument('--on', type=bool)\n"
            "b = s.add_parser('b')\nb.add_argument('--on', action='store_true')",
            "b --on {on}", "b", "a flag",
        ),
        ("from tap import Tap\nclass A(Tap):\n    on: bool = True\nA()", "--on {on}", "--on", "a flag"),
        ("import tyro\ndef f(o_n: bool = True): pass\ntyro.cli(f)", "{--o-n}", "--no-o-n", None),
        ("import typer\ndef f(o_n: bool = True): pass\ntyper.run(f)", "--o-n {o_n}", "--no-o-n", "a flag"),
        ("import click\n@click.command()\n@click.option('--on', default=True)\ndef f(on): pass", "--on {on}",
         "--on false", None),
    ],
    ids=["unknown", "sacred", "absl elsewhere", "absl", "fire", "sub", "tap", "tyro", "typer", "click"],
)  # fmt: skip
def test_other_libraries_have_their_own_ways(tmp_path, source, words, argv, said):
    (tmp_path / "t.py").write_text(source)
    kinds = {"on": Bool(), "o_n": Bool(), "x": Categorical(["a b"])}
    named = re.findall(r"[{-](on|o.n|x)}", words.replace("o-n", "o_n")) or ["on", "x"]
    space = Space({name: kinds[name] for name in named})
    made = passing(["python", "t.py", *words.split()], space, tmp_path)
    filled = arguments(made.command, {"on": False, "o_n": False, "x": "a b"})[0][2:]
    assert " ".join(filled) == argv
    assert (said is None and not made.notes) or any(said in note for note in made.notes), made.notes


def test_hydra_overrides_are_quoted_where_they_must_be_and_go_with_what_is_inactive(tmp_path):
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "conf" / "config.yaml").write_text("defaults:\n  - optimizer: adam\nname: x\nclip: null\n")
    (tmp_path / "conf" / "optimizer" / "adam.yaml").write_text("lr: 0.1\n")
    source = "import hydra\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg): pass\n"
    (tmp_path / "t.py").write_text(source)
    space = Space({"lr": Float(0.0, 1.0), "name": Categorical(["a,b", "16"]), "clip": Categorical([None, 1])})
    words = "t.py optimizer.lr={lr} name={name} clip={clip} +new={clip} optimiser.lr={lr} ~x"
    made = passing(["python", *words.split()], space, tmp_path)
    values = {"lr": 0.5, "name": "16", "clip": None}
    assert arguments(made.command, values)[0][2:] == [
        *("optimizer.lr=0.5", "name='16'", "clip=null", "+new=null", "optimiser.lr=0.5", "~x")
    ]
    assert arguments(made.command, {"name": "a,b"})[0][2:] == ["name='a,b'", "~x"]
    assert len(made.warnings) == 1 and "did you mean 'optimizer.lr'?" in made.warnings[0]


def test_a_positional_argument_that_reads_any_text_as_true_is_refused(passed):
    with pytest.raises(ObjectiveError, match="every text for true"):
        passed('p.add_argument("on", type=bool)', "{on}", {"on": Bool()}, on=False)


def test_where_the_options_cannot_all_be_seen_nothing_is_said_about_those_that_are_not(passed):
    for line in ("args, rest = p.parse_known_args()", "from lib import add\nadd(p)", "p.add_argument(*more)"):
        said = passed(f'p.add_argument("--lr")\n{line}', "--x {x}", {"x": Float(0.0, 1.0)}, x=1)[1]
        assert said == []


SPREAD = {
    "train.py": "from common.args import get_parser\nargs = get_parser().parse_args()\n",
    "common/args.py": """
        import argparse
        def shared():
            base = argparse.ArgumentParser(add_help=False)
            base.add_argument("--amp", action="store_true")
            return base
        def get_parser():
            p = argparse.ArgumentParser(parents=[shared()])
            group = p.add_argument_group("model").add_mutually_exclusive_group()
            group.add_argument("-n", "--nesterov", type=bool)
            for name, value in [("wide", True), ("deep", False)]:
                p.add_argument(f"--{name}", type=bool, default=value)
            return p
        def unused(p):
            p.add_argument("--ema", type=bool)
        """,
}


def test_options_declared_in_other_files_groups_parents_and_loops_are_found(tmp_path):
    for name, text in SPREAD.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))
    names = ("amp", "nesterov", "wide", "deep", "ema")
    space = Space(dict.fromkeys(names, Bool()))
    for program in (
        ["python", "-u", "train.py"],
        ["torchrun", "--amp", "train.py"],
        ["python", "-m", "train"],
    ):
        made = passing([*program, "--amp", "{amp}", "-n", "{nesterov}", "--wide", "{wide}", "--deep={deep}",
                        "--ema", "{ema}"], space, tmp_path)  # fmt: skip
        argv = arguments(made.command, dict.fromkeys(names, False))[0]
        assert argv == [*program, "--nesterov=", "--wide=", "--deep=", "--ema", "false"]


TASK = """
metric: acc
direction: maximize
objective: {command: %s}
space: {lr: {type: float, low: 0.0, high: 1.0}, amp: {type: bool}}
"""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ('"p {lr} {--anp}"', "`{--anp}` names no parameter, anp; did you mean 'amp'?"),
        ('"p {--lr|--no-lr} {amp}"', "lr is not true or false"),
        ('"p {amp} {lr:--lr}"', "is for a parameter that is true or false"),
        ('"p {amp} {lr:.3g}"', "there is no form '.3g'"),
        ('"p {amp} {lr:itmes}"', "did you mean 'items'?"),
        ('"p {amp} --x={options}"', "an argument of its own"),
        ('"p {amp}"', "does not pass lr"),
    ],
)
def test_a_placeholder_that_stands_for_nothing_is_a_fault_of_the_task(tmp_path, command, words):
    (tmp_path / "task.yaml").write_text(TASK % command)
    with pytest.raises(TaskError, match=re.escape(words)):
        load_task(tmp_path / "task.yaml")


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("[python, t.py, --n, 3, {lr}, {--amp}]", ("python", "t.py", "--n", "3", "{lr}", "{--amp}")),
        (r'"python t.py \\\n  --lr {lr} \\\n {--amp}"', None),
        ('"CUDA_VISIBLE_DEVICES=0 p {lr} {amp}"', ("env", "CUDA_VISIBLE_DEVICES=0", "p", "{lr}", "{amp}")),
        ('"p {lr} {amp} +o={lr:0.1,x:{lr}} {lr:2}"', ("p", "{lr}", "{amp}", "+o={lr:0.1,x:{lr}}", "{lr:2}")),
    ],
)  # fmt: skip
def test_a_command_is_a_text_or_a_list_and_other_braces_mean_what_they_did(tmp_path, command, argv):
    (tmp_path / "task.yaml").write_text(TASK % command)
    task = load_task(tmp_path / "task.yaml")
    assert task.objective.command == (argv or ("python", "t.py", "--lr", "{lr}", "{--amp}"))
    filled = arguments(task.objective_ref().command, {"lr": 0.5, "amp": True})[0]
    plain = {"{lr}": "0.5", "{--amp}": "--amp", "{amp}": "true", "+o={lr:0.1,x:{lr}}": "+o={lr:0.1,x:0.5}"}
    assert filled == [plain.get(word, word) for word in task.objective.command]


FLAGS = """
import argparse, json
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.01)
p.add_argument("--amp", action="store_true")
p.add_argument("--nesterov", type=bool, default=False)
a = p.parse_args()
print(json.dumps({"acc": a.lr, **{f"is_{k}": float(v) for k, v in vars(a).items()}}))
"""


@pytest.mark.long
def test_check_and_run_say_what_is_passed_and_the_script_gets_what_the_report_names(tmp_path):
    (tmp_path / "train.py").write_text(FLAGS)
    text = (TASK % '"python train.py --lr {lr} --amp {amp} --nesterov {nesterov}"').replace(
        "amp: {type: bool}", "amp: {type: bool}, nesterov: {type: bool}"
    )
    (tmp_path / "task.yaml").write_text(text + "default: {lr: 0.1, amp: false, nesterov: false}\n")

    def tunesmith(*words):
        command = [sys.executable, "-P", "-m", "tunesmith", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout

    run = tunesmith("run", "task.yaml", "--no-model", "--trials", "3", "--name", "r")
    for said in (tunesmith("check", "task.yaml"), run):
        assert "passed: --amp {amp}: --amp for true, left out for false" in said
        assert "type=bool reads every text but the empty one as true" in said and "BooleanOptional" in said
    results = sorted((tmp_path / "runs" / "r" / "trials").glob("*/result.json"))
    assert len(results) == 3
    for result in results:
        values = json.loads(result.read_text())["values"]
        configuration = json.loads((result.parent / "config.json").read_text())["proposal"]["configuration"]
        configuration = configuration["values"]
        assert [values["is_amp"], values["is_nesterov"]] == [configuration["amp"], configuration["nesterov"]]


def test_a_task_from_python_is_passed_alike(tmp_path):
    (tmp_path / "t.py").write_text(FLAGS)
    space = {"amp": {"type": "bool"}}
    task = Task(metric="acc", direction="maximize", space=space, path=tmp_path / "task.yaml",
                objective={"command": ["python", "t.py", "--amp", "{amp}"]})  # fmt: skip
    assert task.objective_ref().command == ("python", "t.py", "{amp:--amp|}")


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("python train.py --lr {lr}", ["--model", "data"]),
        ("python train.py --lr {lr} --model=cnn d.csv", []),
        ("python train.py d.csv --lr {lr} -m cnn", []),
        ("python train.py --mod cnn {--amp} d.csv --lr {lr}", []),
        ("python train.py --layers 3 4 d.csv --model cnn --lr {lr}", ["data"]),
        ("python train.py --amp {amp} --model cnn --lr {lr}", ["data"]),
        ("python train.py --amp {amp} d.csv --model cnn --lr {lr}", []),
    ],
)
def test_what_a_script_requires_and_the_command_lacks_is_warned_of(tmp_path, command, missing):
    (tmp_path / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('data')\n"
        "p.add_argument('--lr', type=float, default=1)\np.add_argument('-m', '--model', required=True)\n"
        "p.add_argument('--layers', nargs='+')\np.add_argument('--amp', action='store_true')\n"
    )
    space = Space({"lr": Float(0.1, 1.0), "amp": Bool()})
    told = passing(command.split(), space, tmp_path).warnings
    assert [w.split(" requires ")[1].split(",")[0] for w in told] == missing
