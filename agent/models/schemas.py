"""A JSON schema without the keywords that a server refuses. Answers are validated by ourselves anyway."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]
DISTINCT = (
    *("additionalProperties", "$defs", "$ref", "anyOf", "oneOf", "allOf", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength"),
    *("patternProperties", "propertyNames", "prefixItems", "minProperties", "maxProperties", "$schema"),
)
"""Keywords that are no words of English: where a rejection has one, it means the keyword."""
COMMON = ("minimum", "maximum", "pattern", "default", "title", "format", "const", "enum", "definitions")
"""Keywords that are, and are taken as such only in quotes or beside the word schema."""
PLAIN = frozenset({"type", "properties", "required", "items", "description", "enum"})
"""What is left of a schema in its plainest form."""
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"
_REFUSING = re.compile(
    r"not (?:be )?(?:supported|permitted|allowed|implemented|recogni[sz]ed)|unsupported|unknown"
    r"|unrecogni[sz]ed|unexpected|does(?:n't| not) support|no support|invalid|cannot|can't|disallowed"
    r"|forbidden|remove",
    re.IGNORECASE,
)
_DEEPEST = 12


def named(words: str, sent: Schema) -> set[str]:
    """Keywords of a schema that a rejection names as refused."""
    if not _REFUSING.search(words) or "required to be supplied" in words:
        return set()
    used = keywords(sent)
    found = {name for name in DISTINCT if re.search(rf"(?<![\w$]){re.escape(name)}(?!\w)", words)}
    about = re.search(r"schema|keyword|propert", words, re.IGNORECASE)
    for name in COMMON:
        quoted = re.search(rf"[{_QUOTES}]{name}[{_QUOTES}]", words)
        if quoted or (about and re.search(rf"(?<![\w$]){name}(?!\w)", words)):
            found.add(name)
    if "$ref" in found or "definitions" in found:
        found.add("$defs")
    return found & used


def keywords(node: Any) -> set[str]:
    """Every keyword in a schema; names of properties are none."""
    if isinstance(node, list):
        return {name for each in node for name in keywords(each)}
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for name, value in node.items():
        if name in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, dict):
            found |= {each for inner in value.values() for each in keywords(inner)}
        elif name not in ("enum", "const", "default", "required", "examples"):
            found |= keywords(value)
    return found


def without(schema: Schema, dropped: Iterable[str]) -> Schema:
    """The schema without some keywords: definitions are put in place, choices become descriptions."""
    gone = set(dropped)
    if gone & {"$defs", "$ref"}:
        gone |= {"$defs", "$ref"}
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    reduced = _reduced(copy.deepcopy(schema), gone, definitions, 0)
    return reduced if isinstance(reduced, dict) else {}


def plain(schema: Schema) -> Schema:
    """The schema in the form that nearly every server takes: types, properties, lists of values."""
    return without(schema, keywords(schema) - PLAIN)


def _reduced(node: Any, gone: set[str], definitions: Schema, depth: int) -> Any:
    if isinstance(node, list):
        return [_reduced(each, gone, definitions, depth) for each in node]
    if not isinstance(node, dict):
        return node
    if depth > _DEEPEST:
        return {}  # a definition that holds itself
    if "$ref" in gone and isinstance(node.get("$ref"), str):
        target = definitions.get(node["$ref"].rpartition("/")[2], {})
        rest = {name: value for name, value in node.items() if name != "$ref"}
        return _reduced({**copy.deepcopy(target), **rest}, gone, definitions, depth + 1)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in gone and isinstance(node.get(choice), list):
            node = _without_choice(node, choice)
    if "const" in gone and "const" in node and "enum" not in gone:
        node = {**node, "enum": [node["const"]]}
    kept: Schema = {}
    for name, value in node.items():
        if name in gone:
            continue
        if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
            inner = {key: _reduced(each, gone, definitions, depth + 1) for key, each in value.items()}
            kept[name] = inner
        elif name in ("enum", "const", "default", "required", "examples"):
            kept[name] = value
        else:
            kept[name] = _reduced(value, gone, definitions, depth + 1)
    return kept


def _without_choice(node: Schema, choice: str) -> Schema:
    """One branch that may be null where there is but one; else any value, with the choices in words."""
    rest = {name: value for name, value in node.items() if name != choice}
    branches = [branch for branch in node[choice] if isinstance(branch, dict)]
    real = [branch for branch in branches if branch.get("type") != "null"]
    if len(real) == 1:
        return {**real[0], **rest, **({"nullable": True} if len(real) < len(branches) else {})}
    kinds = ", ".join(str(branch.get("type", "object")) for branch in branches)
    told = f"{rest.get('description', '')} One of: {kinds}.".strip()
    return {**rest, "description": told}
