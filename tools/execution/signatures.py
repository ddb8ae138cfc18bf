"""Whether a function can be called as `train(config, trial)`: read from its file, or asked of the object.

`source_fault` reads a script without running it; `call_fault` looks at what a worker has loaded. Both use the
same sentences. Workers import this file, so it needs the standard library only.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

CALLED = "it is called as `{name}(config, trial)`: a dict of the hyperparameters, and the trial to report to"
_TRIAL_ATTRIBUTES = {"report", "should_prune", "checkpoint_dir", "number", "seed", "folder", "metric"}
_NOT_A_TRIAL = {
    *("args", "batch_size", "callback", "callbacks", "cfg", "checkpoint", "config", "criterion", "data"),
    *("dataloader", "dataset", "device", "epoch", "epochs", "fold", "gpu", "kwargs", "loader", "local_rank"),
    *("logger", "loss_fn", "model", "num_epochs", "optimizer", "options", "opts", "output_dir", "params"),
    *("rank", "resume", "save_dir", "test_loader", "train_loader", "trainer", "val_loader"),
    *("world_size", "writer"),
}
"""What a second parameter of such a name expects is no trial."""
_NAMESPACES = {"args", "arguments", "flags", "namespace", "opt", "opts", "options"}
_DICT_METHODS = {name for name in dir(dict) if not name.startswith("__")}
_COMMAND_LINES = {
    "hydra": "objective: {{command: 'python {file} {first}={{{first}}}'}}",
    "": "objective: {{command: 'python {file} --{option} {{{first}}}'}}",
}
_CLI_PACKAGES = frozenset(
    {"click", "rich_click", "asyncclick", "cloup", "typer", "hydra", "draccus", "pyrallis", "tyro", "sacred"}
)


class Fault(NamedTuple):
    """Why a function cannot be the objective, with what to write instead."""

    line: int | None
    """1-based, in the script; None where unknown."""
    text: str


@dataclass(frozen=True)
class _Function:
    """What both ways of looking find out about a function."""

    name: str
    positional: tuple[tuple[str, str | None], ...]
    """(name, the default's text or None) of each parameter that can be given by place."""
    any_number: bool
    """`*args`."""
    keyword_only: tuple[str, ...]
    """Keyword-only parameters without a default."""
    kind: Literal["plain", "coroutine", "generator"]
    only_keywords: bool = False
    """`**values` and nothing that can be given by place."""
    names: tuple[str, ...] = ()
    """Every parameter by name, keyword-only ones with a default included."""

    @property
    def shown(self) -> str:
        parts = [name if default is None else f"{name}={default}" for name, default in self.positional]
        parts += ["*args"] if self.any_number else ["*"] if self.keyword_only else []
        parts += [*self.keyword_only, *(["**values"] if self.only_keywords else [])]
        return f"{self.name}({', '.join(parts)})"


# -- a script ---------------------------------------------------------------------------------------


def source_fault(source: bytes, name: str, file: str, hyperparameters: Sequence[str] = ()) -> Fault | None:
    """Why the function `name` of a script cannot be the objective; None also where only loading it can tell.

    Args:
        file: The script as the task names it, for the fix.
        hyperparameters: Names of the space; a function that takes one of them takes no `config`.
    Raises:
        SyntaxError, ValueError: The source is not Python, or not this version's.
    """
    tree = ast.parse(source)
    found = [node for node, guarded in _bindings(tree.body, name) if not guarded]
    if not found:
        return None if _may_appear(tree, name) else _missing(tree, name, file)
    node = found[-1]
    if isinstance(node, ast.ClassDef):
        return Fault(node.lineno, _class_text(name, file))
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None  # imported or assigned: what it is shows when it is loaded
    for decorator in node.decorator_list:
        package = _package_of(decorator, tree)
        if package is not None:
            shown = ast.unparse(decorator).partition("(")[0]
            return Fault(decorator.lineno, _cli_text(name, f"@{shown}", package, file, hyperparameters))
    if node.decorator_list:
        return None  # a decorator may change what it takes
    function = _described(node)
    text = _text(function, file, hyperparameters) or _use_text(node, function, file, hyperparameters)
    return None if text is None else Fault(node.lineno, text)


def unused_names(source: bytes, names: Sequence[str]) -> list[str]:
    """Those of `names` that nothing in a script mentions, while it does mention others."""
    tree = ast.parse(source)
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.update({node.value, node.value.removeprefix("--").replace("-", "_")})
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.arg | ast.keyword):
            words.add(node.arg or "")
        elif isinstance(node, ast.Name):
            words.add(node.id)
    unused = [name for name in names if name not in words]
    return unused if len(unused) < len(names) else []  # none at all: they are read elsewhere, or as a whole


def _bindings(body: Sequence[ast.stmt], name: str, guarded: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Statements at module level that give `name` a meaning, and whether only `__main__` runs them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name == name:
                yield node, guarded
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if any((alias.asname or alias.name.partition(".")[0]) == name for alias in node.names):
                yield node, guarded
        elif isinstance(node, ast.If):
            main = any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
            yield from _bindings(node.body, name, guarded or main)
            yield from _bindings(node.orelse, name, guarded)
        elif isinstance(node, ast.Try):
            for part in (node.body, *(handler.body for handler in node.handlers)):
                yield from _bindings(part, name, guarded)
            yield from _bindings([*node.orelse, *node.finalbody], name, guarded)
        elif isinstance(node, ast.With | ast.For | ast.While):
            yield from _bindings(node.body, name, guarded)
            if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node)):
                yield node, guarded
        elif any(
            isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
            for part in ast.walk(node)
        ):
            yield node, guarded


def _may_appear(tree: ast.Module, name: str) -> bool:
    """Whether the name can come into being by what no statement shows."""
    for node in ast.walk(tree):  # no `match`: a worker may be Python 3.9
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("globals", "exec", "setattr"):
                return True
            if node.func.id in ("vars", "locals") and not node.args:
                return True
        if isinstance(node, ast.Global) and name in node.names:
            return True
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__" and node in tree.body:
            return True
    return False


def _missing(tree: ast.Module, name: str, file: str) -> Fault:
    if any(True for _ in _bindings(tree.body, name)):
        text = f"{name!r} is defined only below `if __name__ == '__main__':`. Move it to the top level."
        return Fault(next(node.lineno for node, _ in _bindings(tree.body, name)), text)
    for node in ast.walk(tree):
        inner = node.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else ()
        for part in inner:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name == name:
                assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                if isinstance(node, ast.ClassDef):
                    return Fault(part.lineno, method_text(node.name, name, file))
                text = f"{name!r} is defined inside {node.name}(). Move it to the top level of the file."
                return Fault(part.lineno, text)
    defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return Fault(None, missing_text(name, defined))


def missing_text(name: str, defined: Sequence[str]) -> str:
    """That a script defines no such function, with the nearest one that it defines."""
    close = difflib.get_close_matches(name, defined, n=1)
    has = f"; it defines {', '.join(defined[:8])}" if defined else "; it defines none"
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"defines no function {name!r}{has}.{hint}" + (
        "" if close or defined else f" Write `def {name}(config, trial):` that returns the metric."
    )


def _described(node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Function:
    spec = node.args
    places = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(places) - len(spec.defaults)) + [ast.unparse(d)[:40] for d in spec.defaults]
    yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own_scope(node))
    return _Function(
        name=node.name,
        positional=tuple((place.arg, text) for place, text in zip(places, defaults, strict=True)),
        any_number=spec.vararg is not None,
        keyword_only=tuple(
            arg.arg for arg, given in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if given is None
        ),
        kind="generator" if yields else "coroutine" if isinstance(node, ast.AsyncFunctionDef) else "plain",
        only_keywords=spec.kwarg is not None and not places and spec.vararg is None,
        names=tuple(arg.arg for arg in (*places, *spec.kwonlyargs)),
    )


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Everything inside a function, but not inside functions and classes of its own."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own_scope(child)


def _package_of(decorator: ast.expr, tree: ast.Module) -> str | None:
    """Which package that builds command lines a decorator is of; None for any other."""
    root: ast.AST = decorator
    while isinstance(root, ast.Call | ast.Attribute):
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == root.id:
                    top = alias.name.partition(".")[0]
                    return top if top in _CLI_PACKAGES else None
        elif isinstance(node, ast.ImportFrom) and node.module:
            top = node.module.partition(".")[0]
            if top in _CLI_PACKAGES and any((a.asname or a.name) == root.id for a in node.names):
                return top
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):  # app = typer.Typer()
            made = any(isinstance(target, ast.Name) and target.id == root.id for target in node.targets)
            if made and _root(node.value) != root.id:
                return _package_of(node.value.func, tree)
    return None


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _use_text(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    function: _Function,
    file: str,
    hyperparameters: Sequence[str],
) -> str | None:
    """A fault in how the body uses its first parameter (a dict) and its second (the trial)."""
    if len(function.positional) < 2:
        return None
    (config, _), (trial, default) = function.positional[:2]
    inside = list(_own_scope(node))
    stored = {part.id for part in inside if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    looks = {
        part.args[0].id
        for part in inside
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Name)
        and part.func.id in {"isinstance", "hasattr", "callable"}
        and part.args
        and isinstance(part.args[0], ast.Name)
    }
    computed = {
        part.id
        for outer in inside
        if isinstance(outer, ast.BinOp | ast.Compare | ast.UnaryOp)
        for part in ast.iter_child_nodes(outer)
        if isinstance(part, ast.Name)
    }
    if config in hyperparameters and config in computed - looks - stored:
        return (  # a dict is not computed with
            f"{function.shown} takes the hyperparameter {config} itself, but "
            f"{CALLED.format(name=node.name)}. Add " + _beside(node.name, f"{node.name}(**config)", file)
        )
    used: dict[str, list[ast.Attribute]] = {config: [], trial: []} if config != trial else {config: []}
    for part in inside:
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in used:
            used[part.value.id].append(part)
    reads = {part.attr for part in used.get(trial, [])}
    wrong = trial.casefold() in _NOT_A_TRIAL or default not in (None, "None", "True", "False")
    if wrong and not reads & _TRIAL_ATTRIBUTES and trial not in stored | looks:
        return _shape_text(function, file)
    odd = [part for part in used[config] if part.attr not in _DICT_METHODS]
    if odd and config not in stored | looks and not any(isinstance(part, ast.Try) for part in inside):
        return (
            f"line {odd[0].lineno} reads `{config}.{odd[0].attr}`, but {config} is a dict. Write "
            f"`{config}[{odd[0].attr!r}]`, or begin with `{config} = types.SimpleNamespace(**{config})`."
        )
    return None


# -- an object --------------------------------------------------------------------------------------


def call_fault(
    function: Callable[..., Any], name: str, file: str = "", hyperparameters: Sequence[str] = ()
) -> str | None:
    """Why an object cannot be called as `train(config, trial)`; None where it can or does not say."""
    package = type(function).__module__.partition(".")[0]
    if package in _CLI_PACKAGES:
        return _cli_text(name, f"{type(function).__name__} of {package}", package, file, hyperparameters)
    if isinstance(function, type):
        return _class_text(name, file)
    code = getattr(function, "__code__", None)
    if "/hydra/" in getattr(code, "co_filename", ""):
        return _cli_text(name, "@hydra.main", "hydra", file, hyperparameters)
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    bare = inspect.unwrap(function)
    kind: Literal["plain", "coroutine", "generator"] = "plain"
    if inspect.isgeneratorfunction(bare) or inspect.isasyncgenfunction(bare):
        kind = "generator"
    elif inspect.iscoroutinefunction(function):
        kind = "coroutine"
    if bare is not function:
        kind = "coroutine" if kind == "coroutine" else "plain"  # the wrapper may run a generator to its end
    parameters = list(signature.parameters.values())
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    described = _Function(
        name=name,
        positional=tuple((p.name, None if p.default is p.empty else repr(p.default)[:40]) for p in by_place),
        any_number=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        keyword_only=tuple(
            p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is inspect.Parameter.empty
        ),
        kind=kind,
        only_keywords=bool(parameters)
        and all(p.kind in (p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in parameters)
        and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD,
        names=tuple(p.name for p in parameters),
    )
    return _text(described, file, hyperparameters)


# -- the sentences ----------------------------------------------------------------------------------


def _text(function: _Function, file: str, hyperparameters: Sequence[str]) -> str | None:
    """What is wrong with what a function is and takes."""
    name = function.name
    if function.kind == "coroutine":
        return f"{name} is an async function, and calling it trains nothing. Add " + _beside(
            name, f"asyncio.run({name}(config, trial))", file
        )
    if function.kind == "generator":
        return (
            f"{name} is a generator (it has a `yield`), and calling it trains nothing. Replace `yield value` "
            f"by `trial.report(value, step)`, and `return` the final value."
        )
    places = function.positional
    needed = [given for given, default in places if default is None]
    known = set(hyperparameters) - {"config", "trial"}
    by_name = [given for given in function.names if given in known]
    # A first parameter may be a dict that happens to be called as a hyperparameter is, such as `c`.
    in_place = [given for given, _ in places[1:2] if given in known] or len(places) < 2
    if (by_name and (in_place or set(function.keyword_only) & known)) or function.only_keywords:
        return (
            f"{function.shown} takes hyperparameters one by one ({', '.join(by_name[:4] or ['**'])}), but "
            f"{CALLED.format(name=name)}. Add " + _beside(name, f"{name}(**config)", file)
        )
    if len(places) >= 2 and "trial" in places[0][0].casefold() and "trial" not in places[1][0].casefold():
        return f"{function.shown} has its parameters in the other order, but {CALLED.format(name=name)}."
    if len(needed) > 2 or function.keyword_only:
        more = [*needed[2:], *function.keyword_only]
        return (
            f"{function.shown} wants more than that ({', '.join(more[:4])}); {CALLED.format(name=name)}. "
            f"Give {more[0]} a default, such as `{more[0]}=None`."
        )
    if function.any_number or len(places) >= 2:
        return None
    if not places:
        return (
            f"{function.shown} takes no arguments, but {CALLED.format(name=name)}. Write "
            f"`def {name}(config, trial):` and read the values as `config['{_first(hyperparameters)}']`."
        )
    only = places[0][0]
    if "trial" in only.casefold():
        return (
            f"{function.shown} takes the trial alone, as an Optuna objective does, but "
            f"{CALLED.format(name=name)}. Write `def {name}(config, {only}):` and read "
            f"`config['{_first(hyperparameters)}']` instead of `{only}.suggest_...`."
        )
    if only.casefold() in _NAMESPACES:
        return (
            f"{function.shown} takes options of a command line, but {CALLED.format(name=name)}. Add "
            + _beside(name, f"{name}(argparse.Namespace(**config))", file)
        )
    return (
        f"{function.shown} takes one argument, but {CALLED.format(name=name)}. Add the second: "
        f"`def {name}({only}, trial):`."
    )


def _shape_text(function: _Function, file: str) -> str:
    name, (first, second) = function.name, (place for place, _ in function.positional[:2])
    given = "argparse.Namespace(**config)" if first.casefold() in _NAMESPACES else "config"
    rest = f", {second}=..." if function.positional[1][1] is None else ""
    return (
        f"{function.shown} takes something else as its second argument, but {CALLED.format(name=name)}. Add "
        + _beside(name, f"{name}({given}{rest})", file)
    )


def _beside(name: str, call: str, file: str) -> str:
    other = "tune" if name != "tune" else "tune_trial"
    where = f" and name it: `{file}:{other}`" if file else ""
    return f"a function, `def {other}(config, trial): return {call}`,{where}".rstrip(",") + "."


def _class_text(name: str, file: str) -> str:
    return f"{name} is a class, and the objective must be a function. Add " + _beside(
        name, f"{name}(...).fit(config)", file
    )


def method_text(owner: str, name: str, file: str) -> str:
    """That a function is a method of a class."""
    return f"{name!r} is a method of the class {owner}. Add " + _beside(
        name, f"{owner}().{name}(config)", file
    )


def _cli_text(name: str, what: str, package: str, file: str, hyperparameters: Sequence[str]) -> str:
    first = _first(hyperparameters)
    form = _COMMAND_LINES["hydra" if package == "hydra" else ""]
    fix = form.format(file=file or "train.py", first=first, option=first.replace("_", "-"))
    return (
        f"{name} is made a command line by {what}: it reads its values from there, and is not called as a "
        f"function. Write `{fix}` in the task, with every hyperparameter."
    )


def _first(hyperparameters: Sequence[str]) -> str:
    return next(iter(hyperparameters), "lr")
