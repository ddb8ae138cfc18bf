"""How hyperparameters are passed to a script whose options can be read: as the script means them.

`--amp {amp}` for an option declared with `action="store_true"` becomes `{amp:--amp|}`, and so on. The rules
are by what the option reads and by which values the parameter has; whatever changes is said in a note. A
command that starts no Python file of ours to read, or an option that it does not declare, stays as written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.argv import Slot, pieces, slots
from tunesmith.errors import ObjectiveError
from tunesmith.space import Space
from tunesmith.task.command import OPTIONS, CommandFault, expanded, holds_list, holds_null, is_switch, name_of
from tunesmith.task.passing_rules import passed
from tunesmith.task.scripts.declarations import declarations
from tunesmith.task.scripts.option import Declarations, Option
from tunesmith.task.scripts.source import read_script
from tunesmith.text.suggestions import did_you_mean

_OVERRIDES = {"hydra": "hydra", "sacred": "python"}
"""Libraries whose arguments are `key=value`, with the form of a value."""


@dataclass(frozen=True)
class Passing:
    """A command as workers fill it in, and what a person should know about it."""

    command: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What is passed otherwise than it is written, each with the reason."""
    warnings: tuple[str, ...] = ()
    """What the script may not take as it is meant, each with the fix."""


def passing(command: Sequence[str], space: Space, folder: Path) -> Passing:
    """The command with every hyperparameter passed as the script reads it. Nothing is imported or run.

    Args:
        command: As in a task; its placeholders are legal in `space`.
        folder: Where it runs.
    Raises:
        ObjectiveError: An option cannot be told one of its hyperparameter's values.
    """
    start, declared, script = _declared(command, folder)
    writer = _Writer(space, start, declared, script, frozenset(command[start:]))
    place = 0
    while place < len(command):
        place += writer.take(command, place)
    writer.look_for_required()
    return Passing(tuple(writer.made), tuple(writer.notes), tuple(writer.warnings))


def script_of(command: Sequence[str], folder: Path) -> tuple[int, Path] | None:
    """The Python file that a command starts, and the place of its name in it."""
    for place, argument in enumerate(command):
        if argument == "-c":
            return None
        if slots(argument):
            continue  # of the launcher, such as torchrun's number of processes
        if argument == "-m" and place + 1 < len(command):
            module = folder.joinpath(*command[place + 1].split("."))
            found = [path for path in (module.with_suffix(".py"), module / "__main__.py") if path.is_file()]
            if found or not place or "python" in command[place - 1]:
                return (place + 1, found[0]) if found else None
        if argument.endswith(".py") and not argument.startswith("-"):
            path = folder / argument
            return (place, path) if path.is_file() else None
    return None


def _declared(command: Sequence[str], folder: Path) -> tuple[int, Declarations, str]:
    """Where the script's own arguments begin, what it declares, and its name."""
    found = script_of(command, folder)
    if found is None:
        return len(command), Declarations("", complete=False), "the script"
    place, path = found
    try:
        return place + 1, declarations(read_script(path)), path.name
    except ObjectiveError:  # whoever starts it will tell what is wrong
        return len(command), Declarations("", complete=False), path.name


def _only_slot(argument: str) -> Slot:
    """The one placeholder of an argument."""
    (slot,) = slots(argument)
    return slot


@dataclass
class _Writer:
    """Goes through a command's arguments."""

    space: Space
    start: int
    declared: Declarations
    script: str
    words: frozenset[str]
    """The script's own arguments as they are written."""
    made: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, command: Sequence[str], place: int) -> int:
        """Pass on the argument there, with the next one where the two belong together; returns how many."""
        argument = command[place]
        if argument == f"{{{OPTIONS}}}" and OPTIONS not in self.space:
            self._all_options()
            return 1
        try:
            plain = expanded(argument, self.space)
        except CommandFault as fault:
            raise ObjectiveError(str(fault)) from None
        if argument.startswith("{--") and "|" not in argument and self._option(argument[1:-1]) is not None:
            self._pair(argument[1:-1], _only_slot(plain[-1]), written=argument)
            return 1
        if place >= self.start and argument.startswith("-"):
            flag, equals, value = argument.partition("=")
            if equals and (slot := self._bare(value)) is not None:
                self._pair(flag, slot, written=argument, joined=True)
                return 1
            value = "" if equals or place + 1 == len(command) else command[place + 1]
            if (slot := self._bare(value)) is not None and self._takes_next(flag, slot):
                self._pair(flag, slot, written=f"{argument} {value}")
                return 2
        self.made += [self._as_written(each, place) for each in plain]
        return 1

    def look_for_required(self) -> None:
        """Warn of what the script requires and the command does not give."""
        if not self.declared.complete or self.declared.library not in ("argparse", "click", "typer"):
            return
        options, bare = self._given()
        needed = [o for o in self.declared.options if o.required and o.command in ("", *self.words)]
        missing = [o.flag for o in needed if o.flags and not options & {o.name}]
        missing += [] if bare else [o.name for o in needed if not o.flags][:1]
        self.warnings += [
            f"{self.script} requires {name}, which the command does not give" for name in missing
        ]

    def _given(self) -> tuple[set[str], int]:
        """Names of the options that the command gives, and how many of its words are values of none."""
        options: set[str] = set()
        bare = 0
        more: int | None = 0  # values that still belong to an option; None: all that follow
        for word in self.made[self.start :]:
            placeholders = slots(word)
            if placeholders and placeholders[0].pair is not None and word.startswith("{"):
                continue  # a flag
            if word.startswith("-"):
                flag, equals, _ = word.partition("=")
                option = self._option(flag)
                options.add(option.name if option is not None else flag)
                takes = option is None or option.kind in ("value", "list", "repeated")
                more = None if option is not None and option.kind == "list" else int(takes and not equals)
            elif more is None or more > 0:
                more = None if more is None else more - 1
            elif word not in self.declared.commands:
                bare += 1
        return options, bare

    def _as_written(self, argument: str, place: int) -> str:
        """An argument whose option, if it has one, is not known."""
        key, equals, value = argument.partition("=")
        library = self.declared.library if place >= self.start else ""
        if library in _OVERRIDES and equals and (slot := self._bare(value)) is not None:
            known = [*(option.name for option in self.declared.options), *self.declared.commands]
            if self.declared.complete and key[:1] not in "+~" and key not in known:
                hint = did_you_mean(key, known)
                self.warnings.append(
                    f"{self.script}: its configuration has no {key} (`+{key}=` adds it); {hint}"
                )
            return f"{key}={Slot(slot.name, _OVERRIDES[library])}"
        slot = self._bare(argument) or self._bare(value)
        if slot is not None:
            self._positional(argument, slot)
            self._in_words(argument, slot)
        return argument

    def _positional(self, written: str, slot: Slot) -> None:
        """Refuse true and false for positional arguments that read any text as true."""
        read = [option for option in self.declared.options if not option.flags and option.reads == "truth"]
        if read and written == str(slot) and is_switch(self.space.parameters[slot.name]):
            raise ObjectiveError(
                f"`{written}`: {self.script} reads its argument {read[0].name} by {read[0].declared}, which "
                "takes every text for true. Make it an option with action=argparse.BooleanOptionalAction."
            )

    def _in_words(self, written: str, slot: Slot) -> None:
        """Say how true, false and null are passed to what could not be looked up."""
        parameter = self.space.parameters[slot.name]
        said = ["true and false as these words"] if is_switch(parameter) else []
        said += ["lists as JSON"] if holds_list(parameter) else []
        said += ["left out for null"] if holds_null(parameter) else []
        if said:
            place = f"{self.script} declares no such option that could be read"
            fix = ""
            if is_switch(parameter):
                fix = f"; write {{--{slot.name}}} if it is a flag, {{{slot.name}:python}} for True and False"
            self.notes.append(f"{written}: {', '.join(said)}, as {place}{fix}")

    def _bare(self, text: str) -> Slot | None:
        """The hyperparameter that an argument is, without a form."""
        found = pieces(text)
        slot = found[0] if len(found) == 1 and isinstance(found[0], Slot) else None
        return slot if slot is not None and not slot.form and slot.name in self.space else None

    def _takes_next(self, flag: str, slot: Slot) -> bool:
        """Whether the placeholder behind an option belongs to it; behind a flag it may be positional."""
        option = self._option(flag)
        if option is None or option.kind != "flag":
            return option is not None or flag.startswith("--")
        positional = any(not known.flags for known in self.declared.options)
        return not positional or is_switch(self.space.parameters[slot.name])

    def _option(self, flag: str) -> Option | None:
        options = self.declared.options
        exact = [o for o in options if flag in (*o.flags, o.on, o.off)]
        exact.sort(key=lambda option: option.command not in self.words)  # of the subcommand that is used
        if exact or self.declared.library != "argparse" or not flag.startswith("--"):
            return exact[0] if exact else None
        begun = [o for o in options if any(known.startswith(flag) for known in o.flags)]
        return begun[0] if len({o.name for o in begun}) == 1 else None  # argparse takes an unique beginning

    def _pair(self, flag: str, slot: Slot, *, written: str, joined: bool = False) -> None:
        option = self._option(flag)
        parameter = self.space.parameters[slot.name]
        if option is None:
            if self.declared.library and self.declared.complete:
                self._unknown(flag)
            else:
                self._in_words(written, slot)
            # A switch of absl's takes a value only so; of `--amp false` it would leave `false` over.
            joined = joined or (self.declared.library == "absl" and is_switch(parameter))
            self.made += [f"{flag}={slot}"] if joined else [flag, str(slot)]
            return
        done = passed(option, flag, slot.name, parameter, self.declared.library, joined=joined)
        if done.fault:
            raise ObjectiveError(f"`{written}`: {self.script} declares {flag} {done.fault}")
        self.made += done.arguments
        if done.note and not written.startswith("{"):  # there the task says itself that it is a flag
            self.notes.append(f"{written}: {done.note}")
        self.warnings += [f"{written}: {warning}" for warning in done.warnings]

    def _unknown(self, flag: str) -> None:
        known = [spelling for option in self.declared.options for spelling in option.flags]
        self.warnings.append(f"{self.script} declares no option {flag}; {did_you_mean(flag, known)}")

    def _all_options(self) -> None:
        for name in self.space.names:
            option = self._named(name)
            if option is not None:
                self._pair(option.on or option.off or option.flag, Slot(name), written=f"{{{name}}}")
            elif self.declared.library in _OVERRIDES:
                self.made.append(f"{name}={Slot(name, _OVERRIDES[self.declared.library])}")
            else:
                if self.declared.library and self.declared.complete:
                    self._unknown(f"--{name}")
                self.made += [f"--{name}", str(Slot(name))]

    def _named(self, name: str) -> Option | None:
        """The option for a parameter; one of a subcommand that the command names before others."""
        plain = name.replace("-", "_")
        found = [o for o in self.declared.options if o.flags and o.name.replace("-", "_") == plain] or [
            o for o in self.declared.options if any(name_of(flag) == plain for flag in o.flags)
        ]
        return next((o for o in found if o.command in self.words), found[0] if found else None)
