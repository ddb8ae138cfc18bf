"""Several metrics, limits and costs as people see them: `run`, `best`, `retrain`, on real runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from tunesmith.cli import app
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.report.build import recorded_history

MARKUP = "m[red]x[/red]|*"
"""A metric's name that is no markup anywhere."""
SCRIPT = """
import json, os
from pathlib import Path
x = json.loads(os.environ["TUNESMITH_CONFIG"])["x"]
(Path(os.environ["TUNESMITH_CHECKPOINT_DIR"]) / "x").write_text(str(x))
seed = int(os.environ["TUNESMITH_SEED"]) % 1000 / 1e6
print(json.dumps({"acc": x + seed, "ms": 10 * x, "m[red]x[/red]|*": 7 + seed}))
"""
TASK = """
metrics: {acc: maximize, ms: minimize, "m[red]x[/red]|*": {}}
limits: {ms: "<= 6", "m[red]x[/red]|*": "<= 8"}
cost: 2 * x + 1
objective: {command: "python train.py --x {x}"}
space: {x: {type: float, low: 0, high: 1}}
default: {x: 0.9}
budget: {trials: 7, cost: 50}
tuner: random
"""


def command(folder: Path, *arguments: object) -> Result:
    """The command in this process, which spares half a second each."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, list(map(str, arguments)))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run `t` that has feasible trials, and a run `none` that has not."""
    folder = tmp_path_factory.mktemp("several")
    (folder / "train.py").write_text(SCRIPT)
    (folder / "t.yaml").write_text(TASK)
    (folder / "none.yaml").write_text(TASK.replace("<= 6", "<= -1").replace("trials: 7", "trials: 3"))
    for name in ("t", "none"):
        ran = command(folder, "run", f"{name}.yaml", "--no-model")
        assert ran.exit_code == 0, ran.output
        (folder / f"{name}.out").write_text(ran.stdout)
    return folder


def history(place: Path, name: str = "t") -> Any:
    return recorded_history(RunFolder.open(place / "runs" / name))


@pytest.mark.long
def test_the_stream_shows_metrics_limits_front_and_cost_in_words(place: Path) -> None:
    out = (place / "t.out").read_text()
    assert "\x1b" not in out and MARKUP in out
    assert f"Maximize acc and minimize ms, with ms <= 6 and {MARKUP} <= 8 in 7 trials of total cost 50" in out
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("x #0"))
    assert lines[first + 1].startswith(f"       ms 9 (breaks <= 6), {MARKUP} 7.000")
    assert lines[first + 1].endswith(", cost 2.8 (47.2 of 50 left)")
    past = history(place)
    assert {t.number for t in past.completed} - {t.number for t in past.feasible} == {
        int(line[3:6]) for line in lines if line.startswith("x #")
    }
    improved = [int(line[3:6]) for line in lines if line.startswith("* #") and "best feasible" in line]
    assert past.incumbent is not None and improved[-1] == past.incumbent.number
    assert "on the front" in out


def test_the_end_has_the_best_feasible_configuration_the_front_and_what_limits_cost(place: Path) -> None:
    past = history(place)
    end = (place / "t.out").read_text().split("Finished:")[1]
    assert f"Best feasible configuration (trial {past.incumbent.number}, acc " in end
    rows = [line for line in end.splitlines() if line.startswith("  #")]
    assert [int(row.split()[0][1:]) for row in rows] == [t.number for t in past.front][:10]
    assert all(len(row) <= 80 for row in rows) and "without ms <= 6" in end


def test_a_run_in_which_nothing_is_feasible_ends_as_any_other_and_names_the_closest(place: Path) -> None:
    end = (place / "none.out").read_text().split("Finished:")[1]
    near = min(history(place, "none").completed, key=lambda t: t.values["ms"])
    assert "3 trials completed, none keeps every limit" in end
    assert f"Closest configuration (trial {near.number}, which is not feasible)" in end
    assert "Best" not in end.split("Report")[0] and "best so far" not in (place / "none.out").read_text()


def test_best_prints_the_best_feasible_and_refuses_with_the_way_where_there_is_none(place: Path) -> None:
    past = history(place)
    said = command(place, "best", "runs/t", "--format", "json")
    assert json.loads(said.stdout) == dict(past.incumbent.configuration)
    assert "best feasible value seen: acc " in said.stderr and f", {MARKUP} 7.000" in said.stderr
    for name in ("best", "retrain"):
        none = command(place, name, "runs/none")
        assert (none.exit_code, none.stdout) == (1, "")
        assert "none keeps every limit" in none.stderr and "--trial" in none.stderr
    number = none.stderr.split("--trial ")[1].split("`")[0]
    asked = command(place, "best", "runs/none", "--trial", number, "--format", "json")
    assert f"trial {number}, as asked for: " in asked.stderr
    assert json.loads(asked.stdout) == dict(history(place, "none").get(int(number)).configuration)
    assert "breaks <= -1" in asked.stderr
    assert f"trial {number}, as asked for: " in asked.stderr and asked.stderr.count(f"trial {number}") == 1


@pytest.mark.long
def test_after_a_limit_is_loosened_no_end_says_that_none_keeps_it(place: Path) -> None:
    text = (place / "none.yaml").read_text()
    (place / "loose.yaml").write_text(text)
    tight = command(place, "run", "loose.yaml", "--no-model").stdout
    (place / "loose.yaml").write_text(text.replace("<= -1", "<= 11"))
    loose = [command(place, "run", "loose.yaml", "--no-model").stdout for _ in range(2)]
    assert "none keeps" in tight
    assert all("Best feasible configuration" in said and "none keeps" not in said for said in loose)
    (place / "loose.yaml").write_text(text.replace("<= -1", "<= 8") + "confirm: {seeds: 1}\n")
    compared = command(place, "run", "loose.yaml", "--no-model").stdout
    (place / "loose.yaml").write_text(text + "confirm: {seeds: 1}\n")
    again = [command(place, "run", "loose.yaml", "--no-model").stdout for _ in range(2)]
    assert "Best configuration" not in compared and "mean acc" in compared
    assert all("none keeps" in said and "mean acc" not in said for said in again), again


def test_the_front_is_given_for_a_file_a_program_and_a_shell(place: Path) -> None:
    past = history(place)
    found = json.loads(command(place, "best", "runs/t", "--front", "--format", "json").stdout)
    assert [row["trial"] for row in found] == [t.number for t in past.front]
    assert [row["values"] for row in found] == [t.values for t in past.front]
    assert [row["configuration"] for row in found] == [dict(t.configuration) for t in past.front]
    argv = command(place, "best", "runs/t", "--front", "--format", "argv").stdout.splitlines()
    assert len(argv) == len(past.front) and all("train.py --x" in line for line in argv)
    documents = list(YAML(typ="safe").load_all(command(place, "best", "runs/t", "--front").stdout))
    assert documents == [dict(t.configuration) for t in past.front]


def test_one_of_the_front_is_chosen_by_another_metric(place: Path) -> None:
    quick = command(place, "best", "t.yaml", "--metric", "ms", "--format", "json")
    past = history(place)
    assert json.loads(quick.stdout)["x"] == min(t.configuration["x"] for t in past.front)
    wrong = {"--metric": MARKUP, "--trial": "99"}
    for option, value in wrong.items():
        assert command(place, "best", "runs/t", option, value).exit_code == 2
    both = command(place, "best", "runs/t", "--front", "--seen")
    assert both.exit_code == 2 and "--seen and --front" in both.stderr


def test_retrain_tells_every_metric_with_its_spread_and_the_limits_that_are_kept(place: Path) -> None:
    past = history(place)
    said = command(place, "retrain", "runs/t", "--seeds", 2)
    assert said.exit_code == 0, said.stderr
    assert "Also        ms " in said.stdout and f"Also        {MARKUP} 7.000" in said.stdout
    assert "ms <= 6 kept on 2 of 2 fresh seeds" in said.stdout
    found = json.loads(command(place, "retrain", "t.yaml", "--seeds", 2, "--json").stdout)
    assert found["trial"] == past.incumbent.number and found["kept"] == {"ms <= 6": 2, f"{MARKUP} <= 8": 2}
    assert found["further"]["ms"]["mean"] == pytest.approx(past.incumbent.values["ms"])
    assert found["further"][MARKUP]["low"] < found["further"][MARKUP]["mean"] and found["broken"] == []
    over = json.loads(command(place, "retrain", "runs/none", "--trial", 0, "--seeds", 1, "--json").stdout)
    assert over["kept"]["ms <= -1"] == 0 and over["broken"] == ["ms <= -1"]
