"""What a script seems to be judged by: what its training function returns, or what it prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.task.scripts.constants import dotted, last_name
from tunesmith.task.scripts.source import Script

SMALLER_IS_BETTER = re.compile(r"loss|err|rmse|mse|mae|perplexity|ppl|bpb|regret|latency|nll|cost|distance")
LARGER_IS_BETTER = re.compile(r"acc|auc|f1|score|r2|reward|precision|recall|iou|dice|bleu|rouge|map")
_WORD = re.compile(r"([A-Za-z][\w\-/]*(?: [A-Za-z]\w*)?)\s*[:=]?\s*$")


@dataclass(frozen=True)
class Metric:
    """A guess, with where it comes from."""

    name: str
    source: str
    """A sentence's end: `returned by train()`; empty where nothing was found and the name is made up."""
    printed_in_words: bool = False
    """Whether it stands in a printed line of words rather than in JSON."""
    label: str = ""
    """The word before the value in such a line."""

    @property
    def direction(self) -> str:
        return "minimize" if SMALLER_IS_BETTER.search(self.name.casefold()) else "maximize"

    @property
    def sure_of_direction(self) -> bool:
        name = self.name.casefold()
        return bool(SMALLER_IS_BETTER.search(name) or LARGER_IS_BETTER.search(name))


def returned(function: ast.FunctionDef, script: Script) -> Metric | None:
    """The value that a function returns; None where it returns nothing that has a name."""
    names: list[str] = []
    for node in _own_nodes(function):
        if isinstance(node, ast.Return) and node.value is not None:
            names += _names(node.value, function)
    return Metric(choose(names), f"returned by {function.name}()") if names else None


def returns_something(function: ast.FunctionDef) -> bool:
    """Whether a function returns a value at all."""
    return any(
        isinstance(node, ast.Return)
        and node.value is not None
        and not (isinstance(node.value, ast.Constant) and node.value.value is None)
        for node in _own_nodes(function)
    )


def printed(script: Script) -> Metric | None:
    """The value that a script prints, as JSON or else in words."""
    sources = (script, *script.beside)
    as_json = [name for source in sources for name in (*_in_json(source), *_in_dicts(source))]
    if as_json:
        return Metric(choose(as_json), "printed as JSON or a dict")
    labels = {_as_name(label): label for source in sources for label in _in_words(source)}
    known = [n for n in labels if SMALLER_IS_BETTER.search(n) or LARGER_IS_BETTER.search(n)]
    if not known:
        return None
    name = choose(known)
    return Metric(name, f"printed after {labels[name]!r}", printed_in_words=True, label=labels[name])


def assigned(script: Script) -> Metric | None:
    """A value that the script's own level binds to a name such as `val_acc`, for a launcher to print."""
    names = [
        node.targets[0].id
        for node in script.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call | ast.BinOp | ast.Attribute | ast.Subscript)
    ]
    names = [n for n in names if SMALLER_IS_BETTER.search(n) or LARGER_IS_BETTER.search(n)]
    fit = [name for name in names if not re.search(r"fn|func|criterion|optim|[^s]s$", name)]
    return Metric(choose(fit), f"the variable {choose(fit)} at the script's end") if fit else None


def choose(names: list[str]) -> str:
    """The most telling name: validation before training, a known word before others, the first of equals."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        word = name.casefold()
        return (
            "train" in word or "test" in word,
            not (LARGER_IS_BETTER.search(word) or SMALLER_IS_BETTER.search(word)),
            not word.startswith("val"),
        )

    return min(names, key=rank)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += list(ast.iter_child_nodes(node))


def _names(node: ast.expr, scope: ast.AST, depth: int = 0) -> list[str]:
    """Names of the values that an expression stands for."""
    if depth > 5:
        return []
    if isinstance(node, ast.Dict):
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        return [key for key in keys if isinstance(key, str) and _is_name(key)]
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name == "dict" and not node.args:
            return [k.arg for k in node.keywords if k.arg and _is_name(k.arg)]
        if name in ("float", "round", "mean", "max", "min", "sum") and node.args:
            return _names(node.args[0], scope, depth + 1)
        if name in ("item", "mean", "tolist") and isinstance(node.func, ast.Attribute):
            return _names(node.func.value, scope, depth + 1)
        return []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return [node.slice.value] if isinstance(node.slice.value, str) and _is_name(node.slice.value) else []
    if isinstance(node, ast.Name):
        for other in ast.walk(scope):
            bound = isinstance(other, ast.Assign) and any(dotted(t) == node.id for t in other.targets)
            if bound and isinstance(other, ast.Assign) and isinstance(other.value, ast.Dict):
                return _names(other.value, scope, depth + 1)
        return [node.id]
    return [node.attr] if isinstance(node, ast.Attribute) else []


def _in_json(script: Script) -> Iterator[str]:
    for call in script.calls:
        if last_name(call.func) in ("dumps", "dump") and call.args:
            names = _names(call.args[0], script.tree) if not isinstance(call.args[0], ast.Attribute) else []
            literal = isinstance(call.args[0], ast.Dict | ast.Call)
            yield from (name for name in names if literal or not isinstance(call.args[0], ast.Name) or
                        name != call.args[0].id)  # fmt: skip


def _in_dicts(script: Script) -> Iterator[str]:
    """Keys of dicts that are printed as they are, which is read as well."""
    for call in script.calls:
        if (
            dotted(call.func) == "print"
            and len(call.args) == 1
            and isinstance(call.args[0], ast.Dict | ast.Name)
        ):
            names = _names(call.args[0], script.tree)
            whole = isinstance(call.args[0], ast.Name) and names == [call.args[0].id]
            yield from () if whole else names


def _in_words(script: Script) -> Iterator[str]:
    """Labels directly before a formatted value in what is printed or logged."""
    for call in script.calls:
        if last_name(call.func) not in ("print", "info", "write", "tqdm", "set_description", "log"):
            continue
        for argument in call.args[:1]:
            if isinstance(argument, ast.JoinedStr):
                yield from _labels(argument)
            elif (
                isinstance(argument, ast.Constant) and isinstance(argument.value, str) and len(call.args) > 1
            ):
                yield from _label(argument.value)
            elif isinstance(argument, ast.BinOp) and isinstance(argument.left, ast.Constant):
                parts = re.split(r"%[-+.\d]*[dfegs]", str(argument.left.value))
                yield from (label for part in parts[:-1] for label in _label(part))
            elif isinstance(argument, ast.Call) and last_name(argument.func) == "format":
                text = argument.func.value if isinstance(argument.func, ast.Attribute) else None
                if isinstance(text, ast.Constant):
                    parts = re.split(r"\{[^{}]*\}", str(text.value))
                    yield from (label for part in parts[:-1] for label in _label(part))


def _labels(text: ast.JoinedStr) -> Iterator[str]:
    before = ""
    for part in text.values:
        if isinstance(part, ast.Constant):
            before = str(part.value)
        else:
            yield from _label(before)
            before = ""


def _label(text: str) -> Iterator[str]:
    found = _WORD.search(text)
    if found is not None and text.strip():
        yield found[1]


def _as_name(label: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", label.casefold()).strip("_")


def _is_name(text: str) -> bool:
    return text.isidentifier() and text not in ("step", "epoch", "iteration")
