"""The one door to language models. Importing it loads neither openai nor LangChain."""

from tunesmith.agent.llm.door import ModelDoor
from tunesmith.agent.llm.faults import translate
from tunesmith.agent.llm.sampling import Samples, Token
from tunesmith.agent.llm.structured import Completion

__all__ = ["Completion", "ModelDoor", "Samples", "Token", "translate"]
