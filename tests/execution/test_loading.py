from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import ObjectiveError
from tunesmith.objective import Objective
from tunesmith.tools.execution.loading import check_objective
from tunesmith.tools.execution.pickling import pickle_objective
from tunesmith.trial import TrialState


def test_dataclasses_pickle_and_files_beside_the_script_work_inside_it(bench):
    (bench.root / "model.py").write_text("import train\nSIZE = 4\n")
    outcome = bench.run(
        """
        from __future__ import annotations
        import dataclasses, multiprocessing, pickle, sys
        import model

        @dataclasses.dataclass
        class Settings:
            x: float
            kind: type[int] = int

        def square(n): return n * n

        def train(config, trial):
            assert pickle.loads(pickle.dumps(Settings(2.0))) == Settings(2.0)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                squared = pool.map(square, [model.SIZE])
            return {"accuracy": squared[0], "main": float(__name__ == "__main__")}
        """
    )
    assert outcome.values == {"accuracy": 16.0, "main": 0.0}, outcome.traceback


def test_a_script_named_like_a_library_is_loaded_and_the_library_too(bench):
    script = bench.script("import json\ndef train(c, t): return len(json.dumps({}))", name="pickle.py")
    job = bench.start(Objective(function=f"{script}:train", workdir=bench.root))
    assert bench.outcome(job).values == {"accuracy": 2.0}


def test_a_guarded_script_does_not_start(bench):
    outcome = bench.run(
        "def train(config, trial): return 0.5\nif __name__ == '__main__': raise SystemExit('started')"
    )
    assert outcome.state is TrialState.COMPLETED


def test_a_sound_objective_passes_the_check(tmp_path: Path):
    script = tmp_path / "train.py"
    script.write_text("import beside\ndef train(config, trial): raise AssertionError('not to be run')")
    (tmp_path / "beside.py").write_text("")
    check_objective(Objective(function=f"{script}:train"))
    check_objective(pickle_objective(lambda config, trial: 1.0, tmp_path / "o.pkl"))
    check_objective(Objective(command=("python", "train.py", "--x", "{x}"), workdir=tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_library_anywhere", r"(?s)cannot be imported.*train.py.*no_such_library_anywhere"),
        ("def train(: pass", r"(?s)cannot be imported.*SyntaxError"),
        ("def fit(config, trial): pass", "no function 'train'; it defines fit"),
        ("train = 3", "no function 'train'"),
        ("import sys; sys.exit(0)", r"(?s)cannot be imported.*SystemExit"),
        ("import os; os._exit(5)", "ended its process.*status 5"),
        ("import os; os.kill(os.getpid(), 11)", "ended its process.*status -11"),
    ],
)
def test_a_broken_script_is_refused_with_its_own_words(tmp_path: Path, text, words):
    (tmp_path / "train.py").write_text(text)
    with pytest.raises(ObjectiveError, match=words):
        check_objective(Objective(function=f"{tmp_path}/train.py:train"))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Objective(function="/nowhere/train.py:train"), "/nowhere/train.py: no such file"),
        (Objective(function="/nowhere/train.py"), "write `file.py:function`"),
        (Objective(command=()), "empty"),
        (Objective(command=("no-such-program-anywhere",)), "no such program"),
        (Objective(command=("python", "missing.py"), workdir=Path("/")), "missing.py is no file"),
    ],
)
def test_what_is_not_there_is_named(objective, words):
    with pytest.raises(ObjectiveError, match=words):
        check_objective(objective)


def test_a_check_does_not_show_the_script_any_key(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    (tmp_path / "train.py").write_text(
        "import os\nassert 'OPENAI_API_KEY' not in os.environ\ndef train(config, trial): ..."
    )
    check_objective(Objective(function=f"{tmp_path}/train.py:train"))
