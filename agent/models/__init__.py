"""The one door to language models. Importing it loads neither openai nor LangChain."""

from tunesmith.agent.models.faults import translate
from tunesmith.agent.models.openai_compatible import OpenAICompatible
from tunesmith.agent.models.sampling import Samples, Token
from tunesmith.agent.models.structured import Completion

__all__ = ["Completion", "OpenAICompatible", "Samples", "Token", "translate"]
