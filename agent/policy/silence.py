"""An answer with nothing in it, told apart from one that says that there is nothing to do."""

from tunesmith.errors import InvalidAnswer, ModelRefused


def refuse_silence(text: str, ending: str, *, calls: bool = False) -> None:
    """Raise for a message with neither text nor tool calls.

    Args:
        ending: The protocol's finish reason.
        calls: Whether there is a tool call, readable or not.
    Raises:
        ModelRefused: An empty answer is also what a streamed refusal looks like.
        InvalidAnswer: The message ran into the token limit before its first word.
    """
    if ending == "content_filter":
        raise ModelRefused("the provider's content filter stopped the answer")
    if text.strip() or calls:
        return
    if ending == "length":
        raise InvalidAnswer("the model's answer hit the token limit before its first word")
    raise ModelRefused("the model gave neither words nor a tool call: it declined, or its answer was empty")
