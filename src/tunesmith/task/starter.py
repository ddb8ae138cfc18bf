"""`starter_task`: a commented task file for a training script, to be run or edited."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunesmith.errors import ObjectiveError
from tunesmith.space import Space
from tunesmith.space.values import show
from tunesmith.task.guesses import Guess, guess
from tunesmith.task.scripts import metrics
from tunesmith.task.scripts.assignments import constants, dictionaries
from tunesmith.task.scripts.declarations import declarations
from tunesmith.task.scripts.functions import TrainingFunction, training_function
from tunesmith.task.scripts.metrics import Metric
from tunesmith.task.scripts.notebook import read_notebook
from tunesmith.task.scripts.source import Script, read_script
from tunesmith.task.starter_command import command_of
from tunesmith.task.tunable import Left, tunable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = frozenset({"true", "false", "null"})
_UNKNOWN_METRIC = Metric("val_accuracy", "")


@dataclass(frozen=True)
class Starter:
    """A task file to be, and what to tell about it."""

    text: str
    """YAML that `load_task` accepts, with comments."""
    metric: Metric
    tuned: tuple[str, ...]
    """Names of the hyperparameters."""
    left: tuple[Left, ...] = ()
    """What the script has and the task does not."""
    notes: tuple[str, ...] = ()
    """What is still to be done by hand."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Text of the files that have to stand beside the script, by name: a launcher of it."""


@dataclass(frozen=True)
class _Found:
    """What a starter is rendered from."""

    guesses: dict[str, Guess]
    objective: str
    """The line below `objective:`."""
    metric: Metric | None
    left: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)


def starter_task(script: Path, function: str | None, folder: Path | None = None) -> Starter:
    """A task file for a script, which is parsed, never run.

    Looks for a function `(config, trial)` and the keys it reads; for options of a command line (argparse,
    click, Typer, absl, fire, dataclasses, Hydra); for a function with defaults; for a dictionary such as
    `params`; for names in capitals. Guesses a range around each current value.

    Args:
        script: The training script.
        function: Name of the training function; None to look for one.
        folder: Where the task file will be; None: beside the script.
    Raises:
        ObjectiveError: The script cannot be read, is not Python, is a notebook, has no such function, or has
            no hyperparameters that could be found; says what to do.
    """
    if script.suffix == ".ipynb":
        raise _notebook(script)
    source = read_script(script)
    place = os.path.relpath(script.absolute(), folder.absolute()) if folder is not None else script.name
    try:
        found = _find(source, function, place)
    except RecursionError:
        raise ObjectiveError(f"{script} nests too deeply to be read; no task was written.") from None
    if not found.guesses:
        raise _nothing(source, found)
    return _rendered(source, found)


def _find(source: Script, wanted: str | None, place: str) -> _Found:
    """The first way to tune the script that has anything to tune."""
    function = training_function(source, wanted)
    if function is not None and (wanted is not None or function.takes == "config and trial"):
        return _by_function(source, function, place)
    left: list[Left] = []
    declared = declarations(source)
    if declared.library:
        way = command_of(source, declared, place)
        objective = f"command: {_quoted(way.command)}"
        if way.guesses:
            return _Found(way.guesses, objective, metrics.printed(source), way.left, way.notes)
        left += way.left
    if function is not None:
        found = _by_function(source, function, place)
        if found.guesses:
            return found
        left += found.left
    found = _by_assignments(source, place)
    return found if found.guesses else replace(found, left=(*left, *found.left))


def _sorted_out(values: Mapping[str, Any]) -> tuple[dict[str, Guess], tuple[Left, ...]]:
    """Hyperparameters, and the rest with its reasons."""
    judged = {name: tunable(name, value) for name, value in values.items()}
    guesses = {name: made for name, made in judged.items() if isinstance(made, Guess)}
    return guesses, tuple(made for made in judged.values() if isinstance(made, Left))


def _by_function(source: Script, function: TrainingFunction, place: str) -> _Found:
    node = function.node
    guesses, left = _sorted_out({k: v for k, v in function.keys.items() if v is not None})
    for name in (k for k, v in function.keys.items() if v is None):
        usual = guess(name)
        if usual is not None and function.takes != "keywords":
            guesses[name] = usual
        else:
            left = (*left, Left(name, "the script states no value: add it with a range or choices"))
    metric = metrics.returned(node, source)
    values = [] if metric is not None else metrics.returned_tuple(node)
    if values:
        metric = Metric(metrics.choose(values), f"returned by {node.name}() among others")
    if metric is None and metrics.returns_something(node):
        metric = Metric("value", f"whatever {node.name}() returns; the name is yours to choose")
    ordered = {name: guesses[name] for name in function.keys if name in guesses}
    if function.takes == "config and trial" and not values:
        objective = f"function: {_quoted(f'{place}:{node.name}')}  # called as {node.name}(config, trial)"
        return _Found(ordered, objective, metric, left)
    launcher = f"tune_{_module(source.path.stem)}.py"
    text = _template("launch_function.py.j2").render(
        script=_shown(source.path.name),
        file=repr(source.path.name),
        launcher=launcher,
        stem=source.path.stem,
        plain=source.path.stem.isidentifier(),
        name=node.name,
        arguments={"keywords": "**config", "config": "config"}.get(function.takes, "config, trial"),
        values=values,
    )
    beside = os.path.join(os.path.dirname(place), launcher)
    call = f"{node.name}({'**config' if function.takes == 'keywords' else 'config'})"
    if metric is not None:
        objective = f"function: {_quoted(f'{beside}:objective')}  # which calls {call}"
        return _Found(ordered, objective, metric, left, files={launcher: text})
    objective = f"command: {_quoted(f'python {_word(beside)} {{config}}')}"
    note = f"{node.name}() returns nothing, so its metric has to be printed as a line of JSON."
    printed = metrics.printed(source)
    notes = () if printed is not None else (note,)
    return _Found(ordered, objective, printed, left, notes, {launcher: text})


def _by_assignments(source: Script, place: str) -> _Found:
    """A dictionary, or else names in capitals, replaced by a launcher that stands beside the script."""
    name, entries = "", constants(source)
    guesses, left = _sorted_out(entries)
    for dictionary, values in dictionaries(source).items():
        made, others = _sorted_out(values)
        if len(made) > len(guesses) or (made and not name):
            name, entries, guesses, left = dictionary, values, made, others
    if not guesses:
        return _Found({}, "", None, left)
    printed = metrics.printed(source)
    at_end = metrics.assigned(source)
    as_variable = at_end is not None and (printed is None or printed.printed_in_words)
    metric = at_end if as_variable else printed
    seeds = [n for n in entries if n.rpartition(".")[2].casefold() in ("seed", "random_seed", "random_state")]
    launcher = f"tune_{_module(source.path.stem)}.py"
    text = _template("launch_script.py.j2").render(
        script=_shown(source.path.name),
        file=repr(source.path.name),
        launcher=launcher,
        dictionary=name,
        seed=seeds[0] if seeds else None,
        example=_shown(json.dumps({n: g.default for n, g in list(guesses.items())[:1]})),
        metric=at_end.name if as_variable and at_end is not None else None,
    )
    beside = os.path.join(os.path.dirname(place), launcher)
    objective = f"command: {_quoted(f'python {_word(beside)} {{config}}')}"
    return _Found(guesses, objective, metric, left, files={launcher: text})


def _nothing(source: Script, found: _Found) -> ObjectiveError:
    texts = [node.value for node in source.nodes if isinstance(node, ast.Constant)]
    files = [text for text in texts if isinstance(text, str) and _is_config(text)]
    hint = (
        f"It seems to read {_comment(files[0])}: let it update what it reads by the JSON in the environment "
        "variable TUNESMITH_CONFIG, and write `command: python ... {config}`. Or write"
        if files
        else "Write"
    )
    if asked := metrics.suggested(source):
        hint = (
            f"It asks an Optuna trial for its values ({_comment(', '.join(asked[:12]))}). Let the function "
            f"take them, `def objective(config, trial):`, with `config[{asked[0]!r}]` for "
            f"`trial.suggest_...({asked[0]!r}, ...)`, and run `tunesmith init` again. Or write"
        )
    left = "".join(f"\n  {_comment(item.name)}: {_comment(item.reason)}" for item in found.left[:20])
    seen = f" Found, and not taken:{left}\n" if left else " "
    return ObjectiveError(
        f"{source.path}: no hyperparameters were found, so no task was written.{seen}{hint} a function "
        "train(config, trial) that returns the metric, or give the script options such as --lr, and run "
        "`tunesmith init` again."
    )


def _is_config(text: str) -> bool:
    return len(text) < 200 and text.endswith((".yaml", ".yml", ".json", ".toml"))


def _notebook(path: Path) -> ObjectiveError:
    """Why no task is written for a notebook, with what is in it and how to go on."""
    source = read_notebook(path)
    found = _find(source, None, path.name)
    names = ", ".join(list(found.guesses)[:12])
    holds = f" Hyperparameters in it: {names}." if names else " No hyperparameters were recognised in it."
    script = path.with_suffix(".py").name
    return ObjectiveError(
        f"{path} is a notebook, which a trial cannot run as it is; no task was written.{holds} Turn it into "
        f"a script and start again: `jupyter nbconvert --to script {path.name}`, then `tunesmith init "
        f"{script}`. Or keep it: tag the cell of the hyperparameters `parameters`, and write a script that "
        f"calls `papermill.execute_notebook({path.name!r}, ..., parameters=config)` and prints the metric."
    )


def _rendered(source: Script, found: _Found) -> Starter:
    Space({name: made.parameter for name, made in found.guesses.items()})  # legal, or a fault of ours
    metric = found.metric or _UNKNOWN_METRIC
    notes = list(found.notes)
    if found.metric is None:
        notes.append("No metric was recognised: the script has to print a line of JSON that holds it.")
    parameters = [
        {"key": _key(n), "range": _flow(g), "default": _scalar(g.default), "stated": g.stated}
        for n, g in found.guesses.items()
    ]
    text = _template("starter.yaml.j2").render(
        script=_comment(source.path.name),
        notes=[_comment(note) for note in notes],
        left=[f"{_comment(item.name)}: {_comment(item.reason)}" for item in found.left],
        description=_quoted(f"Tune {source.path.name}."),
        metric=_metric(metric),
        metric_source=_comment(metric.source),
        direction=metric.direction,
        sure_of_direction=metric.sure_of_direction,
        resources=[_key(name) for name in metric.resources if name not in found.guesses],
        objective=found.objective,
        parameters=parameters,
    )
    return Starter(text, metric, tuple(found.guesses), found.left, tuple(notes), found.files)


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tunesmith.task", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def _metric(metric: Metric) -> str:
    if not metric.printed_in_words:
        return _quoted(metric.name)
    label = re.sub(r"\s+", r"\\s", re.sub(r"([^\w\s])", r"\\\1", metric.label))
    part = rf"\b{metric.part}\b.*?" if metric.part else ""
    pattern = rf"{part}\b{label}[\s:=]*(?P<value>[-+0-9.eE]+|nan|inf)"
    return f"{{name: {_key(metric.name)}, regex: '{pattern}'}}"


def _flow(made: Guess) -> str:
    """`{type: float, low: 1e-5, high: 0.1, scale: log}`."""
    parts = []
    for key, value in made.parameter.to_dict().items():
        shown = "[" + ", ".join(map(_scalar, value)) + "]" if isinstance(value, list) else _scalar(value)
        parts.append(f"{key}: {shown}")
    return "{" + ", ".join(parts) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _key(value) if isinstance(value, str) else show(value)


def _key(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.casefold() not in _SPECIAL else json.dumps(text)


def _quoted(text: str) -> str:
    """Bare where YAML reads it so."""
    bare = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./]*(:[A-Za-z0-9_]+)?", text) and text.casefold() not in _SPECIAL
    return text if bare else json.dumps(text)


def _word(text: str) -> str:
    """A word of a command as a shell would have it."""
    return shlex.quote(text)


def _shown(text: str) -> str:
    """Fit for a docstring."""
    return re.sub(r"\\|\"{3}|[^ -~]", "?", text)


def _module(stem: str) -> str:
    return re.sub(r"\W+", "_", stem).strip("_") or "script"


def _comment(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
