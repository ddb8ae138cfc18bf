from __future__ import annotations

from tunesmith.objective import Objective
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


def test_a_file_of_a_package_may_import_from_it_by_dots(bench):
    for folder, names in {"proj": True, "loose/models": False}.items():
        place = bench.root / folder
        place.mkdir(parents=True)
        (place / "net.py").write_text("SIZE = 4\n")
        if names:
            (place / "__init__.py").write_text("from .train import train\n")
        (place / "train.py").write_text(
            "import pickle\nfrom .net import SIZE\nclass Net: pass\n"
            "def train(config, trial):\n    pickle.dumps(Net())\n    return SIZE\n"
        )
        job = bench.start(Objective(function=f"{place}/train.py:train", workdir=bench.root))
        outcome = bench.outcome(job)
        assert outcome.values == {"accuracy": 4.0}, outcome.traceback
