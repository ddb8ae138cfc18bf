"""What is in the folders is what gets installed, under one import name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = ("agent", "tools", "tui", "prompts")


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)  # the sdist, then the wheel from it
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    got = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = ["git", "ls-files", "-co", "--exclude-standard", "src", *TOP]
    lines = subprocess.check_output(listed, cwd=ROOT, text=True).splitlines()
    files = [line for line in lines if (ROOT / line).is_file()]  # a link to a folder is no file
    wanted = {f.removeprefix("src/") if f.startswith("src/") else f"tunesmith/{f}" for f in files}
    assert got == wanted


@pytest.mark.parametrize("name", TOP)
def test_the_source_package_links_to_the_top_level_folder(name: str) -> None:
    assert (ROOT / "src/tunesmith" / name).resolve() == ROOT / name


def test_no_module_names_a_method_but_its_own_folder_its_registration_and_its_public_class() -> None:
    allowed = ("agent/methods/llambo/", "src/tunesmith/bench/", "src/tunesmith/registry.py")
    listed = subprocess.check_output(["git", "ls-files", "src", *TOP], cwd=ROOT, text=True).splitlines()
    for name in (n for n in listed if n.endswith(".py") and not n.startswith(allowed)):
        text = (ROOT / name).read_text(encoding="utf-8")
        stored = re.sub(r'"llambo[./]\w+"', "", text)  # names of prompts, and of calls in stored events
        if name == "src/tunesmith/__init__.py":
            stored = re.sub(r"LlamboSampler|agent\.methods\.llambo\.sampler", "", stored)
        assert "llambo" not in stored.casefold(), name


def test_a_project_with_folders_of_the_same_names_keeps_its_own(tmp_path: Path) -> None:
    for name in TOP:
        (tmp_path / f"{name}.py").write_text("whose = 'the user'\n")
    code = f"import {', '.join(TOP)}, tunesmith.cli\nprint({', '.join(f'{n}.whose' for n in TOP)})"
    env = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == " ".join(["the user"] * 4), done.stderr


def test_the_public_names_are_these() -> None:
    import tunesmith

    assert tunesmith.__all__ == [
        "Bool",
        "Categorical",
        "DataCard",
        "Float",
        "Int",
        "LlamboSampler",
        "Ordinal",
        "Result",
        "RunFailed",
        "Space",
        "Task",
        "Trial",
        "TunesmithError",
        "TunesmithSampler",
        "beliefs_of",
        "load_task",
        "stop",
        "tune",
    ]
    for name in tunesmith.__all__:
        assert getattr(tunesmith, name).__name__ in (name, "TrialHandle")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_asking_for_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom tunesmith.cli import main\n"
        f"sys.argv = ['tunesmith', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'optuna', 'langchain', 'openai', 'textual', 'sklearn', 'scipy', 'numpy'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded: []", done.stdout + done.stderr


def test_the_terminal_opens_without_libraries_it_does_not_draw_with() -> None:
    code = (
        "import sys, tunesmith.tui.app\n"
        "heavy = {'torch', 'optuna', 'langchain', 'openai', 'sklearn', 'scipy', 'jinja2'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["loaded: []"], done.stdout + done.stderr
