"""docs/pipelines.md is true to the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunesmith.pipeline.models import ModelSettings
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import StageSettings
from tunesmith.pipeline.templates import NAMES, template
from tunesmith.task import load_task

TEXT = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text(encoding="utf-8")


def keys(first_line: str) -> set[str]:
    """What the first cells of a table name."""
    table = TEXT[TEXT.index(first_line) :].partition("\n\n")[0]
    return {key for line in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", line.split(" | ")[0])}


def test_every_key_is_documented_and_no_other():
    body = TEXT[TEXT.index("## The kind's keys") :]
    of_kind, _, of_stage = body.partition("## A stage")
    found = re.findall(r"^\| `(\w+)` \|", of_kind, flags=re.M)
    assert sorted(found) == sorted([*PipelineSettings.model_fields, "template"])
    found = re.findall(r"^\| `(\w+)` \|", of_stage.partition("| key of a model")[0], flags=re.M)
    assert sorted(found) == sorted(StageSettings.model_fields)
    assert keys("| key of a model |") == set(ModelSettings.model_fields)


def test_the_templates_are_documented_as_they_are():
    for name in NAMES:
        shape = template(name)
        line = next(
            line for line in TEXT.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]
        )
        assert line.rstrip(" |").endswith(f"{shape['item_budget']:g}")
        for stage, settings in shape["stages"].items():
            assert f"{stage} {settings['tokens']['prompt']}/{settings['tokens']['completion']}" in line


@pytest.mark.parametrize("place", range(3), ids=["first", "template", "program"])
def test_the_documented_tasks_are_legal(tmp_path: Path, place: int):
    path = tmp_path / "task.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S)[place])
    assert load_task(path).problem.name == "pipeline"
