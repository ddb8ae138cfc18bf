"""What a tool of the agent is, and the turn that it is called in. `describe_task.py` has the smallest one.

A tool is a function registered by name in `registry.TOOLS`; another package registers its own by an entry
point in the group `tunesmith.tools`. What offers tools (the LangChain agent in `agent/policy/turn.py`) reads
the name, the docstring and the typed parameters of the function:

    def trials_run(turn: Turn, state: Annotated[str, Field(description="Such as `pruned`.")]) -> str:
        \"\"\"How many trials ended in one state.\"\"\"

- The docstring is what the model reads about the tool; the first parameter is not shown to it.
- Arguments are validated against the annotations before the call. A parameter of the type `Own` takes
  configurations; the schema that the model sees is that of the run's search space. One of the type `OrderBy`
  takes a metric; it is offered only where the task has several metrics or limits, and else has its default.
- The result is text of bounded size, however long the history is.
- Tools of one turn are called one at a time, in the order of the model's calls, in the policy's thread or one
  that it starts. They may take seconds: trials go on meanwhile.
- `ToolError` says what to do instead, and is returned to the model. Any other exception ends the turn: it is
  stored as a `Degraded` event, and the rules policy decides in place of the agent.

`tunesmith.testing.tools` has the tests that every tool passes.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Annotated, Any, Concatenate, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from tunesmith.goals import Goals
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Toolbox
from tunesmith.space import Space
from tunesmith.space.schema import configuration_schema
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import mark_wrong_citations
from tunesmith.tools.analysis.excerpt import FRONT
from tunesmith.trial import Proposal

WAKE_AFTER = 4
"""Finished trials until the next turn where the model does not say, or makes no decision."""
MAX_WAKE_AFTER = 12
REASON_LIMIT = 800
"""Characters of a reason that the model gives."""


class OwnTrial(BaseModel):
    """A configuration that the model made up."""

    model_config = ConfigDict(extra="forbid")

    configuration: dict[str, Any]
    reason: str = Field(description="One or two plain sentences for a person.")
    expected: float | None = Field(None, description="The metric you expect.", allow_inf_nan=False)


Own = Annotated[
    list[OwnTrial],
    Field(default_factory=list, description="Configurations of your own, each with a reason."),
]
"""Parameter of a tool: configurations of the run's space, not yet validated against it."""

OrderBy = Annotated[str | None, "order"]
"""Parameter of a tool: a metric of the task, or the Pareto front, to order trials by; None: neither."""


class Turn:
    """One decision of the agent: what tools read, act upon and leave for the decision.

    Attributes:
        briefing: The records that the policy was woken with; they do not change during the turn.
        toolbox: Suggests configurations and launches trials.
        prompt_id: The prompt that the turn answers; stored with the trials that the model makes up.
        picks: Suggestions of this turn; pick number 1 is the first.
        launched: Numbers of the trials launched in this turn.
        reason: Why the turn ended; None while it goes on.
        stop: Why the run is to end; None to go on.
        wake_after: Finished trials until the next turn.
    """

    def __init__(self, briefing: Briefing, toolbox: Toolbox, prompt_id: str | None = None) -> None:
        self.briefing, self.toolbox, self.prompt_id = briefing, toolbox, prompt_id
        self.picks: list[Proposal] = []
        self.launched: list[int] = []
        self.reason: str | None = None
        self.stop: str | None = None
        self.wake_after = WAKE_AFTER

    @property
    def history(self) -> History:
        return self.briefing.history

    @property
    def closed(self) -> bool:
        """Whether the model has ended its turn with `decide` or `finish`."""
        return self.reason is not None

    def decision(self, otherwise: str) -> Decision:
        """The decision of the turn; `otherwise` is its reason where the model gave none."""
        reason = clean(self.reason or otherwise, REASON_LIMIT)
        return Decision(
            reason=mark_wrong_citations(reason, self.history, launched=self.launched),
            candidates=self.toolbox.candidates(),
            stop=self.stop,
            wake_after=max(1, min(self.wake_after, MAX_WAKE_AFTER, self.briefing.trials_left or 1)),
        )


Tool = Callable[Concatenate[Turn, ...], str]


def arguments_model(name: str, tool: Tool, space: Space, goals: Goals | None = None) -> type[BaseModel]:
    """The model that the arguments of a tool are validated against, with `Own` narrowed to `space`.

    Args:
        goals: What `OrderBy` is narrowed to; None, or one metric without limits: it is left out.
    """
    configuration = Annotated[dict[str, Any], WithJsonSchema(configuration_schema(space))]
    own = create_model("OwnTrial", __base__=OwnTrial, configuration=(configuration, ...))
    types = get_type_hints(tool, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(signature(tool).parameters.values())[1:]:
        kind = types[parameter.name]
        if kind == OrderBy:
            if goals is not None and not goals.plain:
                fields[parameter.name] = (_orders(goals), parameter.default)
            continue
        if get_args(kind)[:1] == (list[OwnTrial],):
            kind = Annotated[(list[own], *get_args(kind)[1:])]
        fields[parameter.name] = kind if parameter.default is Parameter.empty else (kind, parameter.default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _orders(goals: Goals) -> Any:
    front = ", or `front` for the Pareto front" if goals.several else ""
    names = list(dict.fromkeys([*goals.names, *([FRONT] if goals.several else [])]))
    about = f"A metric to put completed trials in order by, best first{front}; null shows a selection."
    schema = {"anyOf": [{"type": "string", "enum": names}, {"type": "null"}], "description": about}
    return Annotated[str | None, WithJsonSchema(schema)]
