"""What a run believes, as a few sentences of its report; pictures of it: `run_plots`, `space_plots`."""

from __future__ import annotations

from tunesmith.beliefs import ParameterBelief
from tunesmith.text.numbers import readable
from tunesmith.tools.report.data import ReportData


def believed_lines(data: ReportData) -> list[str]:
    """Where the best is expected, how much of the measured best is luck, calibration, outlook, doubts.

    Empty where the report has no beliefs.
    """
    beliefs = None if data.pictures is None else data.pictures.beliefs
    if beliefs is None:
        return []
    lines = [f"This stands on {beliefs.basis}."]
    found, best = beliefs.predicted, beliefs.best
    if best is not None:
        which = "The best" if best.number is None else f"Trial {best.number}, the best"
        measured = "" if best.measured is None else f", measured {readable(best.measured)}"
        lines.append(
            f"{which}{measured}: its mean over seeds is expected at {_spread(best.mean, best.spread)}; "
            "the best of many is partly luck."
        )
    if found is not None and (best is None or found.configuration != best.configuration):
        which = "not tried" if found.number is None else f"trial {found.number}"
        lines.append(
            f"The best mean is expected at {found.text} ({which}): {_spread(found.mean, found.spread)}."
        )
    if beliefs.calibration is not None and beliefs.calibration.text:
        lines.append(_sentence(f"calibration of the predictions: {beliefs.calibration.text}"))
    if beliefs.progress is not None:
        lines.append(_sentence(f"is going on likely to help: {beliefs.progress.text}"))
    return [*lines, *(_sentence(fault) for fault in beliefs.faults)]


def matter_text(data: ReportData, most: int) -> str:
    """The `most` important hyperparameters with shares and likely values; empty where none is known."""
    beliefs = None if data.pictures is None else data.pictures.beliefs
    if beliefs is None:
        return ""
    known = [p for p in beliefs.parameters if p.importance is not None][:most]
    told = ", ".join(f"{p.name} {p.importance or 0.0:.0%} ({_likely(p)})" for p in known)
    flat = [p.name for p in beliefs.parameters if p.flat][:most]
    return told + (f"; hardly at all: {', '.join(flat)}" if flat and told else "")


def _likely(belief: ParameterBelief) -> str:
    if belief.unsure:
        return f"best anywhere from {belief.low} to {belief.high}"
    return f"probably {belief.expected}"


def _spread(mean: float, spread: float) -> str:
    return f"{readable(mean)} ± {readable(spread, 2)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
