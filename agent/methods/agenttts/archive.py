"""The archive of a search by guidelines: its rounds, append-only, as the run's log has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tunesmith.events import Event, GuidelinesStated
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.tools.analysis.guidelines import Scored, scored_round


class Archive:
    """The rounds of one run. Used from the policy's thread.

    Args:
        emit: Stores a round.
        earlier: The log of earlier sessions of the run.
    """

    def __init__(self, emit: Emit, earlier: Iterable[Event] = ()) -> None:
        self._emit = emit
        self._rounds = [event for event in earlier if isinstance(event, GuidelinesStated)]

    @property
    def rounds(self) -> Sequence[GuidelinesStated]:
        return tuple(self._rounds)

    @property
    def last(self) -> GuidelinesStated | None:
        return self._rounds[-1] if self._rounds else None

    def add(self, stated: GuidelinesStated) -> None:
        """Append a round, and store it."""
        self._rounds.append(stated)
        self._emit(stated)

    def lines(self, history: History) -> list[str]:
        """Every guideline with its verdict by now, one clean line each."""
        return [scored.text for stated in tuple(self._rounds) for scored in scored_round(history, stated)]

    def shown(self, history: History, recent: int, told: GuidelinesStated | None = None) -> list[Scored]:
        """The guidelines of the first round and of the last `recent` ones, each with its verdict by now.

        Args:
            told: A round that is about to be added.
        """
        rounds = [*self._rounds, *([] if told is None else [told])]
        chosen = [*rounds[:1], *(rounds[1:][-recent:] if recent else [])]
        return [scored for stated in chosen for scored in scored_round(history, stated)]
