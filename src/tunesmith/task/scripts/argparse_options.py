"""Options that a script gives to argparse: in functions, groups, subparsers, loops and files beside it."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import Any

from tunesmith.task.scripts.constants import UNKNOWN, Constants, dotted, keywords, last_name
from tunesmith.task.scripts.converters import PAIRS, Reading, reading
from tunesmith.task.scripts.option import Declarations, Kind, Option, long_first
from tunesmith.task.scripts.source import Script

_OPTION = re.compile(r"--?[A-Za-z0-9][\w.\-]{0,99}")
_GROUPS = ("add_argument_group", "add_mutually_exclusive_group")
_DEEPEST = 5
_MOST_ROUNDS = 200
"""Rounds of a loop that are read."""


def argparse_options(script: Script) -> Declarations | None:
    """What the script declares; None where it calls no `add_argument`."""
    sources = (script, *script.beside)
    named = {n for source in sources for n in source.called | source.mentioned}
    reader = _Reader(script, sources)
    reader.read(_live(script, named) or script.tree.body)
    for source in script.beside:
        part = _Reader(source, sources)
        part.read([statement for statement in _live(source, named) if not _is_guard(statement)])
        reader.take(part)
    if not reader.options and not reader.unread:
        return None
    options = [reader.with_default(option) for option in reader.options]
    return Declarations(
        library="argparse",
        options=tuple(_paired(_distinct(options))),
        unread=tuple(reader.unread),
        complete=reader.complete and not reader.unread,
        commands=tuple(dict.fromkeys(command for command in reader.parsers.values() if command)),
    )


def _live(script: Script, named: set[str]) -> list[ast.stmt]:
    """The statements without functions that nothing names, and those that add to a parser they are given."""
    kept = []
    for statement in script.tree.body:
        if isinstance(statement, ast.FunctionDef) and (
            statement.name not in named or _adds_to_its_own(statement)
        ):
            continue
        kept.append(statement)
    return kept


def _adds_to_its_own(function: ast.FunctionDef) -> bool:
    """Whether a function adds options to a parameter of its own: it is read where it is called."""
    names = {argument.arg for argument in (*function.args.posonlyargs, *function.args.args)} - {"self"}
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("add_argument", *_GROUPS)
        and dotted(node.value) in names
        for node in ast.walk(function)
    )


class _Reader:
    """Goes through statements in order and notes what each parser is given."""

    def __init__(self, script: Script, sources: tuple[Script, ...], depth: int = 0) -> None:
        self.script = script
        self.sources = sources
        self.depth = depth
        self.constants = Constants(script.tree)  # its own: loops bind names in it
        self.options: list[Option] = []
        self.unread: list[str] = []
        self.defaults: dict[str, Any] = {}
        self.complete = True
        self.parsers: dict[str, str] = {}
        """Subcommand of each variable that holds a parser or a group of one; "" for the script itself."""
        self.aliases: dict[str, str] = {}
        """Names for an `add_argument`, with the subcommand that it belongs to."""
        self.exclusive: set[str] = set()
        """Variables that hold a group whose options exclude each other."""
        self.holders: dict[int, str] = {}
        """Variable of the parser that each option, by its place in `options`, was given to."""

    def take(self, part: _Reader) -> None:
        """Add what another reader has found."""
        self.options += part.options
        self.unread += part.unread
        self.defaults |= part.defaults
        self.complete = self.complete and part.complete

    def read(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.For) and self._loop(statement):
                continue
            for value in (field for _, field in ast.iter_fields(statement)):
                if isinstance(value, ast.expr):
                    self._calls(value, statement)
                elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                    self.read(value)
                elif isinstance(value, list):
                    self._items(value, statement)

    def _items(self, values: list[Any], statement: ast.stmt) -> None:
        for item in values:
            if isinstance(item, ast.expr):
                self._calls(item, statement)
            elif isinstance(item, ast.withitem):
                self._calls(item.context_expr, statement)
            elif isinstance(item, ast.ExceptHandler):
                self.read(item.body)

    def _loop(self, node: ast.For) -> bool:
        """Read a loop over a list that is written out, round by round."""
        if not any(isinstance(n, ast.Attribute) and n.attr == "add_argument" for n in ast.walk(node)):
            return False
        items: Any = UNKNOWN
        if isinstance(node.iter, ast.Call) and last_name(node.iter.func) == "items":
            assert isinstance(node.iter.func, ast.Attribute)
            table = self.constants.value(node.iter.func.value)
            items = [list(pair) for pair in table.items()] if isinstance(table, dict) else UNKNOWN
        else:
            items = self.constants.value(node.iter)
        if not isinstance(items, list) or len(items) > _MOST_ROUNDS:
            return False
        for item in items:
            self.constants.bind(node.target, item)
            self.read(node.body)
        return True

    def _calls(self, expression: ast.expr, statement: ast.stmt) -> None:
        self._assigned(expression, statement)
        found = [node for node in ast.walk(expression) if isinstance(node, ast.Call)]
        for call in sorted(found, key=lambda node: (node.lineno, node.end_col_offset or 0)):
            method = last_name(call.func)
            if method == "add_argument" and isinstance(call.func, ast.Attribute):
                self.holders[len(self.options)] = dotted(call.func.value)
                self._argument(call, self._command(call.func.value))
                if (holder := dotted(call.func.value)) in self.exclusive and self.options:
                    self.options[-1] = replace(self.options[-1], excludes=holder)
            elif dotted(call.func) in self.aliases:
                self._argument(call, self.aliases[dotted(call.func)])
            elif method == "set_defaults":
                given = keywords(call).items()
                self.defaults |= {name: self.constants.value(value) for name, value in given}
            elif method in ("parse_known_args", "parse_known_intermixed_args"):
                self.complete = False
            elif any(dotted(argument) in self.parsers for argument in call.args):
                self._given_on(call, method)

    def _given_on(self, call: ast.Call, method: str) -> None:
        """Read a function that is given a parser."""
        source = next((source for source in self.sources if method in source.functions), None)
        if source is None:
            self.complete = False  # a function elsewhere may add to it
        elif self.depth < _DEEPEST and _adds_to_its_own(source.functions[method]):
            function = source.functions[method]
            part = _Reader(source, self.sources, self.depth + 1)
            names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
            for name, value in zip(names, call.args, strict=False):
                if dotted(value) in self.parsers:
                    part.parsers[name] = self.parsers[dotted(value)]
            part.read(function.body)
            self.take(part)

    def _assigned(self, value: ast.expr, statement: ast.stmt) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        names = [dotted(target) for target in targets if dotted(target)]
        if isinstance(value, ast.Attribute) and value.attr == "add_argument":
            self.aliases |= dict.fromkeys(names, self._command(value.value))
        elif isinstance(value, ast.Call) and (command := self._parser_command(value)) is not None:
            self.parsers |= dict.fromkeys(names or [f"line {value.lineno}"], command)
            if last_name(value.func) == "add_mutually_exclusive_group":
                self.exclusive.update(names)

    def _parser_command(self, call: ast.Call) -> str | None:
        """The subcommand of a parser that a call makes; None where it makes none."""
        method = self.script.full_name(call.func).rpartition(".")[2] or last_name(call.func)
        if method.endswith(("ArgumentParser", "ArgParser")):
            if any(k.arg == "parents" for k in call.keywords) and not self.parsers:
                self.complete = False  # the parent is not of this file
            return ""
        if method == "add_parser" and call.args:
            name = self.constants.value(call.args[0])
            for parent in getattr(keywords(call).get("parents"), "elts", []):
                self._share(dotted(parent), name if isinstance(name, str) else "")
            return name if isinstance(name, str) else ""
        if method in _GROUPS and isinstance(call.func, ast.Attribute):
            return self._command(call.func.value)
        return None

    def _share(self, parent: str, command: str) -> None:
        """Options of a parent parser belong to the subcommands that name it."""
        for place, holder in list(self.holders.items()):
            if holder == parent and place < len(self.options):
                option = self.options[place]
                if option.command in ("", command):
                    self.options[place] = replace(option, command=command)
                else:
                    self.options.append(replace(option, command=command))

    def _command(self, parser: ast.expr) -> str:
        if isinstance(parser, ast.Call):
            return self._parser_command(parser) or ""
        return self.parsers.get(dotted(parser), "")

    def _argument(self, call: ast.Call, command: str) -> None:
        flags = [self.constants.value(argument) for argument in call.args]
        texts = [flag for flag in flags if isinstance(flag, str)]
        options = [flag for flag in texts if _OPTION.fullmatch(flag)]
        if len(texts) < len(flags) or (texts and not options and not texts[0][:1].isalnum()):
            self.unread.append(f"the option in line {call.lineno} of {self.script.path.name}")
            return
        if any(k.arg is None for k in call.keywords) and not options:
            self.unread.append(f"the argument in line {call.lineno} of {self.script.path.name}")
            return
        option = _option(options, texts, keywords(call), self.script, self.constants)
        self.options.append(replace(option, line=call.lineno, command=command))

    def with_default(self, option: Option) -> Option:
        return replace(option, default=self.defaults.get(option.name, option.default))


def _option(
    flags: list[str], texts: list[str], given: dict[str, ast.expr], script: Script, constants: Constants
) -> Option:
    flags = list(long_first(flags))
    dest = constants.value(given.get("dest"))
    first = flags[0] if flags else (texts[0] if texts else str(dest))
    name = dest if isinstance(dest, str) else first.lstrip("-").replace("-", "_")
    action = _action(given.get("action"), constants)
    default = constants.value(given["default"]) if "default" in given else None
    if _is_suppressed(given.get("default")):
        default = UNKNOWN
    made = Option(
        flags=tuple(flags),
        name=name,
        default=default,
        required=(not flags or constants.value(given.get("required")) is True)
        and constants.value(given.get("nargs")) not in ("?", "*"),
    )
    if action in ("store_true", "store_false", "store_const", "BooleanOptionalAction"):
        return _flag(made, action, constants.value(given.get("const")), has_default="default" in given)
    read = reading(given.get("type"), script)
    choices = constants.value(given.get("choices"))
    listed = tuple(choices) if isinstance(choices, list | dict) else ()
    read = _with_choices(read, listed, default, typed="type" in given)
    if read.reads == "float" and isinstance(default, int) and not isinstance(default, bool):
        made = replace(made, default=float(default))
    shown = f"type={ast.unparse(given['type'])[:40]}" if "type" in given else ""
    return replace(
        made,
        kind=_kind(action, constants.value(given["nargs"]) if "nargs" in given else None),
        reads="unknown" if action == "" else read.reads,
        words=read.words,
        null=read.null,
        choices=listed,
        declared=shown,
    )


def _action(node: ast.expr | None, constants: Constants) -> str:
    """The action's name; "" for a class of the script's own."""
    if node is None:
        return "store"
    value = constants.value(node)
    if isinstance(value, str):
        return value
    return "BooleanOptionalAction" if last_name(node) == "BooleanOptionalAction" else ""


def _flag(option: Option, action: str, const: Any, *, has_default: bool) -> Option:
    flag = option.flag
    declared = f"action={action}"
    if action == "BooleanOptionalAction":
        off = f"--no-{flag.removeprefix('--')}"
        return replace(option, kind="flag", on=flag, off=off, declared=declared)
    value = {"store_true": True, "store_false": False}.get(action, const)
    if not isinstance(value, bool):
        return replace(option, kind="other", declared=declared)
    default = option.default if has_default or action == "store_const" else not value
    made = replace(option, kind="flag", default=default, declared=declared)
    return replace(made, on=flag) if value else replace(made, off=flag)


def _kind(action: str, nargs: Any) -> Kind:
    if action in ("append", "append_const"):
        return "repeated"
    if nargs in ("+", "*") or isinstance(nargs, int) or action == "extend":
        return "list"
    if action not in ("store", "") or nargs in ("...", "A..."):
        return "other"
    return "value"


def _with_choices(read: Reading, choices: tuple[Any, ...], default: Any, *, typed: bool) -> Reading:
    """How true and false are said where the choices, or a default without a type, tell it."""
    texts = {str(choice) for choice in choices}
    pair = next((pair for pair in PAIRS if set(pair) <= texts), None)
    if pair is not None:
        return Reading("bool" if read.reads in ("text", "unknown") else read.reads, pair, read.null)
    if typed or choices:
        return read
    if isinstance(default, bool):
        return Reading("truth")  # a text, which is true unless it is empty
    word = next((pair for pair in PAIRS if default in pair), None) if isinstance(default, str) else None
    return Reading("text", word, read.null)


def _is_suppressed(node: ast.expr | None) -> bool:
    return node is not None and last_name(node) == "SUPPRESS"


def _is_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _distinct(options: list[Option]) -> list[Option]:
    """The first declaration of each option of each subcommand."""
    seen: dict[tuple[str, tuple[str, ...], str], Option] = {}
    for option in options:
        seen.setdefault((option.command, option.flags, option.name), option)
    return list(seen.values())


def _paired(options: list[Option]) -> list[Option]:
    """Flags that set one name to true and to false, `--amp` and `--no-amp`, each with both spellings."""
    made = []
    for option in options:
        if option.kind == "flag":
            same = [
                o for o in options if (o.kind, o.name, o.command) == ("flag", option.name, option.command)
            ]
            on = option.on or next((o.on for o in same if o.on), None)
            off = option.off or next((o.off for o in same if o.off), None)
            option = replace(option, on=on, off=off)
        made.append(option)
    return made
