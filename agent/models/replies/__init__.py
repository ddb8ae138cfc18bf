"""What a model wrote, as values: strictly first, then tolerantly, else a typed refusal. Never a wrong number.

    match parse_configuration(text, space):
        case Parsed(values=values): configuration, changes = space.snap(values)
        case Refused() as refused:  ask once, with repair_question(refused, space)

Every function takes any text whatever and raises nothing. `finished` is what the server reported of the
end of the text: True, the model ended it; False, it was cut at the token limit; None, not known.
"""

from tunesmith.agent.models.replies.configurations import parse_configuration, parse_configurations
from tunesmith.agent.models.replies.outcome import Parsed, ParsedNumber, Refused, repair_question
from tunesmith.agent.models.replies.scores import parse_label, parse_number
from tunesmith.agent.models.replies.tally import ParseTally

__all__ = [
    "ParseTally",
    "Parsed",
    "ParsedNumber",
    "Refused",
    "parse_configuration",
    "parse_configurations",
    "parse_label",
    "parse_number",
    "repair_question",
]
