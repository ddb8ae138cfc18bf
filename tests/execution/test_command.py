from __future__ import annotations

import pytest

from tunesmith.argv import arguments
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.task.command import RESERVED, placeholders
from tunesmith.tools.execution.base import Resources
from tunesmith.tools.execution.sessions import has_ended
from tunesmith.trial import TrialState


@pytest.fixture
def command(bench):
    """Runs a script by command line and returns its outcome."""

    def run(text: str, *words: str, prune=lambda report: False, **options):
        script = bench.script(text, name="script.py")
        objective = Objective(command=("python", str(script), *words), workdir=bench.root)
        job = bench.start(objective, **options)
        return bench.outcome(job, prune=prune)

    return run


def test_reports_and_the_result_come_from_lines_of_json(bench, command):
    outcome = command(
        """
        import json
        print("starting")
        for step in range(3):
            print(json.dumps({"step": step, "accuracy": step / 10, "note": "kept out"}))
        print('{"other": 1}')
        print('{"accuracy": 0.9, "loss": 0.25}', end="")
        """
    )
    assert (outcome.state, outcome.values) == (TrialState.COMPLETED, {"accuracy": 0.9, "loss": 0.25})
    assert outcome.curve == ((0, 0.0), (1, 0.1), (2, 0.2))
    assert bench.log() == 'starting\n{"other": 1}\n'


@pytest.mark.parametrize("value", ["-1", "a b", "$(touch pwned)", "*", "{x}", "é\n'\"", ""])
def test_a_value_stays_one_argument_and_no_shell_sees_it(bench, command, value):
    outcome = command(
        """
        import json, sys
        assert json.loads(sys.argv[2]) == {"x": sys.argv[1]}, sys.argv
        print(json.dumps({"accuracy": len(sys.argv)}))
        """,
        "{x}",
        "{config}",
        configuration={"x": value},
    )
    assert outcome.values == {"accuracy": 3.0}, outcome.traceback
    assert not (bench.root / "pwned").exists()


def test_the_environment_tells_everything_and_holds_no_key(command, monkeypatch):
    outcome = command(
        """
        import json, os, pathlib, sys
        config = json.loads(os.environ["TUNESMITH_CONFIG"])
        assert config == {"x": 1e-05, "on": True, "name": "adam w"}, config
        assert os.environ["TUNESMITH_SEED"] == "7" == sys.argv[1]
        assert os.environ["TUNESMITH_CHECKPOINT_DIR"] == sys.argv[2] and pathlib.Path(sys.argv[2]).is_dir()
        assert int(os.environ["TUNESMITH_TRIAL"]) >= 0
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert pathlib.Path.cwd() == pathlib.Path(__file__).parent
        print(json.dumps({"accuracy": float(sys.argv[3].removeprefix("--x=")), "on": sys.argv[4] == "true"}))
        """,
        *("{seed}", "{checkpoint_dir}", "--x={x}", "{on}"),
        configuration={"x": 1e-05, "on": True, "name": "adam w"},
        resources=Resources(cpus=2),
    )
    assert outcome.values == {"accuracy": 1e-05}, outcome.traceback


PATIENT = """
import json, os, signal, sys, time
signal.signal(signal.SIGTERM, lambda number, frame: (print("asked to end", flush=True), {then}))
for step in range(100_000):
    print(json.dumps({{"step": step, "accuracy": 0.5}}))
    time.sleep(0.05)
"""


@pytest.mark.parametrize(
    "then", ["sys.exit(0)", "sys.exit(1)", "print('no')"], ids=["ends well", "ends badly", "goes on"]
)
def test_a_verdict_to_stop_ends_the_command_and_prunes_the_trial(bench, command, then):
    outcome = command(PATIENT.format(then=then), prune=lambda report: report.step >= 2)
    assert outcome.state is TrialState.PRUNED
    assert outcome.curve[:3] == ((0, 0.5), (1, 0.5), (2, 0.5))
    assert "asked to end" in bench.log()


@pytest.mark.long
def test_a_time_limit_leaves_the_command_its_grace(bench, command):
    outcome = command(PATIENT.format(then="(time.sleep(0.3), print('saved'), sys.exit(0))"), time_limit_s=4.0)
    assert outcome.state is TrialState.TIMED_OUT
    assert "saved" in bench.log()


@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        ("raise ValueError('no good')", TrialState.CRASHED, "status 1; its last line: ValueError: no good"),
        ("import os; os.kill(os.getpid(), 11)", TrialState.CRASHED, "killed by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", TrialState.CRASHED, "killed by SIGKILL"),
        ("raise MemoryError", TrialState.OUT_OF_MEMORY, "status 1"),
        ("print('{\"accuracy\": 0.5}'); raise SystemExit(2)", TrialState.CRASHED, "status 2"),
        ("print('nothing')", TrialState.CRASHED, "without printing 'accuracy'"),
        ("print('{\"accuracy\": NaN}')", TrialState.DIVERGED, "accuracy was nan"),
        ('print(\'{"step": 1, "accuracy": Infinity}\'); input()', TrialState.DIVERGED, "inf at step 1"),
        ('print(\'{"step": 1, "accuracy": "high"}\')', TrialState.CRASHED, "no number"),
        ("print('[' * 100000); print('{\"a\":' * 100000)", TrialState.CRASHED, "without printing"),
    ],
    ids=lambda value: value if isinstance(value, TrialState) else None,
)
def test_a_command_that_fails_has_a_typed_outcome(command, text, state, words):
    outcome = command(text)
    assert outcome.state is state
    assert words in outcome.message


def test_what_a_command_leaves_behind_neither_delays_its_end_nor_survives_it(bench, command):
    outcome = command(
        """
        import pathlib, subprocess, sys
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        pathlib.Path("left").write_text(str(left.pid))
        print('{"accuracy": 0.5}')
        """
    )
    assert outcome.values == {"accuracy": 0.5}
    assert has_ended(int((bench.root / "left").read_text()))


def test_a_progress_bar_colours_and_logging_on_stderr_hide_no_result(command):
    outcome = command(
        """
        import json, logging, sys
        logging.basicConfig(level=logging.INFO)
        for epoch in range(1, 4):
            for i in range(50):
                sys.stderr.write(f"\\rEpoch {epoch}: {i}it [00:00, loss={i / 7:.3f}]")
            logging.info({"epoch": epoch, "accuracy": epoch / 10, "loss": 1.0})
        """
    )
    assert (outcome.state, outcome.values) == (TrialState.COMPLETED, {"accuracy": 0.3, "loss": 1.0})
    assert outcome.curve == ((1, 0.1), (2, 0.2), (3, 0.3))
    assert outcome.notes == ("The last of 3 values of accuracy is taken, at step 3.",)


def test_a_line_of_text_is_read_by_the_tasks_pattern_and_the_best_is_taken(command):
    text = "for i, v in enumerate([0.5, 0.9, 0.7]): print(f'epoch {i} loss 2.5 acc {v}')"
    reading = Reading("best", r"epoch (?P<step>\d+) .*acc (?P<value>[0-9.]+)")
    outcome = command(text, reading=reading)
    assert (outcome.values, outcome.curve) == ({"accuracy": 0.9}, ((0, 0.5), (1, 0.9), (2, 0.7)))
    assert "best of 3" in outcome.notes[0] and "at step 1; the last one is 0.7" in outcome.notes[0]
    failed = command(text)
    assert failed.state is TrialState.CRASHED and "line 3, `epoch 2 loss 2.5 acc 0.7`" in failed.message


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("r.json", '{"accuracy": 0.5, "loss": 2}', {"accuracy": 0.5, "loss": 2.0}),
        ("{checkpoint_dir}/r.jsonl", '{"epoch": 1, "accuracy": 0.5}\\n{"epoch": 2, "accuracy": 0.75}',
         {"accuracy": 0.75}),
        ("r-{number}.csv", "epoch,accuracy,loss\\n0,0.5,2\\n1,0.75,1\\n", {"accuracy": 0.75}),
    ],
)  # fmt: skip
def test_results_are_read_from_a_file_that_the_script_writes(command, name, text, values):
    script = f"""
        import os, pathlib
        name = {name!r}.replace("{{checkpoint_dir}}", os.environ["TUNESMITH_CHECKPOINT_DIR"])
        name = name.replace("{{number}}", os.environ["TUNESMITH_TRIAL"])
        pathlib.Path(name).write_text("{text.replace(chr(34), chr(92) + chr(34))}")
    """
    assert command(script, reading=Reading(file=name)).values == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pass", "was not written by this trial"),
        (
            "pathlib.Path('r.json').write_text('{\"acc\": 1}')",
            "line 1 has `acc`, the task asks for `accuracy`",
        ),
        ("pathlib.Path('r.json').unlink(); os.mkfifo('r.json')", "no regular file"),
    ],
)
def test_a_result_file_that_is_old_wrong_or_no_file_is_told(bench, command, text, words):
    (bench.root / "r.json").write_text('{"accuracy": 0.5}')
    outcome = command(f"import os, pathlib\n{text}", reading=Reading(file="r.json"))
    assert outcome.state is TrialState.CRASHED and words in outcome.message


def test_inactive_hyperparameters_take_their_option_with_them():
    command = [
        "python",
        "t.py",
        "--opt",
        "{opt}",
        "--momentum",
        "{momentum}",
        "--beta={beta}",
        "-v",
        "{opt}-{beta}",
        "x",
    ]
    assert arguments(command, {"opt": "sgd", "momentum": 0.9, "beta": 0.1})[0] == [
        *("python", "t.py", "--opt", "sgd", "--momentum", "0.9", "--beta=0.1", "-v", "sgd-0.1", "x")
    ]
    made, missing = arguments(command, {"opt": "adam"})
    assert made == ["python", "t.py", "--opt", "adam", "x"]
    assert missing == ["momentum", "beta", "beta"]


def test_every_name_that_a_task_file_may_use_is_filled_in_and_other_braces_are_left_alone():
    command = ["train", '{"lr": {lr}}', "{}", "{{x}}", *(f"{{{name}}}" for name in RESERVED)]
    values = {name: name.upper() for name in placeholders(command)}
    assert arguments(command, values) == (
        ["train", '{"lr": LR}', "{}", "{X}", *(name.upper() for name in RESERVED)],
        [],
    )


def test_configurations_reach_the_command_exactly(command):
    values = {"f": 0.1 + 0.2, "tiny": 5e-324, "i": 2**53 + 1, "s": "a,b=c"}
    outcome = command(
        "import json, sys; print(json.dumps({'accuracy': 1, 'same': int(sys.argv[1:] == "
        "['0.30000000000000004', '5e-324', '9007199254740993', 'a,b=c'])}))",
        *(f"{{{name}}}" for name in values),
        configuration=values,
    )
    assert outcome.values == {"accuracy": 1.0, "same": 1.0}


def test_without_a_result_the_last_report_is_it(command):
    outcome = command('print(\'{"step": 5, "accuracy": 0.5}\\n{"step": 2, "accuracy": 0.25}\')')
    assert (outcome.state, outcome.values) == (TrialState.COMPLETED, {"accuracy": 0.25})


def test_a_command_that_is_not_there_is_named(bench):
    job = bench.start(Objective(command=("no-such-program-anywhere", "{x}")))
    outcome = bench.outcome(job)
    assert outcome.state is TrialState.CRASHED
    assert "no-such-program-anywhere" in outcome.message
