"""What a model is offered: the registered tools with their schemas, and one of another package."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import SecretStr

from fakes.chat_server import ChatRequest, ChatServer, Reply, calls
from fakes.histories import SPACE, Log, briefing, grown
from fakes.plugins import PLUGINS, make_findable
from tunesmith.agent.models import open_model
from tunesmith.agent.policy.langchain_agent import AgentPolicy
from tunesmith.agent.policy.turn import langchain_tools
from tunesmith.budget import ModelCaps
from tunesmith.errors import UnknownName
from tunesmith.events import ToolReturned
from tunesmith.registry import TOOLS
from tunesmith.settings import ModelSettings
from tunesmith.space.schema import configuration_schema
from tunesmith.testing.tools import ToolCases
from tunesmith.tools.toolbox.base import Turn
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox

OURS = ["describe_task", "history", "learning_curve", "suggest", "launch_trials", "finish", "decide"]


class NoSuggestions:
    left = ()

    def __call__(self, history, n, /, on_advice=None):
        return []


def toolbox(about):
    return StudyToolbox(about, suggest=NoSuggestions(), launch=lambda proposals: [])


def test_own_configurations_are_asked_for_in_the_schema_of_the_runs_space_in_every_tool_that_takes_them():
    about = briefing(grown(5))
    offered = [
        convert_to_openai_tool(tool)["function"] for tool in langchain_tools(Turn(about, toolbox(about)))
    ]
    assert [tool["name"] for tool in offered] == OURS
    assert all(len(tool["description"]) > 20 for tool in offered)
    owns = {t["name"]: t["parameters"]["properties"].get("own") for t in offered}
    assert [name for name, own in owns.items() if own] == ["launch_trials", "decide"]
    assert owns["decide"]["items"]["properties"]["configuration"] == configuration_schema(SPACE)


def test_a_tool_of_another_package_is_offered_after_ours_and_called_by_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_findable(PLUGINS / "tools", tmp_path, monkeypatch)
    offered = []

    def script(request: ChatRequest) -> Reply:
        offered.append(request.tools)
        script_of = [
            calls(("slowest_trials", {"n": 0})),
            calls(("slowest_trials", {"n": 2})),
            calls(("decide", {"reason": "Seen."})),
        ]
        return script_of[request.turn]

    log, about = Log(), briefing(grown(12))
    with ChatServer(script) as server:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("sk-secret-secret"))
        model = open_model(settings, ModelCaps(), log, mode="live", max_retries=0)
        decision = AgentPolicy(model, log).decide(about, toolbox(about))
        model.close()
    assert offered[0] == [*OURS, "slowest_trials"]
    refused, returned, _ = log.of(ToolReturned)
    assert not refused.ok and refused.result == "n must be 1 to 12, not 0"
    assert returned.ok and returned.result.count("lr=") == 2
    assert decision.reason == "Seen."


OWN = {"configuration": {}, "reason": "?"}
ARGUMENTS = {
    "learning_curve": {"number": 3},
    "launch_trials": {"own": [OWN]},
    "finish": {"reason": "Enough."},
    "decide": {"reason": "Seen.", "own": [OWN]},
}


@pytest.mark.parametrize("name", [*OURS, "slowest_trials"], ids=str)
class TestTools(ToolCases):
    @pytest.fixture
    def tool(self, name, tmp_path, monkeypatch):
        make_findable(PLUGINS / "tools", tmp_path, monkeypatch)
        return TOOLS.get(name)

    @pytest.fixture
    def arguments(self, name):
        return ARGUMENTS.get(name, {})


def test_a_tool_that_cannot_be_imported_is_named_with_its_package_and_is_no_fault_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_findable(PLUGINS / "tools", tmp_path, monkeypatch)
    (tmp_path / "tunesmith_slowest.py").unlink()
    monkeypatch.delitem(sys.modules, "tunesmith_slowest", raising=False)
    about = briefing(grown(12))
    with pytest.raises(UnknownName, match="of the package tunesmith-slowest cannot be loaded"):
        AgentPolicy(SimpleNamespace(can_call_tools=True), Log()).decide(about, toolbox(about))
