"""Options made of a class of fields: HfArgumentParser, tyro, simple-parsing, pydantic settings and others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.task.scripts.annotations import Annotation, annotation
from tunesmith.task.scripts.constants import UNKNOWN, dotted, keywords, last_name
from tunesmith.task.scripts.function_options import parameters
from tunesmith.task.scripts.option import Declarations, Option
from tunesmith.task.scripts.source import Script

_CALLS = {
    "HfArgumentParser": "hf",
    "tyro.cli": "tyro",
    "simple_parsing.parse": "simple_parsing",
    "add_arguments": "simple_parsing",
    "draccus.parse": "draccus",
    "pyrallis.parse": "draccus",
    "CliApp.run": "pydantic",
}
_TRAINING_ARGUMENTS: dict[str, tuple[str, Any]] = {
    "learning_rate": ("float", 5e-5),
    "per_device_train_batch_size": ("int", 8),
    "weight_decay": ("float", 0.0),
    "warmup_ratio": ("float", 0.0),
    "adam_beta1": ("float", 0.9),
    "adam_beta2": ("float", 0.999),
    "max_grad_norm": ("float", 1.0),
    "label_smoothing_factor": ("float", 0.0),
}
"""Of transformers.TrainingArguments: what one would tune, with its defaults."""


@dataclass(frozen=True)
class Field:
    """A field of a class, with the fields of its classes below it by dotted names."""

    name: str
    kind: Annotation
    default: Any
    required: bool
    line: int


def dataclass_options(script: Script) -> Declarations | None:
    """What a parser makes of the script's classes; None where none is given any."""
    for call in script.calls:
        library = next(
            (v for k, v in _CALLS.items() if f".{script.full_name(call.func)}".endswith(f".{k}")), ""
        )
        if library == "simple_parsing" and not script.uses("simple_parsing"):
            continue
        if library and (found := _given(call, script, library)) is not None:
            return found
    return _tap(script) or _settings(script)


def _given(call: ast.Call, script: Script, library: str) -> Declarations | None:
    first = call.args[0] if call.args else keywords(call).get("dataclass_types", keywords(call).get("f"))
    if first is None:
        first = keywords(call).get("config_class")
    classes = list(first.elts) if isinstance(first, ast.Tuple | ast.List) else [first]
    options: list[Option] = []
    unread: list[str] = []
    for node in classes:
        name = last_name(node)
        function = script.functions.get(name)
        if function is not None and library == "tyro":
            fields = list(_of_function(function, script))
        else:
            found = next((s for s in (script, *script.beside) if name in s.constants.classes), None)
            fields = [] if found is None else list(class_fields(name, found))
            bases = {name} if found is None else _all_bases(name, found)
            if bases & {"TrainingArguments", "Seq2SeqTrainingArguments"}:
                own = {field.name for field in fields}
                fields += [f for f in _training_arguments() if f.name not in own]
            elif found is None:
                unread.append(f"the fields of {name or 'what line ' + str(call.lineno) + ' is given'}")
        options += [_option(field, library) for field in fields]
    made = Declarations(library, tuple(options), tuple(unread), complete=False)
    return made if options or unread else None


def class_fields(name: str, script: Script, above: str = "", depth: int = 0) -> Iterator[Field]:
    """Fields of a class and its bases in the script, in order; the last definition of a name counts."""
    node = script.constants.classes[name]
    made: dict[str, Field] = {}
    for base in node.bases:
        if dotted(base) in script.constants.classes and depth < 5:
            made |= {field.name: field for field in class_fields(dotted(base), script, above, depth + 1)}
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        if "ClassVar" in ast.unparse(item.annotation):
            continue
        kind = annotation(item.annotation, script)
        full = above + item.target.id
        if kind.nested and not kind.many and depth < 5 and kind.nested in script.constants.classes:
            nested = class_fields(kind.nested, script, f"{full}.", depth + 1)
            made |= {field.name: field for field in nested}
            continue
        value = _default(item.value, kind, script)
        given = keywords(item.value) if isinstance(item.value, ast.Call) else {}
        bare = isinstance(item.value, ast.Call) and last_name(item.value.func) in ("field", "Field")
        bare = bare and not item.value.args and not {"default", "default_factory"} & set(given)  # type: ignore[union-attr]
        if isinstance(given.get("metadata"), ast.Dict) and not kind.choices:
            choices = script.constants.value(given["metadata"]).get("choices")
            kind = replace(kind, choices=tuple(choices) if isinstance(choices, list) else ())
        made[full] = Field(full, kind, value, item.value is None or bare, item.lineno)
    yield from made.values()


def _default(node: ast.expr | None, kind: Annotation, script: Script) -> Any:
    if isinstance(node, ast.Call):  # field(...), Field(...), simple_parsing's choice(...)
        given = keywords(node)
        if "default_factory" in given:
            factory = given["default_factory"]
            return script.constants.value(factory.body) if isinstance(factory, ast.Lambda) else UNKNOWN
        node = given.get("default", node.args[0] if node.args else None)
    value = None if node is None else script.constants.value(node)
    if kind.reads == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return None if value is ... else value


def _all_bases(name: str, script: Script) -> set[str]:
    node = script.constants.classes[name]
    names = {last_name(base) for base in node.bases}
    return names.union(*(_all_bases(n, script) for n in names if n in script.constants.classes and n != name))


def _training_arguments() -> list[Field]:
    return [Field(n, Annotation(reads), v, False, 0) for n, (reads, v) in _TRAINING_ARGUMENTS.items()]


def _of_function(function: ast.FunctionDef, script: Script) -> Iterator[Field]:
    for argument, node in parameters(function):
        kind = annotation(argument.annotation, script)
        if kind.nested and kind.nested in script.constants.classes:
            yield from class_fields(kind.nested, script, f"{argument.arg}.")
            continue
        value = _default(node, kind, script)
        yield Field(argument.arg, kind, value, node is None, argument.lineno)


def _option(field: Field, library: str) -> Option:
    name = field.name.rpartition(".")[2] if library == "simple_parsing" else field.name
    spelled = name.replace("_", "-") if library == "tyro" else name
    made = Option(
        flags=(f"--{spelled}",),
        name=field.name,
        kind="list" if field.kind.many else "value",
        reads=field.kind.reads,
        default=field.default,
        choices=() if library == "tyro" and field.kind.enum else field.kind.choices,
        required=field.required,
        line=field.line,
        words=("true", "false") if field.kind.reads == "bool" else None,
        declared=f"the field {field.name}",
    )
    if library == "tyro":
        above, dot, last = spelled.rpartition(".")
        if field.kind.reads == "bool" and not field.kind.many and not field.required:
            return replace(made, kind="flag", on=f"--{spelled}", off=f"--{above}{dot}no-{last}")
        return replace(made, words=("True", "False"), null="None" if field.kind.optional else None)
    if library in ("pydantic", "draccus") and field.kind.many:
        return replace(made, kind="value", reads="json")
    return made


def _tap(script: Script) -> Declarations | None:
    """A class of typed-argument-parser: a bool is a flag that turns its default round."""
    for name in script.constants.classes if script.uses("tap") else ():
        if "Tap" in _all_bases(name, script):
            options = []
            for field in class_fields(name, script):
                option = _option(field, "tap")
                if field.kind.reads == "bool" and not field.kind.many and not field.required:
                    flag = option.flag
                    off = flag if field.default is True else None
                    option = replace(option, kind="flag", on=None if off else flag, off=off)
                options.append(option)
            return Declarations("tap", tuple(options), complete=False)
    return None


def _settings(script: Script) -> Declarations | None:
    """Pydantic settings that read the command line, or else the environment."""
    if not script.uses("pydantic_settings"):
        return None
    for name in script.constants.classes:
        if "BaseSettings" not in _all_bases(name, script):
            continue
        text = ast.unparse(script.constants.classes[name])
        calls = [call for call in script.calls if last_name(call.func) == name]
        from_line = "cli_parse_args=True" in text or any(
            "cli_parse_args" in (k.arg or "") for call in calls for k in call.keywords
        )
        if from_line:
            options = [_option(field, "pydantic") for field in class_fields(name, script)]
            return Declarations("pydantic", tuple(options), complete=False)
    return None
