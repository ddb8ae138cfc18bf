"""Samples recorded elsewhere, and the commands that carry banks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tunesmith.cli import app
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.bank_table import replay_table

ITEMS = "\n".join(json.dumps({"id": f"q{i}", "input": f"question {i}", "answer": i % 2}) for i in range(4))
STAGES = {
    "retrieve": {"models": ["small", "large"], "samples": [1, 2]},
    "answer": {"models": ["small"], "samples": [1]},
}
PROBLEM = {
    "name": "pipeline",
    "items": "items.jsonl",
    "split": {"search": 4},
    "bank": "bank.sqlite",
    "replay": True,
    "stages": STAGES,
}


def call(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["bank", *map(str, words)])
    return done.exit_code, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "items.jsonl").write_text(ITEMS)
    (tmp_path / "task.yaml").write_text(json.dumps({"name": "t", "problem": PROBLEM}))
    return tmp_path


def table_rows() -> list[str]:
    """Retrieval finds `good` with the large model, and else in the second sample; the answer needs it."""
    rows = ["question,step,llm,previous,response,completion_tokens"]
    for i in range(4):
        rows += [f"q{i},retrieve,small,,{text},7" for text in ("bad", "good")]
        rows += [f"q{i},retrieve,large,,good,9", f"q{i},retrieve,large,,good,9"]
        rows += [f"q{i},answer,small,good,{i % 2},3", f'q{i},answer,small,bad,"not, known",3']
    return rows


COLUMNS = (  # fmt: skip
    "--column",
    "item=question",
    "--column",
    "stage=step",
    "--column",
    "model=llm",
    "--column",
    "output=response",
)


def test_a_table_with_a_row_for_each_sample_is_replayed(folder: Path):
    (folder / "table.csv").write_text("\n".join(table_rows()))
    bank = folder / "bank.sqlite"
    code, said = call("import", folder / "table.csv", bank, "--task", folder / "task.yaml", *COLUMNS)
    assert (code, said.strip()) == (0, f"{bank}: 24 samples")
    settings = PipelineSettings.model_validate({k: v for k, v in PROBLEM.items() if k != "name"})
    whole = replay_table(settings, folder).exhaustive()
    models = [(c.model, c.samples) for c in whole.choices[0]]
    assert whole.scores[:, 0].tolist() == [float(model == "large") for model, _ in models]
    code, said = call("info", bank, "--task", folder / "task.yaml", "--json")
    held = json.loads(said)
    assert code == 0 and held["missing"] == []
    assert [row["samples"] for row in held["held"]] == [1, 2, 2]
    task = json.loads((folder / "task.yaml").read_text())
    task["problem"]["stages"]["retrieve"] = {"models": ["small", "huge"], "samples": [1, 4]}
    (folder / "more.yaml").write_text(json.dumps(task))
    code, said = call("info", bank, "--task", folder / "more.yaml")
    assert code == 1 and "lacks retrieve.model = huge" in said
    assert "lacks retrieve.samples above 2 for retrieve.model = small" in said
    out = folder / "bank.jsonl.gz"
    assert call("export", bank, out)[1].startswith(f"{out}: 24 samples, ")
    assert call("import", out, folder / "again.sqlite")[0] == 0
    code, said = call("import", out, folder / "again.sqlite")
    assert code == 2 and "exists; move it away" in said


def test_a_table_with_semicolons_and_the_stage_of_all_its_rows(folder: Path):
    rows = [f"q{i};{model};Rome, Bern" for i in range(4) for model in ("small", "large")]
    (folder / "table.csv").write_text("\ufeffitem;model;output\r\n" + "\r\n".join(rows), "utf-8")
    words = ("import", folder / "table.csv", folder / "bank.sqlite", "--task", folder / "task.yaml")
    code, said = call(*words)
    assert code == 2 and "--stage NAME" in said.replace("\n", " ")
    code, said = call(*words, "--stage", "nowhere")
    assert code == 2 and "the task has retrieve, answer" in said.replace("\n", " ")
    assert call(*words, "--stage", "retrieve")[0] == 0
    assert "8 samples" in call("export", folder / "bank.sqlite", folder / "b.jsonl")[1]
    assert '"outputs":["Rome, Bern"]' in (folder / "b.jsonl").read_text().replace(": ", ":")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: ["a,b"], "table.csv:1: there is no column 'question' for item; the table has a, b."),
        (
            lambda rows: [*rows, "q9,answer,small,,x,1"],
            "table.csv:26: item is 'q9', which is none of the 4 items",
        ),
        (
            lambda rows: [*rows, "q1,answer,small,,x,many"],
            "table.csv:26: completion_tokens is 'many'; it must be",
        ),
        (lambda rows: [*rows, "q1,answer,,,x,1"], "table.csv:26: model is empty"),
        (lambda rows: [*rows, "q1,answer"], "table.csv:26: the row has not as many fields as the header"),
        (lambda rows: rows[:1], "the table has no rows"),
    ],
    ids=["no column", "unknown item", "no number", "no model", "short row", "empty"],
)
def test_a_fault_of_a_table_is_told_with_its_row_and_column(folder: Path, change, message: str):
    (folder / "table.csv").write_text("\n".join(change(table_rows())))
    code, said = call(
        "import", folder / "table.csv", folder / "bank.sqlite", "--task", folder / "task.yaml", *COLUMNS
    )
    assert code == 2 and message in said.replace("\n", " ")
    assert not list(folder.glob("*bank*")) and not list(folder.glob(".*bank*"))


def test_questions_with_the_branches_of_models_become_items_and_a_bank(folder: Path):
    branches = {
        "small": [{"answer": "4", "tokens": 10}, [["3", "5"], 30, "5"]],
        "large": [{"final_answer": "5"}] * 2,
    }
    (folder / "traces.json").write_text(
        json.dumps([{"question": "2 + 3", "answer": "5", "models": branches}])
    )
    words = ("import", folder / "traces.json", folder / "bank.sqlite", "--items", folder / "new.jsonl")
    assert call(*words, "--stage", "solve")[0] == 0
    settings = PipelineSettings.model_validate(
        {
            "items": "new.jsonl",
            "split": {"search": 1},
            "bank": "bank.sqlite",
            "replay": True,
            "cost_model": "flops",
            "stages": {
                "solve": {
                    "models": {"small": {"parameters": 1.0}, "large": {"parameters": 2.0}},
                    "samples": [1, 2],
                    "tokens": {"prompt": 1, "completion": 20},
                }
            },
        }
    )
    whole = replay_table(settings, folder).exhaustive()
    found = {
        (c.model, c.samples): (s, k)
        for c, s, k in zip(whole.choices[0], whole.scores, whole.costs, strict=True)
    }
    assert found["small", 1] == (0, 2 * (1 + 10)) and found["small", 2] == (0, 2 * (1 + 40))
    assert found["large", 1] == (1, 4 * (1 + 20))
    (folder / "odd.json").write_text(
        '[{"question": "x", "answer": 1, "models": {"small": [{"tokens": "7"}]}}]'
    )
    code, said = call("import", folder / "odd.json", folder / "odd.sqlite")
    assert code == 2 and "odd.json[0].small[0]: tokens is '7'; it must be a number" in said


@pytest.mark.long
def test_recording_by_command_obeys_its_cap_and_goes_on(folder: Path):
    (folder / "stages.py").write_text("def answer(item, previous, *, seed): return seed % 2\n")
    task = json.loads((folder / "task.yaml").read_text())
    task["problem"]["stages"] = {"answer": {"call": "stages.py:answer", "models": ["m"], "samples": [1, 3]}}
    (folder / "task.yaml").write_text(json.dumps(task))
    words = [sys.executable, "-P", "-m", "tunesmith", "bank", "record", "task.yaml", "bank.sqlite"]
    done = subprocess.run([*words, "--calls", "7"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "2 of 4 items, 6 calls, 6 calls" in done.stderr
    assert "tunesmith: 7 calls are made, and the cap is 7. What is recorded is kept" in done.stderr
    code, said = call("record", folder / "task.yaml", folder / "bank.sqlite", "--json")
    assert code == 0 and json.loads(said.splitlines()[0])["calls"] == 12
