"""Guidelines in the terminal: those of a round as it is told, and all of them with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.events import GuidelinesStated
from tunesmith.text.literal import literal, one_line
from tunesmith.tools.analysis.guidelines import Scored, Verdict
from tunesmith.tui.spans import Role, Span, Spans

LONGEST = 400
VERDICTS: dict[Verdict, tuple[str, Role]] = {
    "held": ("✓", "good"),
    "did not hold": ("✗", "bad"),
    "not distinguishable": ("=", "warn"),
    "not tested": ("·", "dim"),
}


def guideline_lines(event: GuidelinesStated) -> Spans:
    """A round's guidelines, a line each: words, subject, and the trials they rest on."""
    spans: list[Span] = [(f"guidelines of round {event.round}", "strong")]
    for guideline in event.guidelines:
        cited = _cited(guideline.evidence)
        spans += [("\n- ", "accent"), (one_line(guideline.text, LONGEST), "")]
        spans.append((f"  {guideline.about}{cited and ', '}{cited}", "dim"))
    return tuple(spans)


def claims(event: GuidelinesStated) -> str:
    """What a round claims so that trials can judge it."""
    told = [literal(guideline.claim.text) for guideline in event.guidelines if guideline.claim is not None]
    return "\n".join(("what trials will judge, /guidelines:", *told)) if told else ""


def verdict_lines(scored: Sequence[Scored]) -> list[Spans]:
    """Each guideline, under it what it claims, its verdict and the pairs of trials behind that."""
    lines: list[Spans] = []
    for one in scored:
        guideline = one.guideline
        mark, role = VERDICTS[one.verdict] if guideline.claim is not None else (" ", "dim")
        head: list[Span] = [(f"{mark} ", role), (one_line(guideline.text, LONGEST), "strong")]
        cited = _cited(guideline.evidence)
        head.append((f"  {guideline.about}, {one.rounds}{cited and ', '}{cited}", "dim"))
        lines.append(tuple(head))
        if guideline.claim is None:
            lines.append((("  nothing that trials can judge", "dim"),))
            continue
        why = f": {one.why}" if one.why else ""
        claim = one_line(guideline.claim.text, LONGEST)
        lines.append(((f"  {claim}: ", "dim"), (one.verdict, role), (why, "dim")))
    return lines


def _cited(evidence: Sequence[int]) -> str:
    cited = ", ".join(f"#{number}" for number in evidence[:12])
    return f"from {cited}" if cited else ""
