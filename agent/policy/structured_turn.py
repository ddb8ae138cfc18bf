"""A turn of the agent without tools: one structured answer, carried out as the same tools would.

For models and servers that cannot call tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, create_model

from tunesmith.errors import InvalidConfiguration, ToolError
from tunesmith.events import Thought, ToolCalled, ToolReturned
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.text.cleaning import clean
from tunesmith.tools.toolbox.base import REASON_LIMIT, Turn, arguments_model
from tunesmith.tools.toolbox.decide import decide
from tunesmith.tools.toolbox.finish import finish
from tunesmith.tools.toolbox.study_toolbox import MAX_LAUNCH

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

SHOWN = 2000
"""Characters of an argument or result in an event."""


class StructuredTurn:
    """Asks for one answer and carries it out.

    Args:
        model: Asked once, and once more if its answer is at fault.
        emit: Gets what the model says and does, as from a turn with tools.
    """

    def __init__(self, model: LanguageModel, emit: Emit) -> None:
        self._model, self._emit = model, emit

    def take(self, turn: Turn, briefed: Prompt) -> None:
        """Let the model decide; `turn` is closed afterwards.

        A launch or an end that the run does not allow is told in the reason, and nothing is launched.

        Raises:
            ModelError: the model failed, refused, or answered nothing that can be used.
        """
        system = render("agent/plain_system", launch_limit=MAX_LAUNCH)
        messages = [{"role": "system", "content": system.text}, *briefed.as_chat()]
        asked = _answer_model(turn)
        answer: Any = self._model.complete(
            messages, asked, purpose="agent.decide", check=lambda value: _faults(turn, value)
        ).value
        self._emit(Thought(turn=turn.briefing.turn, speaker="model", text=clean(answer.reason, REASON_LIMIT)))
        launching = {"picks": answer.picks, "own": answer.own, "wake_after": max(1, answer.wake_after)}
        if answer.finish:
            refused = self._done(turn, "finish", finish, reason=answer.reason)
        else:
            refused = self._done(turn, "decide", decide, reason=answer.reason, **launching)
        if refused:
            turn.reason = undone(answer.reason, refused)

    def _done(self, turn: Turn, name: str, tool: Any, **arguments: Any) -> str:
        """Why a tool refused; empty where it did what was asked."""
        number = turn.briefing.turn
        shown = {key: clean(_text(value), SHOWN) for key, value in arguments.items() if value}
        self._emit(ToolCalled(turn=number, tool=name, arguments=shown))
        try:
            result, refused = str(tool(turn, **arguments)), ""
        except ToolError as error:
            result = refused = clean(error, SHOWN)
        told = clean(result, SHOWN, lines=True)
        self._emit(ToolReturned(turn=number, tool=name, result=told, ok=not refused))
        return refused


def undone(reason: str, refused: str) -> str:
    """The reason of a turn in which what the model wanted was refused."""
    return clean(f"{reason} This could not be done: {refused}", REASON_LIMIT)


def _answer_model(turn: Turn) -> type[BaseModel]:
    """What `decide` takes, in the run's own space, and whether the run is to end."""
    arguments = arguments_model("decide", decide, turn.history.space)
    ending = Field(False, description="Whether the whole run is to end.")
    return create_model("Decision", __base__=arguments, finish=(bool, ending))


def _faults(turn: Turn, answer: Any) -> list[str]:
    """What the model is asked to correct: values outside the space, picks that there are not, no reason."""
    faults = [] if answer.reason.strip() else ["reason: say why, in one or two sentences"]
    known = len(turn.picks)
    faults += [f"picks: there is no pick {n} (1 to {known})" for n in answer.picks if not 1 <= n <= known]
    if len(answer.picks) + len(answer.own) > MAX_LAUNCH:
        faults.append(f"at most {MAX_LAUNCH} trials in one turn")
    for place, trial in enumerate(answer.own, 1):
        values = {name: value for name, value in trial.configuration.items() if value is not None}
        try:
            turn.history.space.validate(values)
        except InvalidConfiguration as error:
            faults.append(f"own configuration {place}: {error}")
    return faults


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, BaseModel):
        return value.model_dump_json(exclude_none=True)
    return str(value)
