"""One turn of the agent: the tools it sees, and what it has done with them so far.

Every tool is a thin cover over `interfaces.Toolbox`; its docstring is what the model reads. Arguments are
data: a configuration passes the space's validation before it becomes a proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from tunesmith.agent.methods.hybrid.answer import configuration_schema
from tunesmith.agent.policy.facts import mark_wrong_citations
from tunesmith.agent.policy.narrator import describe, trials_left
from tunesmith.errors import InvalidConfiguration, ToolError
from tunesmith.interfaces import Briefing, Decision, Toolbox
from tunesmith.text.cleaning import clean
from tunesmith.trial import Origin, Proposal

PROMPT_ID = "agent/briefing.v2"
WAKE_AFTER = 4
"""When the model does not say, and what a turn without a decision gets."""
MAX_WAKE_AFTER = 12
REASON_LIMIT = 800


class Turn:
    """State of one turn; made afresh for each, used from one thread at a time.

    Attributes:
        closed: Whether the model has ended its turn with decide or finish.
        launched: Numbers of the trials it has launched.
    """

    def __init__(self, briefing: Briefing, toolbox: Toolbox) -> None:
        self._briefing, self._history, self._toolbox = briefing, briefing.history, toolbox
        self._picks: list[Proposal] = []
        self._reason: str | None = None
        self._stop: str | None = None
        self._wake_after = WAKE_AFTER
        self.launched: list[int] = []

    @property
    def closed(self) -> bool:
        return self._reason is not None

    def decision(self, otherwise: str) -> Decision:
        """What the turn comes to; `otherwise` is the reason when the model gave none."""
        reason = clean(self._reason or otherwise, REASON_LIMIT)
        return Decision(
            reason=mark_wrong_citations(reason, self._history, launched=self.launched),
            candidates=self._toolbox.candidates(),
            stop=self._stop,
            wake_after=max(1, min(self._wake_after, MAX_WAKE_AFTER, trials_left(self._briefing) or 1)),
        )

    def tools(self) -> list[BaseTool]:
        """The tools as LangChain wants them, with schemas of this very space."""
        configuration = Annotated[dict[str, Any], WithJsonSchema(configuration_schema(self._history.space))]
        own = create_model("OwnTrial", __base__=_OwnTrial, configuration=(configuration, ...))
        owns: Any = (
            list[own],
            Field(default_factory=list, description="Configurations of your own, each with a reason."),
        )
        launch = create_model("LaunchTrials", __base__=_LaunchTrials, own=owns)
        decide = create_model("Decide", __base__=_Decide, own=owns)
        return [
            _tool(self.describe_task, _Nothing),
            _tool(self.history, _History),
            _tool(self.learning_curve, _LearningCurve),
            _tool(self.suggest, _Suggest),
            _tool(self.launch_trials, launch),
            _tool(self.finish, _Finish),
            _tool(self.decide, decide),
        ]

    def describe_task(self) -> str:
        """The task, its search space, metric and default configuration, and what is left of the budget."""
        return self._toolbox.describe_task()

    def history(self, best: int = 8, recent: int = 8) -> str:
        """A table of trials: the best, the latest, failed ones, and some that differ from these."""
        return self._toolbox.history(best, recent)

    def learning_curve(self, number: int) -> str:
        """What a trial reported while it trained, and the end of its log if it failed."""
        return self._toolbox.learning_curve(number)

    def suggest(self, n: int = 3) -> str:
        """Configurations worth trying, best first, each with a pick number for decide and launch_trials."""
        found = self._toolbox.suggest(n)
        first = len(self._picks) + 1
        self._picks += found
        lines = [f"pick {i}: {self._described(p)}" for i, p in enumerate(found, first)]
        return "\n".join(lines) or "There is nothing new left to try in this space."

    def launch_trials(self, picks: list[int], own: list[_OwnTrial]) -> str:
        """Queue trials; they run before anything else. Returns their numbers at once: you never wait."""
        proposals = [self._picked(number) for number in picks]
        proposals += [self._own(place, trial) for place, trial in enumerate(own, 1)]
        numbers = self._toolbox.launch_trials(proposals)
        self.launched += numbers
        return "Queued as " + ", ".join(f"#{number}" for number in numbers) + "."

    def finish(self, reason: str) -> str:
        """End the whole run, because further trials would be wasted. Ends your turn too."""
        self._toolbox.finish(reason)
        self._reason = self._stop = clean(reason, REASON_LIMIT)
        return "The run will end."

    def decide(self, reason: str, wake_after: int, picks: list[int], own: list[_OwnTrial]) -> str:
        """End your turn: why, what to launch, and after how many further finished trials to wake you."""
        if not reason.strip():
            raise ToolError("say why, in one or two sentences")
        if wake_after < 1:
            raise ToolError("wake_after must be at least 1")
        queued = self.launch_trials(picks, own) + " " if picks or own else ""
        self._reason, self._wake_after = reason, wake_after
        return f"{queued}Noted; you will be woken again."

    def _described(self, proposal: Proposal) -> str:
        return f"[{proposal.origin.value}] {clean(describe(self._history, proposal), 900)}"

    def _picked(self, number: int) -> Proposal:
        if not 1 <= number <= len(self._picks):
            known = f"1 to {len(self._picks)}" if self._picks else "none yet: call suggest first"
            raise ToolError(f"there is no pick {number}; picks are {known}")
        return self._picks[number - 1]

    def _own(self, place: int, trial: _OwnTrial) -> Proposal:
        values = {name: value for name, value in trial.configuration.items() if value is not None}
        try:
            configuration = self._history.space.validate(values)
        except InvalidConfiguration as error:
            raise ToolError(f"own configuration {place}: {error}") from error
        return Proposal(
            configuration=configuration,
            origin=Origin.MODEL,
            reason=mark_wrong_citations(clean(trial.reason, REASON_LIMIT), self._history),
            expected=trial.expected,
            prompt_id=PROMPT_ID,
        )


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Nothing(_Arguments):
    pass


class _History(_Arguments):
    best: int = Field(8, description="How many of the best trials, up to 12.")
    recent: int = Field(8, description="How many of the latest trials, up to 12.")


class _LearningCurve(_Arguments):
    number: int = Field(description="The trial's number, such as 12.")


class _Suggest(_Arguments):
    n: int = Field(3, description="How many, up to 8.")


class _OwnTrial(_Arguments):
    configuration: dict[str, Any]
    reason: str = Field(description="One or two plain sentences for a person.")
    expected: float | None = Field(None, description="The metric you expect.", allow_inf_nan=False)


class _LaunchTrials(_Arguments):
    picks: list[int] = Field(default_factory=list, description="Pick numbers from suggest.")
    own: list[_OwnTrial] = Field(default_factory=list)


class _Finish(_Arguments):
    reason: str = Field(description="Why further trials would be wasted.")


class _Decide(_Arguments):
    reason: str = Field(description="What you saw and what follows from it, for the person watching.")
    wake_after: int = Field(WAKE_AFTER, description="Finished trials until you are woken again, 1 to 12.")
    picks: list[int] = Field(default_factory=list, description="Pick numbers to launch, if any.")
    own: list[_OwnTrial] = Field(default_factory=list)


def _tool(function: Callable[..., str], arguments: type[BaseModel]) -> BaseTool:
    return StructuredTool.from_function(
        function, name=function.__name__, description=function.__doc__, args_schema=arguments
    )
