"""Whose Python trains: the task's, the caller's active one, or Tunesmith's own; in plain environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith
from tunesmith.errors import ObjectiveError
from tunesmith.objective import Objective
from tunesmith.tools.execution.interpreter import choose
from tunesmith.tools.execution.own_module import module_command
from tunesmith.tools.execution.preload import discover
from tunesmith.tools.execution.starting import search_path, started
from tunesmith.trial import TrialState

WORKER_MODULES = ("child", "warm_parent", "supervisor", "loading", "channel", "preload", "causes", "handle")
WHO = """
import sys
def train(config, trial):
    from tunesmith.training import Pruned
    try:
        import pydantic
    except ImportError:
        pydantic = None
    trial.report(0.1, 0)
    trial.should_prune()
    print("prefix", sys.prefix)
    return {"accuracy": 0.5, "has_pydantic": float(pydantic is not None)}
"""


def plain_environment(folder: Path, base: str = sys.executable) -> Path:
    """A virtual environment with nothing in it; returns its Python."""
    if base == sys.executable:
        venv.create(folder, symlinks=True, with_pip=False)
    else:
        subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_environment(tmp_path_factory.mktemp("plain") / ".venv")


def other_pythons() -> list[str]:
    """Pythons of other versions on this machine, oldest and newest of those that can call a function."""
    names = [f"python3.{minor}" for minor in (9, 10, 12, 13) if minor != sys.version_info.minor]
    shims = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [str(next(iter(sorted(shims.glob(f"{name[6:]}.*/bin/python"))), "")) for name in names]
    usable = [python or shutil.which(name) or "" for python, name in zip(found, names, strict=True)]
    usable = [python for python in usable if python and not Path(python).read_bytes().startswith(b"#!")]
    return [usable[0], usable[-1]] if len(usable) > 1 else usable


def test_a_function_runs_in_an_environment_with_the_standard_library_only(own_bench, plain: Path):
    bench = own_bench(1, objective=Objective(function="x.py:train", python=str(plain)))
    script = bench.script(WHO)
    job = bench.start(Objective(function=f"{script}:train", workdir=bench.root, python=str(plain)))
    assert bench.outcome(job).values == {"accuracy": 0.5, "has_pydantic": 0.0}
    assert f"prefix {plain.parents[1]}" in bench.log()
    assert bench.executor.start_method == "fork"


def test_an_executor_of_our_own_python_starts_a_job_of_another_by_itself(bench, plain: Path):
    script = bench.script(WHO)
    job = bench.start(Objective(function=f"{script}:train", workdir=bench.root, python=str(plain)))
    assert bench.outcome(job).values["has_pydantic"] == 0.0


def test_a_command_runs_beside_a_function_of_another_python(own_bench, plain: Path):
    bench = own_bench(1, objective=Objective(function="x.py:train", python=str(plain)))
    code = "import sys; print(sys.prefix); print('{\"accuracy\": 0.5}')"
    job = bench.start(Objective(command=("python", "-c", code), workdir=bench.root, python=str(plain)))
    assert bench.outcome(job).state is TrialState.COMPLETED
    assert str(plain.parents[1]) in bench.log()


@pytest.mark.parametrize("python", other_pythons())
def test_the_worker_runs_in_other_versions_of_python(own_bench, python: str):
    bench = own_bench(1, objective=Objective(function="x.py:train", python=python))
    script = bench.script(
        """
        import sys
        def train(config, trial):
            if config["x"] > 1:
                trial.report(0.2, 0)
                return {"accuracy": 0.5, "minor": sys.version_info[1]}
            raise KeyError("here")
        """
    )
    objective = Objective(function=f"{script}:train", workdir=bench.root, python=python)
    done = bench.outcome(bench.start(objective))
    assert done.state is TrialState.COMPLETED, done
    assert done.values["minor"] != sys.version_info.minor
    failed = bench.outcome(bench.start(objective, configuration={"x": 0.5}))
    assert failed.message == "KeyError: 'here'"


def test_the_modules_of_a_worker_need_the_standard_library_only(plain: Path):
    code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"
    names = [f"tunesmith.tools.execution.{name}" for name in WORKER_MODULES]
    package = module_command("x", str(plain))[2]
    boot = f"import sys; sys.path.insert(0, {str(Path(package).parent)!r}); " + code
    done = subprocess.run([str(plain), "-c", boot, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def world(tmp_path: Path, plain: Path):
    """A script and an objective, and ways to make Pythons of every kind."""

    class World:
        root = tmp_path
        script = tmp_path / "train.py"
        own = sys.executable
        venv = plain

        def fake(self, name: str, body: str) -> Path:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"#!/bin/sh\n{body}\n")
            file.chmod(0o755)
            return file

        def chosen(self, text: str = "", *, command: bool = True, python: str | None = None, **env: str):
            self.script.write_text(text)
            kind = {"command": ("python", "train.py")} if command else {"function": f"{self.script}:train"}
            environ = {"PATH": "/nonexistent", **env}
            return choose(Objective(**kind, workdir=tmp_path, python=python), environ)

    return World()


def test_an_active_environment_comes_first_and_the_one_on_path_before_another(world):
    prefix = str(world.venv.parents[1])
    assert world.chosen(VIRTUAL_ENV=prefix).path == str(world.venv)
    assert "VIRTUAL_ENV" in world.chosen(VIRTUAL_ENV=prefix).why
    both = {"VIRTUAL_ENV": sys.prefix, "CONDA_PREFIX": prefix}
    assert world.chosen(**both).own
    assert world.chosen(**both, PATH=f"{prefix}/bin:{sys.prefix}/bin").path == str(world.venv)


def test_an_environment_on_path_is_taken_without_being_activated(world):
    found = world.chosen(PATH=f"{world.venv.parent}:/usr/bin:/bin")
    assert (found.path, found.own) == (str(world.venv), False)


def test_an_active_environment_that_is_gone_is_told(world):
    found = world.chosen(VIRTUAL_ENV=str(world.root / "deleted"))
    assert found.own and "deleted has no bin/python" in found.why


def test_a_plain_python_on_path_is_taken_only_if_it_has_what_the_script_imports(world):
    answer = """echo '["/x/python", [3, 12, 1], "/x", "/x", false, [%s]]'"""
    bare = world.fake("bare/python", answer % '"pydantic"').parent
    rich = world.fake("rich/python", answer % "").parent
    found = world.chosen("import pydantic\n", PATH=str(bare))
    assert found.own and "has no pydantic" in found.why
    assert world.chosen("import pandas_like_thing\n", PATH=str(rich)).path == str(rich / "python")
    assert world.chosen("import os\n", PATH=str(rich)).path == str(rich / "python")
    assert world.chosen("import os\n", PATH=str(rich), command=False).own


def test_a_wrapper_on_path_is_what_the_caller_means(world):
    file = world.fake("bin/python", f'exec {world.venv} "$@"')
    found = world.chosen(PATH=f"{file.parent}:/usr/bin:/bin")
    assert (found.path, found.own) == (str(file), False)


@pytest.mark.parametrize("body", ["exit 127", "echo no", "echo '[1]'"])
def test_what_is_no_python_is_passed_over(world, body):
    file = world.fake("bin/python", body)
    assert world.chosen(PATH=f"{file.parent}:/usr/bin:/bin").path != str(file)


def test_missing_modules_of_the_chosen_python_are_named(world):
    found = world.chosen("import pydantic, no_such_thing, os", VIRTUAL_ENV=str(world.venv.parents[1]))
    assert found.missing == ("no_such_thing", "pydantic")
    assert "does not find no_such_thing, pydantic" in found.line()


@pytest.mark.parametrize("named", ["nothing/here", "a_folder", "a_file", "no-such-program-here"])
def test_a_python_that_is_none_is_refused_with_the_fix(world, named):
    (world.root / "a_folder").mkdir()
    (world.root / "a_file").write_text("text")
    path = named if "-" in named else str(world.root / named)
    with pytest.raises(ObjectiveError, match="python: .venv/bin/python"):
        world.chosen(python=path)


def test_an_old_python_may_run_a_command_and_no_function(world):
    old = world.fake("old/python", """echo '["/x/python", [3, 6, 15], "/x", "/x", false, []]'""")
    assert world.chosen(python=str(old)).version == "3.6.15"
    with pytest.raises(ObjectiveError, match=r"3\.6\.15.*needs 3\.9"):
        world.chosen(python=str(old), command=False)


def test_the_first_word_of_a_command_is_the_python_of_the_trials(tmp_path: Path):
    for name, first, mode in [
        ("env.py", "#!/usr/bin/env python3", 0o755),
        ("bare.py", "import os", 0o644),
        ("own.py", "#!/opt/python", 0o755),
        ("off.py", "#!/opt/python", 0o644),
    ]:
        (tmp_path / name).write_text(f"{first}\n")
        (tmp_path / name).chmod(mode)
    cases = {
        ("python", "x.py", "{lr}"): ["/e/bin/python", "x.py", "{lr}"],
        ("python3", "-m", "x"): ["/e/bin/python", "-m", "x"],
        ("env.py", "--a"): ["/e/bin/python", "env.py", "--a"],
        ("./env.py",): ["/e/bin/python", "./env.py"],
        ("bare.py",): ["/e/bin/python", "bare.py"],
        ("own.py", "1"): ["./own.py", "1"],
        ("off.py",): ["/e/bin/python", "off.py"],
        ("gone.py",): ["gone.py"],
        ("env", "A=b=c", "python", "x=1"): ["env", "A=b=c", "/e/bin/python", "x=1"],
        ("env", "-i", "python"): ["env", "-i", "python"],
        ("torchrun", "python"): ["torchrun", "python"],
    }
    for command, expected in cases.items():
        assert started(command, tmp_path, "/e/bin/python") == expected


def test_programs_of_the_environment_are_found_first_and_a_plain_python_moves_nothing(plain: Path):
    assert search_path({"PATH": "/usr/bin:/bin"}, str(plain)) == f"{plain.parent}:/usr/bin:/bin"
    assert search_path({"PATH": f"{plain.parent}:/bin"}, str(plain)) == f"{plain.parent}:/bin"
    assert search_path({"PATH": "/a:/b"}, "/opt/x/python3.12") == "/a:/b"


def test_what_a_python_has_installed_is_asked_of_it(tmp_path: Path):
    python = plain_environment(tmp_path / "env")
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    overlay, project, target = tmp_path / "overlay", tmp_path / "project", tmp_path / "target"
    for folder, package in [
        (site, "inside"),
        (overlay, "over"),
        (project / "src", "mine"),
        (target, "aimed"),
    ]:
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("")
    (overlay / "over-1.0.dist-info").mkdir()
    (target / "aimed-1.0.dist-info").mkdir()
    (site / "ways.pth").write_text(f"{overlay}\n{project / 'src'}\n{target}\n")
    (project / "src" / "mine" / "__init__.py").write_text("from .deep import f\n")
    (project / "src" / "mine" / "deep.py").write_text("import over.sub, json\n")
    (overlay / "over" / "sub.py").write_text("")
    script = tmp_path / "train.py"
    script.write_text("import inside, mine, aimed, numpy\n")
    objective = Objective(function=f"{script}:train", workdir=tmp_path, python=str(python))
    assert discover(objective).modules == ["aimed", "inside", "over.sub"]
    assert discover(replace(objective, python=str(tmp_path / "gone"))).fault


TASK = """
metric: accuracy
direction: maximize
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 2}
tuner: random
"""


def test_the_comparison_by_a_function_needs_a_python_that_can_call_it(tmp_path: Path):
    (tmp_path / "old").write_text("""#!/bin/sh\necho '["/x/python", [3, 6, 15], "/x", "/x", false, []]'\n""")
    (tmp_path / "old").chmod(0o755)
    (tmp_path / "train.py").write_text(WHO)
    task = (
        "objective: {command: 'python train.py {x}'}\npython: ./old\nconfirm: {function: 'train.py:train'}\n"
    )
    (tmp_path / "task.yaml").write_text(TASK + task)
    done = tunesmith("check", "task.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "needs 3.9 or later" in done.stderr.replace("\n", " "), done


def test_a_function_of_another_python_starts_as_a_process_of_its_own_too(own_bench, plain: Path):
    bench = own_bench(1, objective=Objective(function="x.py:train", python=str(plain)), start_method="spawn")
    script = bench.script(WHO)
    job = bench.start(Objective(function=f"{script}:train", workdir=bench.root, python=str(plain)))
    assert bench.outcome(job).values["has_pydantic"] == 0.0


def test_a_run_names_its_python_and_uses_it_for_the_comparison_too(tmp_path: Path, plain: Path):
    (tmp_path / "train.py").write_text(WHO.replace("0.5", "config['x']"))
    confirm = "default: {x: 0.0}\nconfirm: {function: 'train.py:train', seeds: 1, most: 1}\n"
    prefix = os.path.relpath(plain.parents[1], tmp_path)
    task = TASK + f"objective: train.py:train\npython: {prefix}\n" + confirm
    (tmp_path / "task.yaml").write_text(task)
    checked = tunesmith("check", "task.yaml", cwd=tmp_path)
    assert f"python     {plain} (" in checked.stdout, checked
    done = tunesmith("run", "task.yaml", "--no-model", cwd=tmp_path)
    assert done.returncode == 0, done
    assert f"Python of the trials: {plain}" in done.stdout.replace("\n", "")
    logs = list((tmp_path / "runs").rglob("log.txt"))
    assert len(logs) == 4
    assert all(f"prefix {plain.parents[1]}" in log.read_text() for log in logs)


def test_a_package_that_the_python_lacks_is_told_with_the_fix_and_another_python_on_resuming(
    tmp_path: Path, plain: Path
):
    for kind in ("import numpy", "def train(config, trial): import numpy"):
        (tmp_path / "train.py").write_text(kind)
        function = "{command: 'python train.py {x}'}" if kind == "import numpy" else "train.py:train"
        (tmp_path / "task.yaml").write_text(TASK + f"objective: {function}\n")
        prefix = str(plain.parents[1])
        tunesmith("run", "task.yaml", "--no-model", "--name", kind[:3], cwd=tmp_path, VIRTUAL_ENV=prefix)
        result = (tmp_path / "runs" / kind[:3] / "trials" / "00000" / "result.json").read_text()
        assert f"(not in {plain}: install it there, or name another Python by `python:`" in result
    done = tunesmith("run", "task.yaml", "--no-model", "--name", "def", "--trials", "3", cwd=tmp_path)
    assert f"Earlier trials of this run ran in another Python: {plain}" in done.stdout.replace("\n", "")


def test_a_python_that_is_missing_names_its_key_and_line(tmp_path: Path):
    (tmp_path / "train.py").write_text(WHO)
    (tmp_path / "task.yaml").write_text(TASK + "objective: train.py:train\npython: .venv/bin/python\n")
    for command in ("check", "run"):
        done = tunesmith(command, "task.yaml", cwd=tmp_path)
        assert done.returncode == 2
        assert "task.yaml:8: python:" in done.stderr.replace("\n", ""), done
        assert "there is no such Python" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "runs").exists()
