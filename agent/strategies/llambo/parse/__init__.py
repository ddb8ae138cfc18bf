"""What a model wrote, as values: strictly first, then tolerantly, else a typed refusal. Never a wrong number.

    match parse_configuration(text, space):
        case Parsed(values=values): configuration, changes = space.snap(values)
        case Refused() as refused:  ask once, with repair_question(refused, space)

Every function takes any text whatever and raises nothing. `finished` is what the server said of the end of
the text: True, the model ended it; False, it was cut at the token limit; None, not known.
"""

from tunesmith.agent.strategies.llambo.parse.configurations import parse_configuration, parse_configurations
from tunesmith.agent.strategies.llambo.parse.outcome import Parsed, ParsedNumber, Refused
from tunesmith.agent.strategies.llambo.parse.question import repair_question
from tunesmith.agent.strategies.llambo.parse.scores import parse_label, parse_number
from tunesmith.agent.strategies.llambo.parse.tally import ParseTally

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
