"""A report's part on language models: calls, tokens and dollars, how answers were read, and their say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tunesmith.events import AnswersParsed, Event, ModelCalled, RunStarted
from tunesmith.history import History
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.goals import finite
from tunesmith.tools.report.model_data import AnswersRead, ModelSay, ModelUse


def model_use(events: Sequence[Event], text: Anonymous) -> ModelUse:
    called = [e for e in events if isinstance(e, ModelCalled) and e.budget == "search"]
    named = [event.model for event in events if isinstance(event, RunStarted) and event.model]
    names = tuple(dict.fromkeys(text(name, 100) for name in [*named, *(call.model for call in called)]))
    failed = sum(not call.ok for call in called)
    prompt, completion = sum(c.prompt_tokens for c in called), sum(c.completion_tokens for c in called)
    dollars = called[-1].spend.dollars if called else 0.0
    # A call may be counted whose event was lost in a kill.
    calls = max(len(called), called[-1].spend.calls) if called else 0
    estimated = sum(c.prompt_tokens + c.completion_tokens for c in called if c.estimated)
    if not names:
        sentence = "No language model was used."
    elif not called:
        sentence = f"The language model {', '.join(names)} was available, and no call was made."
    else:
        cost = "cost unknown" if dollars is None else f"${dollars:.4f}"
        sentence = (
            f"Language model {', '.join(names)}: {calls} calls, {failed} of them failed; "
            f"{prompt + completion} tokens{_estimate(estimated)}; {cost}."
        )
    return ModelUse(
        names=names,
        calls=calls,
        failed_calls=failed,
        prompt_tokens=prompt,
        completion_tokens=completion,
        dollars=finite(dollars),
        estimated_tokens=estimated,
        purposes=dict(Counter(text(call.purpose, 100) for call in called)),
        answers=_answers(events),
        sentence=sentence,
    )


def _estimate(tokens: int) -> str:
    return f" ({tokens} of them estimated: not counted by the server, or no answer came)" if tokens else ""


def model_say(history: History) -> ModelSay | None:
    gated = [t.proposal.provenance for t in history if t.proposal.provenance.side is not None]
    if not gated:
        return None
    opened = [provenance for provenance in gated if provenance.side == "model"]
    weights = [p.model_weight for p in opened if p.model_weight is not None]
    weighed = f"; weight of its predictions at the last: {weights[-1]:.0%} of at most 50%" if weights else ""
    return ModelSay(
        with_it=len(opened),
        without_it=len(gated) - len(opened),
        weight=weights[-1] if weights else None,
        sentence=f"The language model has a part in at most every second choice after its first "
        f"configurations: here in {len(opened)}, by its priors, its configurations and its predictions"
        f"{weighed}; the other {len(gated) - len(opened)} were chosen as without a model.",
    )


def _answers(events: Sequence[Event]) -> AnswersRead | None:
    read = [event for event in events if isinstance(event, AnswersParsed)]
    if not read:
        return None
    sums = {
        stage: sum(getattr(e, stage) for e in read) for stage in ("strict", "tolerant", "repaired", "refused")
    }
    sentence = (
        "Model answers (a call may give several): {strict} in the form asked for, {tolerant} in another "
        "clear form, {repaired} after one question back, {refused} unusable and left out."
    )
    return AnswersRead(**sums, sentence=sentence.format(**sums))
