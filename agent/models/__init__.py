"""Language models: one contract, its providers, what every request passes. Loads no client library."""

from tunesmith.agent.models.base import Answer, AttemptFailed, Capabilities, Provider, Rejected, Request
from tunesmith.agent.models.estimating import typical_tokens
from tunesmith.agent.models.faults import translate
from tunesmith.agent.models.function import Answering, PythonFunction
from tunesmith.agent.models.language_model import LanguageModel, Pace
from tunesmith.agent.models.opened import Mode, open_model
from tunesmith.agent.models.sampling import Samples, Token
from tunesmith.agent.models.structured import Completion
from tunesmith.agent.models.wire import Piece

__all__ = [
    "Answer",
    "Answering",
    "AttemptFailed",
    "Capabilities",
    "Completion",
    "LanguageModel",
    "Mode",
    "Pace",
    "Piece",
    "Provider",
    "PythonFunction",
    "Rejected",
    "Request",
    "Samples",
    "Token",
    "open_model",
    "translate",
    "typical_tokens",
]
