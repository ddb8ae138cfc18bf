"""How a line that is being typed may go on: verbs, hyperparameters, choices, numbers of trials."""

from __future__ import annotations

from tunesmith.space.choices import Listed
from tunesmith.steering.lines import ALIASES, BY_NAME, VERBS
from tunesmith.steering.tokens import written
from tunesmith.steering.verbs import BUDGET, Known, Verb

MOST = 50


def completions(text: str, known: Known) -> list[str]:
    """Whole lines that begin as `text` does, in the order of the table; empty for no slash command."""
    if not text.startswith("/") or "\n" in text:
        return []
    name, blank, rest = text.partition(" ")
    if not blank:
        return [f"{verb.name} " if verb.takes else verb.name for verb in menu(text)]
    verb = BY_NAME.get(ALIASES.get(name.casefold(), name.casefold()))
    if verb is None or not verb.completes:
        return []
    before, _, begun = rest.rpartition(" ")
    stem = f"{name} {before} " if before else f"{name} "
    found = _words(verb, before.split(), begun, known)
    return [stem + word for word in found if word.casefold().startswith(begun.casefold()) and word != begun][
        :MOST
    ]


def menu(text: str) -> list[Verb]:
    """The verbs that a text without blanks may become."""
    return [verb for verb in VERBS if verb.name.startswith(text.casefold())]


def _words(verb: Verb, before: list[str], begun: str, known: Known) -> list[str]:
    match verb.completes:
        case "running":
            return [] if before else [str(n) for n in sorted(known.running or (), reverse=True)]
        case "trials":
            return [str(n) for n in sorted(known.trials or (), reverse=True)]
        case "budget":
            return [f"{key}=" for key in BUDGET]
        case "commands":
            return [each.name[1:] for each in VERBS]
        case "assignments" | "parameters":
            return _of_the_space(verb, before, begun, known)
    return []


def _of_the_space(verb: Verb, before: list[str], begun: str, known: Known) -> list[str]:
    if known.space is None:
        return []
    assigns = verb.completes == "assignments"
    name, equals, _ = begun.partition("=")
    if not assigns and before:
        parameter = known.space.parameters.get(before[0])
        return list(map(written, parameter.listed)) if isinstance(parameter, Listed) else []
    if equals:
        parameter = known.space.parameters.get(name)
        return [f"{name}={written(v)}" for v in parameter.listed] if isinstance(parameter, Listed) else []
    given = {word.partition("=")[0] for word in before}
    end = "=" if verb.name == "/try" else ""
    return [written(each) + end for each in known.space.names if each not in given]
