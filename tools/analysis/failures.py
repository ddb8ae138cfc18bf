"""What failed trials, and those that break a limit, have in common that others lack."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.goal_words import limit_text
from tunesmith.history import History
from tunesmith.space import Categorical
from tunesmith.trial import Trial, Value

FEWEST_FAILURES = 2
FEWEST_OTHERS = 3
SHARE = 0.25
"""At most this share of the other trials may lie on the failures' side for it to count as a pattern."""


@dataclass(frozen=True)
class FailurePattern:
    """All failures of one kind lie on one side of a value, or share a choice; few others do.

    Attributes:
        kind: diverged, out of memory, timed out or crashed; of completed trials `broke latency_ms <= 20`.
        parameter: Whose value they share.
        relation: `>=`, `<=` or `=`.
        value: The side's edge, or the shared choice.
        failures: How many failures of this kind there are; all lie there.
        others: How many of the trials that did not fail (or kept the limit) lie there too.
        out_of: How many trials did not fail (or kept the limit), of those with this parameter.
    """

    kind: str
    parameter: str
    relation: str
    value: Value
    failures: int
    others: int
    out_of: int


def failure_patterns(history: History) -> tuple[FailurePattern, ...]:
    """The clearest pattern for each kind of failure and each limit that is broken, where there is one."""
    kinds: dict[str, list[Trial]] = {}
    for trial in history.failures:
        kinds.setdefault(trial.state.value.replace("_", " "), []).append(trial)
    fine = [*history.completed, *history.pruned]
    against = [(kind, failed, fine) for kind, failed in kinds.items()]
    for limit in history.limits:
        kept = [t for t in history.completed if limit.met(t.values.get(limit.metric))]
        broke = [t for t in history.completed if not limit.met(t.values.get(limit.metric))]
        against.append((f"broke {limit_text(limit)}", broke, kept))
    found = []
    for kind, failed, others in against:
        names = history.space.names if failed else ()
        candidates = [p for name in names for p in _patterns(history, kind, name, failed, others)]
        if candidates:
            found.append(min(candidates, key=lambda p: (p.others / p.out_of, -p.out_of)))
    return tuple(found)


def _patterns(
    history: History, kind: str, name: str, failed: list[Trial], fine: list[Trial]
) -> list[FailurePattern]:
    bad = [t.configuration[name] for t in failed if name in t.configuration]
    good = [t.configuration[name] for t in fine if name in t.configuration]
    if len(bad) < len(failed) or len(bad) < FEWEST_FAILURES or len(good) < FEWEST_OTHERS:
        return []
    sides: list[tuple[str, Value, int]] = []
    if isinstance(history.space.parameters[name], Categorical) or any(
        isinstance(v, str | bool) for v in bad + good
    ):
        if len(set(bad)) == 1:
            sides = [("=", bad[0], sum(value == bad[0] for value in good))]
    else:
        low, high = min(map(float, bad)), max(map(float, bad))
        sides = [
            (">=", min(bad, key=float), sum(float(value) >= low for value in good)),
            ("<=", max(bad, key=float), sum(float(value) <= high for value in good)),
        ]
    return [
        FailurePattern(kind, name, relation, value, len(bad), others, len(good))
        for relation, value, others in sides
        if others <= SHARE * len(good)
    ]
