"""The build of our tuner: a digest of the code that decides, so that runs of other builds are told apart."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = "tunesmith.agent"
START = "tunesmith.agent.methods.gp.strategy"


@cache
def our_version(start: str = START) -> str:
    """Package version and 8 hexadecimal digits of the tuner's code, such as `0.1.0+4f1c22ab`.

    In the digest are the module `start`, by default that of the Gaussian-process strategy, and all that it
    imports from `tunesmith.agent`, directly or not, with the data files beside the knowledge cards. Comments,
    docstrings and blank lines do not count.
    """
    import tunesmith.agent

    folder = Path(tunesmith.agent.__file__).parent
    return f"{metadata.version('tunesmith')}+{code_digest(folder, start)}"


def code_digest(folder: Path, start: str = START) -> str:
    """The digest for the package `tunesmith.agent` in `folder`."""
    waiting, texts = [start], dict[str, str]()
    while waiting:
        module = waiting.pop()
        path = _file(folder, module)
        if path is None or module in texts:
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        texts[module] = _bare(source, tree)
        waiting += _imported(tree)
    digest = hashlib.blake2b(digest_size=4)
    for module in sorted(texts):
        digest.update(f"{module}\n{texts[module]}\n".encode())
    for data in sorted((folder / "knowledge").glob("*.yaml")):
        digest.update(data.read_bytes())
    return digest.hexdigest()


def _file(folder: Path, module: str) -> Path | None:
    parts = module.removeprefix(ROOT).strip(".").split(".")
    place = folder.joinpath(*parts)
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


def _imported(tree: ast.AST) -> list[str]:
    """Modules below ROOT that a module imports; what is imported from a package may be a module of it."""
    modules: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{ROOT}."):
            modules += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names if alias.name.startswith(f"{ROOT}.")]
    return modules


def _bare(source: str, tree: ast.Module) -> str:
    """The source without docstrings, blank lines and lines that are comments; the same in every Python."""
    words: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            words |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(source.splitlines(), start=1)
    kept = [line.rstrip() for number, line in lines if number not in words]
    return "\n".join(line for line in kept if line and not line.lstrip().startswith("#"))
