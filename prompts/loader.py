"""Reads and fills the templates of this folder.

A template `family/name.vN.j2` starts with a header that declares every variable with its meaning:

    ---
    about: One line on what the prompt is for.
    variables:
      metric: name of the metric
      n: how many configurations are wanted
    ---
    ===== system
    You tune {{ metric }} ...
    ===== user
    Propose {{ n }} ...

Text before the first `=====` line, or all of it where there is none, is one message of role `user`.
Messages are split before they are filled, so nothing in a value can open a message of its own, and
values are never rendered twice, so braces in them stay braces.

Changing a template that a release has shipped means adding `vN+1`: trials record the id they came from. A
block that is empty for every run that there was may be added instead: their text stays, so they replay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta

from tunesmith.errors import PromptError
from tunesmith.text.cleaning import clean, fenced

_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*")
_ROLE = re.compile(r"^===== (system|user)\n", re.MULTILINE)
_VARIABLE = re.compile(r"  ([a-z][a-z0-9_]*): (\S.*)")


@dataclass(frozen=True)
class Prompt:
    """A filled template.

    Attributes:
        id: Where it came from, such as `hybrid/candidates.v2`.
        messages: (role, text) in order.
    """

    id: str
    messages: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """All messages as one text; the whole of a template without roles."""
        return "\n\n".join(text for _, text in self.messages)

    def as_chat(self) -> list[dict[str, str]]:
        """Messages as the chat-completions protocol wants them."""
        return [{"role": role, "content": text} for role, text in self.messages]


@dataclass(frozen=True)
class _Source:
    about: str
    variables: Mapping[str, str]  # name -> meaning
    messages: tuple[tuple[str, Template], ...]


def render(name: str, /, *, version: int = 1, **values: Any) -> Prompt:
    """Fill template `name` (`family/name`) with exactly its declared variables.

    Raises:
        PromptError: no such template; a variable missing or not declared; a template whose header and
            body disagree; a value without an attribute that the template asks for.
    """
    identifier = f"{name}.v{version}"
    source = _load(identifier)
    missing = sorted(source.variables.keys() - values.keys())
    undeclared = sorted(values.keys() - source.variables.keys())
    if missing or undeclared:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"not declared: {', '.join(undeclared)}"] if undeclared else []
        raise PromptError(f"prompt {identifier}: {'; '.join(parts)}")
    try:
        filled = tuple((role, template.render(values).strip()) for role, template in source.messages)
    except TemplateError as error:
        raise PromptError(f"prompt {identifier}: {error}") from error
    return Prompt(identifier, filled)


def identifiers() -> tuple[str, ...]:
    """Ids of every template there is, sorted."""
    found = []
    for family in files("tunesmith.prompts").iterdir():
        if family.is_dir():
            found += [
                f"{family.name}/{file.name.removesuffix('.j2')}"
                for file in family.iterdir()
                if file.name.endswith(".j2")
            ]
    return tuple(sorted(found))


def _environment() -> Environment:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["clean"] = clean
    environment.filters["fenced"] = fenced
    return environment


@cache
def _load(identifier: str) -> _Source:
    name, _, _ = identifier.rpartition(".v")
    file = files("tunesmith.prompts").joinpath(f"{identifier}.j2")
    if not _NAME.fullmatch(name) or not file.is_file():
        raise PromptError(f"there is no prompt {identifier!r}; there are: {', '.join(identifiers())}")
    return parse(identifier, file.read_text(encoding="utf-8"))


def parse(identifier: str, text: str) -> _Source:
    """Read one template's text; see the module's docstring for the format.

    Raises:
        PromptError: a header that is missing or malformed, or that does not name exactly the
            variables the body uses.
    """
    header, body = _split_header(identifier, text)
    about, variables = _read_header(identifier, header)
    pieces = _ROLE.split(body)
    sections = [("user", pieces[0])] if pieces[0].strip() else []
    sections += list(zip(pieces[1::2], pieces[2::2], strict=True))
    environment = _environment()
    used: set[str] = set()
    messages = []
    for role, section in sections:
        try:
            used |= meta.find_undeclared_variables(environment.parse(section))
            messages.append((role, environment.from_string(section)))
        except TemplateError as error:
            raise PromptError(f"prompt {identifier}: {error}") from error
    if used != variables.keys():
        raise PromptError(
            f"prompt {identifier}: the header must declare exactly what the text uses; "
            f"used but not declared: {sorted(used - variables.keys()) or 'none'}, "
            f"declared but not used: {sorted(variables.keys() - used) or 'none'}"
        )
    return _Source(about, variables, tuple(messages))


def _split_header(identifier: str, text: str) -> tuple[str, str]:
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0]:
        raise PromptError(f"prompt {identifier}: it must start with a header between two '---' lines")
    return parts[1], parts[2]


def _read_header(identifier: str, header: str) -> tuple[str, dict[str, str]]:
    lines = header.splitlines()
    if len(lines) < 2 or not lines[0].startswith("about: ") or lines[1] != "variables:":
        raise PromptError(f"prompt {identifier}: the header needs 'about: ...', then 'variables:'")
    variables: dict[str, str] = {}
    for line in lines[2:]:
        match = _VARIABLE.fullmatch(line)
        if match is None or match[1] in variables:
            raise PromptError(f"prompt {identifier}: not a declaration 'name: meaning': {line!r}")
        variables[match[1]] = match[2]
    return lines[0].removeprefix("about: "), variables
