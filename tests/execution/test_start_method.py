from __future__ import annotations

from tunesmith.trial import TrialState

PRINT_PARENT = """
import sys
def train(config, trial):
    if trial.number >= 0:
        trial.report(0.5, 0)
        assert not trial.should_prune()
    return {"accuracy": config["x"], "loaded": float("noisy_library" in sys.modules)}
"""


def test_a_preloaded_library_is_there_when_the_trial_starts(own_bench, monkeypatch):
    maker = own_bench()
    (maker.root / "noisy_library.py").write_text("print('loading')")
    monkeypatch.setenv("PYTHONPATH", str(maker.root))
    bench = own_bench(1, ["noisy_library"])
    outcome = bench.run(PRINT_PARENT)
    assert outcome.values == {"accuracy": 1.5, "loaded": 1.0}
    assert bench.executor.start_method == "fork" and bench.executor.warnings == []
    assert "loading" not in bench.log()


def test_a_library_that_starts_a_thread_makes_every_trial_a_plain_process_and_it_is_said_once(
    own_bench, monkeypatch
):
    maker = own_bench()
    (maker.root / "noisy_library.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    monkeypatch.setenv("PYTHONPATH", str(maker.root))
    received = []
    bench = own_bench(1, ["noisy_library"], warn=received.append)
    for _ in range(2):
        assert bench.run(PRINT_PARENT).values == {"accuracy": 1.5, "loaded": 0.0}
    assert bench.executor.start_method == "spawn"
    assert received == bench.executor.warnings
    (warning,) = received
    assert "noisy_library started 1 further thread" in warning


def test_a_library_that_cannot_be_loaded_in_advance_is_named_and_costs_no_more(own_bench):
    bench = own_bench(1, ["no_such_library_anywhere"])
    assert bench.run(PRINT_PARENT).state is TrialState.COMPLETED
    (warning,) = bench.executor.warnings
    assert "no_such_library_anywhere" in warning and bench.executor.start_method == "fork"


def test_a_plain_process_does_all_that_a_forked_one_does(own_bench):
    bench = own_bench(2, start_method="spawn")
    assert bench.run(PRINT_PARENT).values["accuracy"] == 1.5
    assert bench.run("def train(config, trial): 1 / 0").message == "ZeroDivisionError: division by zero"
    assert bench.run("import os\ndef train(config, trial): os._exit(3)").state is TrialState.CRASHED
    slow = bench.run("import time\ndef train(config, trial): time.sleep(60)", time_limit_s=1.0)
    assert slow.state is TrialState.TIMED_OUT
