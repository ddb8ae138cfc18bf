"""A report's parts on language models and on what was expected before the first trial."""

from __future__ import annotations

from tunesmith.tools.report.part import ReportPart


class AnswersRead(ReportPart):
    """How answers of language models could be read; see `AnswersParsed` for the stages."""

    strict: int
    tolerant: int
    repaired: int
    refused: int
    sentence: str


class ModelSay(ReportPart):
    """How often a language model had a part in the surrogate's choices, by the side of the gate."""

    with_it: int
    """Trials that it could have a part in."""
    without_it: int
    weight: float | None
    """Weight of its predictions at the last trial that it had a part in, from 0 to 0.5, if known."""
    sentence: str


class ModelUse(ReportPart):
    """Use of language models."""

    names: tuple[str, ...]
    """Models in use, in order; empty: no language model was used."""
    calls: int
    failed_calls: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None
    """None where the price of a model is unknown: unknown, not free."""
    estimated_tokens: int = 0
    """How many of the tokens are an estimate, because the server did not count them."""
    purposes: dict[str, int]
    answers: AnswersRead | None = None
    """None where none was read: no model, or a run of before these were counted."""
    sentence: str


class PriorLine(ReportPart):
    """A prior elicited from the language model, before the first trial."""

    parameter: str
    text: str
    why: str


class BeliefLine(ReportPart):
    """A prior that the strategy had before the first trial."""

    parameter: str
    text: str
    source: str
    """In words, such as `the name` or `the word 'svc'`."""
    share: float
    """Of the hyperparameter's prior at the start."""
    trust: float | None
    """How far the source was trusted at the last proposal, 0 to 1; None where no proposal says."""
