"""The policy with a language model: a LangChain agent that reads records by tools, launches and decides.

Each turn starts from nothing but the records: a system prompt and a briefing of bounded size, no memory,
no checkpoint. It ends with a Decision, or with a ModelError, after which the rules decide. Limits raise:
LangChain's own end quietly or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunesmith.agent.models import Rejected, translate
from tunesmith.agent.models.adapting import ToolsRefused
from tunesmith.agent.models.importing import IMPORTING
from tunesmith.agent.policy.findings import Watermark, findings
from tunesmith.agent.policy.structured_turn import StructuredTurn
from tunesmith.agent.policy.thoughts import Thoughts
from tunesmith.events import Degraded
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Toolbox
from tunesmith.prompts import Prompt, render
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import correction, wrong_citations
from tunesmith.tools.analysis.excerpt import overview
from tunesmith.tools.toolbox.base import Turn
from tunesmith.tools.toolbox.describe_task import describe_task
from tunesmith.tools.toolbox.study_toolbox import MAX_LAUNCH
from tunesmith.tools.toolbox.suggest import suggest

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
PROMPT_ID = "agent/briefing.v2"
MODEL_CALLS = 5
TOOL_CALLS = 10
OFFERED = 3
"""Suggestions in a briefing: asking for them first would be a call of its own."""
WRONG_USES = 3
MAX_MESSAGES = 8
"""Notes of people shown in one briefing; the latest."""


class AgentPolicy(Policy):
    """Asks a language model in every turn.

    Args:
        model: Asked for turns and for answers.
        emit: Gets thoughts, tool calls and repairs.
        model_calls, tool_calls: Most of each in one turn; one more raises ModelBudgetReached.
        wrong_uses: Wrong uses of tools that end a turn.
    """

    name = "agent"
    asks_model = True

    def __init__(
        self,
        model: LanguageModel,
        emit: Emit,
        *,
        model_calls: int = MODEL_CALLS,
        tool_calls: int = TOOL_CALLS,
        wrong_uses: int = WRONG_USES,
    ) -> None:
        self._model, self._emit = model, emit
        self._model_calls, self._tool_calls, self._wrong_uses = model_calls, tool_calls, wrong_uses
        self._watermark = Watermark()

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        """One turn.

        A model without tools gives one structured answer instead.

        Raises:
            ModelError: the model failed, refused, or ran into a limit of the turn or of the run.
        """
        turn = Turn(briefing, toolbox, PROMPT_ID)
        briefed = self._briefed(turn)
        if not self._model.can_call_tools:
            return self._structured(turn, briefed)
        try:
            decision = self._with_tools(turn, briefed)
        except Rejected as refused:  # tools, or something that nobody named
            decision = self._structured(turn, briefed)
            self._model.without_tools("agent.decide", str(refused))
        except ToolsRefused:
            decision = self._structured(turn, briefed)
        return decision

    def _structured(self, turn: Turn, briefed: Prompt) -> Decision:
        StructuredTurn(self._model, self._emit).take(turn, briefed)
        return turn.decision(otherwise="The model gave no reason.")

    def _with_tools(self, turn: Turn, briefed: Prompt) -> Decision:
        briefing = turn.briefing
        with IMPORTING:
            from langchain.agents import create_agent
            from langchain.agents.middleware import ModelCallLimitMiddleware, ToolCallLimitMiddleware

            from tunesmith.agent.policy.chat_model import ChatModel
            from tunesmith.agent.policy.middleware import TurnGuard
            from tunesmith.agent.policy.turn import langchain_tools

        thoughts = Thoughts(self._emit, briefing.turn)
        guard = TurnGuard(turn, briefing.turn, self._emit, self._wrong_uses)
        # The guard is first: a turn that has just been decided must not run into a limit.
        limits: list[Any] = [
            guard,
            ModelCallLimitMiddleware(run_limit=self._model_calls, exit_behavior="error"),
            ToolCallLimitMiddleware(run_limit=self._tool_calls, exit_behavior="error"),
        ]
        # Outside the edge below: a fault in a suggestion or in the package of a tool is not the model's.
        tools = langchain_tools(turn)
        asked: Any = {"messages": briefed.as_chat()}
        try:
            agent = create_agent(
                ChatModel(language_model=self._model, purpose="agent.decide", on_piece=thoughts.add),
                tools,
                system_prompt=self._system().text,
                middleware=limits,
            )
            agent.invoke(asked)
        except Exception as error:  # noqa: BLE001 - the edge to a foreign library; nothing is swallowed
            if guard.fault is not None:
                raise guard.fault from None  # ours, not the model's
            raise translate(error) from None
        finally:
            thoughts.close(lambda said: _wrong(said, turn))
        said = thoughts.last or "The model ended its turn without giving a reason."
        if not turn.closed:
            self._undecided(guard.mistakes, turn.launched)
        return turn.decision(otherwise=said)

    def _system(self) -> Prompt:
        return render("agent/system", version=2, tool_calls=self._tool_calls, launch_limit=MAX_LAUNCH)

    def _briefed(self, turn: Turn) -> Prompt:
        briefing = turn.briefing
        fresh = self._watermark.advance(briefing.history, resumed="resumed" in briefing.triggers)
        return render(
            "agent/briefing",
            version=2,
            task=describe_task(turn),
            history=overview(turn.history),
            triggers=[trigger.replace("_", " ") for trigger in briefing.triggers],
            findings=findings(briefing.history, fresh),
            messages=list(briefing.messages[-MAX_MESSAGES:]),
            picks=suggest(turn, OFFERED) if briefing.trials_left else "",
        )

    def _undecided(self, mistakes: list[str], launched: list[int]) -> None:
        cause = "the model ended its turn without calling decide"
        if mistakes:
            cause = f"{len(mistakes)} wrong uses of tools, the last: {mistakes[-1]}"
        kept = f"; launched trials stay queued: {', '.join(f'#{n}' for n in launched)}" if launched else ""
        self._emit(
            Degraded(
                what="repair",
                where="policy.decide",
                cause=clean(cause, 500),
                continuation=f"a default decision was taken for it{kept}",
            )
        )


def _wrong(said: str, turn: Turn) -> str:
    """What a turn's words say wrongly of metrics and limits, corrected; empty with one metric alone."""
    if turn.history.goals.plain:
        return ""
    wrong = wrong_citations(said, turn.history, launched=turn.launched)
    return correction(wrong) if wrong else ""
