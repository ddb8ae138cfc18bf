"""The registered tools as LangChain wants them."""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from tunesmith.registry import TOOLS
from tunesmith.tools.toolbox.base import Turn, arguments_model


def langchain_tools(turn: Turn) -> list[BaseTool]:
    """Every registered tool, ours first, with the argument schemas of the run's search space.

    Raises:
        UnknownName: A tool of another package cannot be imported.
    """
    return [_langchain_tool(name, turn) for name in TOOLS.names]


def _langchain_tool(name: str, turn: Turn) -> BaseTool:
    tool = TOOLS.get(name)

    def call(**arguments: Any) -> str:
        result: str = tool(turn, **arguments)
        return result

    schema = arguments_model(name, tool, turn.history.space, turn.history.goals)
    return StructuredTool.from_function(call, name=name, description=getdoc(tool), args_schema=schema)
