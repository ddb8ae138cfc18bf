"""A line that a person typed, as a command for the run or as a question to the records.

`VERBS` is the one table: help, menu, completion and `tunesmith tell --help` come of it. Reading never
raises: what cannot be read is a `LineFault` that says what is expected. Whether a command can be
followed is the engine's to say.
"""

from __future__ import annotations

from pydantic import ValidationError

from tunesmith.commands import Approve, Ask, Note, Pause, Resume, Undo
from tunesmith.errors import TunesmithError
from tunesmith.steering.readers import (
    read_add,
    read_alone,
    read_budget,
    read_decision,
    read_export,
    read_freeze,
    read_kill,
    read_narrow,
    read_of_trials,
    read_prior,
    read_stop,
    read_text,
    read_trials,
    read_try,
    read_widen,
)
from tunesmith.steering.tokens import Unreadable
from tunesmith.steering.verbs import Known, LineFault, Local, Read, Verb
from tunesmith.text.literal import one_line
from tunesmith.text.suggestions import did_you_mean

LONGEST_LINE = 20_000
"""Characters of a line that begins with a slash."""


def read_line(text: str, known: Known = Known()) -> Read:  # noqa: B008 - immutable
    """What a line asks for. Text without a slash is a question or an instruction in plain words.

    `y` and `n` alone answer what waits for approval.
    """
    line = text.strip()
    if not line:
        return LineFault("nothing was typed")
    if not line.startswith("/"):
        if known.waiting is not None and line.casefold() in ("y", "yes", "n", "no"):
            return Approve(request=known.waiting, approved=line.casefold() in ("y", "yes"))
        return Ask(text=line)
    if len(line) > LONGEST_LINE:
        return LineFault(f"the line has {len(line):,} characters, and a command at most {LONGEST_LINE:,}")
    name, rest = (line.split(maxsplit=1) + [""])[:2]
    verb = BY_NAME.get(ALIASES.get(name.casefold(), name.casefold()))
    if verb is None:
        return LineFault(_unknown_verb(name, rest))
    try:
        return verb.read(rest.strip(), known)
    except Unreadable as fault:
        example = f"; such as {verb.example}" if fault.example else ""
        return LineFault(one_line(f"{verb.name}: {fault}{example}", 400))
    except (ValidationError, ValueError, TunesmithError, OverflowError, RecursionError):
        return LineFault(f"{verb.name}: expected {_usage(verb)}, such as {verb.example}")


def help_of(name: str | None = None) -> list[tuple[str, str]]:
    """Pairs of a command with its arguments, and what it does; for one verb also an example."""
    if name is None:
        return [(_usage(verb), verb.help) for verb in VERBS]
    verb = BY_NAME[name]
    return [(_usage(verb), verb.help), ("such as", verb.example)]


def _help(rest: str, known: Known) -> Local:
    if not rest:
        return Local("help")
    name = "/" + rest.removeprefix("/").casefold()
    if ALIASES.get(name, name) not in BY_NAME:
        raise Unreadable(f"there is no {one_line(name, 40)}; {did_you_mean(name, BY_NAME)}")
    return Local("help", (ALIASES.get(name, name),))


def _unknown_verb(name: str, rest: str) -> str:
    hint = did_you_mean(name, BY_NAME)
    if not hint.endswith("?"):
        return f"there is no {one_line(name, 40)}; /help lists the commands"
    meant = hint.removeprefix("did you mean ").removesuffix("?")[1:-1]
    return one_line(f"there is no {one_line(name, 40)}; did you mean {one_line(f'{meant} {rest}', 80)}?", 200)


def _usage(verb: Verb) -> str:
    return f"{verb.name} {verb.takes}".strip()


VERBS: tuple[Verb, ...] = (
    Verb("/try", "NAME=VALUE ... [because TEXT]", "run this next; what is missing is as in the best trial",
         "/try lr=0.03 width=48", read_try, "assignments"),
    Verb("/kill", "N [because TEXT]", "end running trial N; it counts as pruned", "/kill 12", read_kill,
         "running"),
    Verb("/trials", "+N or N", "add N trials to the budget, or set their number", "/trials +10", read_trials),
    Verb("/budget", "[trials= time= cost= target= patience= calls= tokens= dollars=]",
         "change what the run may spend; alone: what is left", "/budget trials=50 time=2h", read_budget,
         "budget"),
    Verb("/freeze", "NAME[=VALUE]", "tune it no further: it has this value, or that of the best trial",
         "/freeze dropout=0.1", read_freeze, "assignments"),
    Verb("/narrow", "NAME LOW..HIGH or A,B", "search a smaller range, or fewer choices",
         "/narrow lr 1e-4..1e-2", read_narrow, "parameters"),
    Verb("/widen", "NAME LOW..HIGH", "search a larger range", "/widen lr 1e-6..1", read_widen, "parameters"),
    Verb("/add", "NAME=CHOICE,...", "give it further choices", "/add optimizer=lion,adamw", read_add,
         "parameters"),
    Verb("/prior", "NAME ~BEST or LOW..HIGH", "say where its best value is expected; the results decide",
         "/prior lr ~3e-4", read_prior, "parameters"),
    Verb("/undo", "", "take back the latest change", "/undo", read_alone(Undo())),
    Verb("/pause", "", "start no further trial; running ones go on", "/pause", read_alone(Pause())),
    Verb("/resume", "", "go on", "/resume", read_alone(Resume())),
    Verb("/stop", "[because TEXT]", "end the run cleanly; it can be continued later", "/stop", read_stop),
    Verb("/note", "TEXT", "keep a note in the run's records", "/note the data changed today",
         read_text(lambda text: Note(text=text))),
    Verb("/ask", "TEXT", "ask or instruct, as text without a slash does", "/ask what matters?",
         read_text(lambda text: Ask(text=text))),
    Verb("/approve", "", "carry out what waits for approval (y)", "/approve", read_decision(True)),
    Verb("/deny", "", "drop it (n)", "/deny", read_decision(False)),
    Verb("/why", "[N]", "why trial N was tried, what was expected, how it ended", "/why 7",
         read_of_trials("why", 0, 1), "trials", local=True),
    Verb("/compare", "N N", "two trials side by side", "/compare 3 7", read_of_trials("compare", 2, 2),
         "trials", local=True),
    Verb("/best", "", "the best configuration so far", "/best", read_alone(Local("best")), local=True),
    Verb("/space", "", "the search space, its versions, and which trials count", "/space",
         read_alone(Local("space")), local=True),
    Verb("/front", "", "the Pareto front of several metrics, and what limits cost", "/front",
         read_alone(Local("front")), local=True),
    Verb("/stages", "", "of a pipeline: the best allocation, quality by samples", "/stages",
         read_alone(Local("stages")), local=True),
    Verb("/guidelines", "", "what a language model concluded, and whether it holds", "/guidelines",
         read_alone(Local("guidelines")), local=True),
    Verb("/log", "[N]", "the log of trial N", "/log 12", read_of_trials("log", 0, 1), "trials", local=True),
    Verb("/export", "FILE", "write the conversation to a Markdown file", "/export talk.md", read_export,
         local=True),
    Verb("/help", "[COMMAND]", "these commands", "/help try", _help, "commands", local=True),
    Verb("/quit", "", "leave (ctrl+q)", "/quit", read_alone(Local("quit")), local=True),
)  # fmt: skip
BY_NAME: dict[str, Verb] = {verb.name: verb for verb in VERBS}
ALIASES = {
    "/exit": "/quit",
    "/q": "/quit",
    "/continue": "/resume",
    "/yes": "/approve",
    "/no": "/deny",
    "/?": "/help",
}
