"""Everything that a language model or a person is told of a run, and every schema a model answers in."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from fakes.histories import Log
from tunesmith.agent.methods.hybrid.proposer import ModelProposer
from tunesmith.agent.methods.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.methods.llambo.zero_shot import WarmStarter
from tunesmith.agent.models import Pace
from tunesmith.agent.models.speed import Speed
from tunesmith.agent.policy import narrator
from tunesmith.agent.policy.findings import findings
from tunesmith.agent.policy.langchain_agent import AgentPolicy
from tunesmith.agent.policy.turn import langchain_tools
from tunesmith.errors import ModelUnavailable, ToolError
from tunesmith.interfaces import Briefing
from tunesmith.tools.toolbox.base import Turn
from tunesmith.tools.toolbox.describe_task import describe_task
from tunesmith.tools.toolbox.finish import finish
from tunesmith.tools.toolbox.history import history as history_table
from tunesmith.tools.toolbox.learning_curve import learning_curve
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.tools.toolbox.suggest import suggest
from tunesmith.trial import Proposal


class Listener:
    """Keeps what a language model is asked, and never answers."""

    can_call_tools = False

    def __init__(self, writing: float = 100.0) -> None:
        self.asked: list[str] = []
        self._pace = Pace(Speed(400.0, writing, "measured over 1 answer"), 180.0, 0)

    def pace(self) -> Pace:
        return self._pace

    def complete(self, messages: list[dict[str, Any]], schema: Any, *, purpose: str, **more: Any) -> Any:
        said = "\n".join(f"--- {m['role']}\n{m['content']}" for m in messages)
        self.asked.append(f"{purpose}\n{said}\n--- schema\n{json.dumps(schema.model_json_schema())}")
        raise ModelUnavailable("it only listens")


class Suggesting:
    """Suggests what it was made with."""

    left: tuple[Proposal, ...] = ()

    def __init__(self, *proposals: Proposal) -> None:
        self.proposals = list(proposals)

    def __call__(self, past: Any, n: int, /, on_advice: Any = None) -> list[Proposal]:
        return self.proposals[:n]


def texts(about: Briefing, *suggested: Proposal) -> dict[str, str]:
    """By what it is; in the order in which a run would come to it."""
    past = about.history
    fresh = past.finished
    found = {
        "opening words": narrator.opening(about, resumed=False, standing_in=False),
        "resumed": narrator.opening(about, resumed=True, standing_in=False),
        "update": narrator.update(about, findings(past, fresh), suggested[0] if suggested else None),
        "findings of the last": "\n".join(findings(past, fresh[-2:])),
        "best": narrator.best(past),
        "why": "\n".join(narrator.why(past, trial.number) for trial in past.trials[:8]),
        "history": _tool(history_table, about, suggested),
        "describe_task": _tool(describe_task, about, suggested),
        "suggest": _tool(suggest, about, suggested),
        "finish": _tool(finish, about, suggested, reason="Nothing more to gain."),
        "curves": "\n".join(
            _tool(learning_curve, about, suggested, number=t.number) for t in past.trials[:8]
        ),
        "tools": json.dumps([convert_to_openai_tool(t) for t in langchain_tools(_turn(about, suggested))]),
    }
    for name, listener in (("full", Listener()), ("compact", Listener(writing=2.0))):
        proposer = ModelProposer(listener, about.task, Log())  # type: ignore[arg-type]
        for ask in (proposer.opening, proposer.candidates):
            try:
                ask(past, 4)
            except ModelUnavailable:
                found[f"{ask.__name__}, {name}"] = listener.asked[-1]
    listener = Listener()
    policy = AgentPolicy(listener, Log())  # type: ignore[arg-type]
    try:
        policy.decide(about, _turn(about, suggested).toolbox)
    except ModelUnavailable:
        found["turn"] = listener.asked[-1]
    of_llambo: Any = (listener, past.space, about.task.words())
    found["llambo candidates"] = "\n".join(p.text for p in CandidateSampler(*of_llambo).prompts(past))
    found["llambo warm start"] = WarmStarter(*of_llambo).prompt(past, 3).text
    return found


def _turn(about: Briefing, suggested: tuple[Proposal, ...]) -> Turn:
    return Turn(about, StudyToolbox(about, suggest=Suggesting(*suggested), launch=lambda proposals: []))


def _tool(tool: Any, about: Briefing, suggested: tuple[Proposal, ...], **arguments: Any) -> str:
    try:
        return str(tool(_turn(about, suggested), **arguments))
    except ToolError as error:
        return f"refused: {error}"
