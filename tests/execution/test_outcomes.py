from __future__ import annotations

import pytest

from tunesmith.metric import Reading
from tunesmith.trial import TrialState

HEAD = "import math, os, signal, sys\n"


def test_further_finite_numbers_in_a_dict_are_kept_and_the_rest_is_dropped(bench):
    outcome = bench.run(
        """
        import numpy as np
        def train(config, trial):
            numbers = {"accuracy": np.float32(0.5), "loss": 2, "epochs": np.int64(3)}
            return numbers | {"nan": float("nan"), "note": "x", "flag": True, "array": np.zeros(3)}
        """
    )
    assert outcome.values == {"accuracy": 0.5, "loss": 2.0, "epochs": 3.0}
    assert outcome.peak_memory_mib > 1 and outcome.seconds > 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return {'loss': 1.0}", ["'accuracy'", "'loss'", "Return"]),
        ("return None", ["'accuracy'", "nothing"]),
        ("return {}", ["'accuracy'", "an empty dict"]),
        ("return 'good'", ["'accuracy'", "str 'good'"]),
        ("return {'accuracy': 'good'}", ["no number", "'good'"]),
        ("return {'accuracy': True}", ["no number", "True"]),
        ("return [0.5, 0.6]", ["'accuracy'", "list [0.5, 0.6]"]),
    ],
)
def test_a_return_value_without_the_metric_crashes_and_says_what_was_returned(bench, body, words):
    outcome = bench.run(f"def train(config, trial): {body}")
    assert outcome.state is TrialState.CRASHED
    assert [word for word in words if word not in outcome.message] == []


@pytest.mark.parametrize(
    "body",
    [
        "return math.nan",
        "return {'accuracy': -math.inf}",
        "return 10**400",
        "trial.report(math.nan, 3); return 0.5",
        "trial.report(-math.inf, 3); return 0.5",
    ],
)
def test_a_value_that_is_not_finite_diverges_whether_returned_or_reported(bench, body):
    outcome = bench.run(f"{HEAD}def train(config, trial): {body}")
    assert outcome.state is TrialState.DIVERGED
    assert outcome.values == {} and outcome.curve == ()
    assert "accuracy was" in outcome.message


def test_a_report_that_is_not_finite_stops_the_function_and_stands_even_when_the_error_is_swallowed(bench):
    outcome = bench.run(
        """
        def train(config, trial):
            trial.report(0.5, 0)
            try:
                trial.report(float("inf"), 1)
            except Exception:
                return 0.9
        """
    )
    assert outcome.state is TrialState.DIVERGED
    assert outcome.curve == ((0, 0.5),)
    assert outcome.message == "accuracy was inf at step 1"


def test_an_exception_crashes_with_its_own_last_lines_and_none_of_ours(bench):
    outcome = bench.run(
        """
        def deeper(): raise ValueError("learning rate too large")
        def train(config, trial): deeper()
        """
    )
    assert outcome.state is TrialState.CRASHED
    assert outcome.message == "ValueError: learning rate too large"
    assert "train.py" in outcome.traceback and "in deeper" in outcome.traceback
    assert "tools/execution" not in outcome.traceback
    assert "ValueError" in bench.log()


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError()",
        "raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')",
        "raise type('OutOfMemoryError', (RuntimeError,), {})('no room')",
        "raise ValueError('step failed') from MemoryError()",
        "sys.stderr.write('torch.OutOfMemoryError: CUDA out of memory'); sys.stderr.flush(); os._exit(1)",
    ],
)
def test_running_out_of_memory_is_told_from_a_crash(bench, body):
    assert bench.run(f"{HEAD}def train(config, trial): {body}").state is TrialState.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit(3)", "sys.exit(3)"),
        ("sys.exit()", "sys.exit(None)"),
        ("os._exit(4)", "exited with status 4"),
        ("os._exit(0)", "exited with status 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.abort()", "killed by SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV (segmentation fault"),
    ],
)
def test_a_process_that_ends_by_itself_crashed_and_the_message_says_how(bench, body, words):
    outcome = bench.run(f"{HEAD}def train(config, trial): trial.report(0.5, 1); print('last words'); {body}")
    assert outcome.state is TrialState.CRASHED
    assert words in outcome.message
    assert outcome.curve == ((1, 0.5),), "what was learned until then is kept"
    assert "last words" in bench.log()


def test_a_segmentation_fault_shows_where_python_was(bench):
    outcome = bench.run("import ctypes\ndef train(config, trial): ctypes.string_at(0)")
    assert "Segmentation fault" in outcome.traceback and "in train" in outcome.traceback


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_from_outside_loses_the_trial_and_does_not_blame_it(bench, name):
    outcome = bench.run(
        f"{HEAD}import time\ndef train(config, trial): os.kill(os.getpid(), signal.{name}); time.sleep(5)"
    )
    assert outcome.state is TrialState.LOST
    assert name in outcome.message


def test_a_keyboard_interrupt_that_training_code_raises_is_its_own(bench):
    outcome = bench.run("def train(config, trial): raise KeyboardInterrupt")
    assert (outcome.state, outcome.message) == (TrialState.CRASHED, "KeyboardInterrupt")


def test_what_a_trial_records_in_its_last_moments_after_a_time_limit_comes_too_late(bench):
    outcome = bench.run(
        """
        import signal, time
        def train(config, trial):
            ended = []
            signal.signal(signal.SIGTERM, lambda number, frame: ended.append(1))
            while not ended:
                time.sleep(0.02)
            return 0.9
        """,
        time_limit_s=0.4,
    )
    assert outcome.state is TrialState.TIMED_OUT


def test_a_script_that_cannot_be_imported_crashes_with_its_own_traceback(bench):
    outcome = bench.run("import no_such_library_anywhere\ndef train(config, trial): return 1.0")
    assert outcome.state is TrialState.CRASHED
    assert "no_such_library_anywhere" in outcome.message and "train.py" in outcome.traceback


def test_a_result_that_training_code_scribbled_itself_is_set_aside(bench):
    outcome = bench.run(
        """
        def train(config, trial):
            (trial.folder / "result.json").write_text("{ not an outcome")
            return 0.5
        """
    )
    assert (outcome.state, outcome.values) == (TrialState.COMPLETED, {"accuracy": 0.5})


@pytest.mark.parametrize("seconds", ["1e999", "-1", '"NaN"', "1e300"])
def test_a_result_of_impossible_amounts_is_set_aside(bench, seconds):
    forged = f'{{"state": "completed", "values": {{"accuracy": 1}}, "seconds": {seconds}}}'
    outcome = bench.run(
        f"def train(c, trial): (trial.folder / 'result.json').write_text({forged!r}); return 0.5"
    )
    assert outcome.values == {"accuracy": 0.5} and 0 <= outcome.seconds < 1e6


NUMPY = "import numpy as np; return "


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("import decimal; return decimal.Decimal('0.5')", {"accuracy": 0.5}),
        ("return {'accuracy': '0.5', 'loss': 1}", {"accuracy": 0.5, "loss": 1.0}),
        ("return {'accuracy': [0.5]}", {"accuracy": 0.5}),
        ("return (0.5,)", {"accuracy": 0.5}),
        (NUMPY + "{'accuracy': np.float32(0.5), 'n': np.int64(2)}", {"accuracy": 0.5, "n": 2.0}),
        (NUMPY + "np.array([0.5])", {"accuracy": 0.5}),
        (
            "import collections; return collections.namedtuple('R', 'accuracy loss')(0.5, 1)",
            {"accuracy": 0.5, "loss": 1.0},
        ),
        (
            "import dataclasses; return dataclasses.make_dataclass('R', ['accuracy'])(0.5)",
            {"accuracy": 0.5},
        ),
        ("trial.report(0.4, 1); trial.report(0.5, 2)", {"accuracy": 0.5}),
    ],
)
def test_a_function_may_return_its_metric_in_any_usual_form(bench, body, values):
    outcome = bench.run(f"def train(config, trial): {body}")
    assert (outcome.state, outcome.values) == (TrialState.COMPLETED, values), outcome.message


def test_the_nearest_key_is_named_and_two_numbers_are_none(bench):
    outcome = bench.run("def train(config, trial): return {'loss': 1, 'acc': 0.5}")
    assert outcome.state is TrialState.CRASHED and "Its nearest key is 'acc'." in outcome.message
    outcome = bench.run("def train(config, trial): return {'accuracy': [0.5, 0.6]}")
    assert outcome.state is TrialState.CRASHED and "take: last" in outcome.message
    outcome = bench.run("def train(config, trial): return 0.5, 0.6")
    assert outcome.state is TrialState.CRASHED and "tuple (0.5, 0.6)" in outcome.message


@pytest.mark.parametrize(
    ("take", "returned", "value", "said"),
    [
        ("best", "0.5", 0.9, "best of 4 values of accuracy is taken, at step 1; the last one is 0.5"),
        ("best", "{'accuracy': 0.95}", 0.95, "best of 4"),
        ("best", "{'accuracy': [0.3, 0.97]}", 0.97, "best of 5"),
        ("last", "{'accuracy': (0.3, 0.97)}", 0.97, "last of 5"),
        ("last", "None", 0.7, "last of 3 values of accuracy is taken, at step 2; the best one is 0.9"),
        (None, "None", 0.7, "last of 3"),
        (None, "0.5", 0.5, ""),
    ],
)
def test_the_best_or_the_last_that_a_function_reported_is_taken_and_said(bench, take, returned, value, said):
    text = "def train(c, trial):\n for i, v in enumerate([0.5, 0.9, 0.7]): trial.report(v, i)\n"
    outcome = bench.outcome(bench.start(bench.script(f"{text} return {returned}"), reading=Reading(take)))
    assert outcome.values == {"accuracy": value}
    assert said in " ".join(outcome.notes) and bool(outcome.notes) == bool(said)


def test_further_metrics_are_bounded_and_that_is_told(bench):
    many = "{f'm{n}': n for n in range(20_000)} | {'x' * 500_000: 1.0, 'accuracy': 0.5}"
    outcome = bench.run(f"def train(c, trial): return {many}")
    assert outcome.values["accuracy"] == 0.5 and len(outcome.values) == 101
    assert "19,901 further metrics were left out" in outcome.notes[0]


def test_a_relative_path_that_is_not_there_is_told_with_its_folder(bench):
    outcome = bench.run("def train(config, trial): open('data/x.csv')")
    assert "'data/x.csv' (relative paths count from /" in outcome.message
