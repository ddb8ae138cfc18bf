"""A new build of the tuner is known as one; new comments are not a new build."""

from __future__ import annotations

from pathlib import Path

from tunesmith.bench.contenders.build import code_digest

FILES = {
    "methods/gp/__init__.py": "",
    "methods/gp/strategy.py": '"""Words."""\nfrom tunesmith.agent.knowledge import lr\nX = 1\n',
    "methods/gp/unrelated.py": "Y = 1\n",
    "knowledge/__init__.py": "from tunesmith.agent.knowledge.cards import find_card\n",
    "knowledge/cards.py": "def find_card():\n    return 1\n",
    "knowledge/cards.yaml": "lr: 1\n",
}


def digest(folder: Path, **changes: str) -> str:
    for name, text in {**FILES, **{k.replace("__", "/"): v for k, v in changes.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return code_digest(folder)


def test_only_code_and_knowledge_that_the_tuner_uses_count(tmp_path: Path) -> None:
    same = digest(tmp_path)
    source = FILES["methods/gp/strategy.py"]
    commented = source.replace('"""Words."""', '"""Other\nwords."""\n# a comment\n')
    for text, differs in ((commented, False), (source.replace("X = 1", "X = 2"), True)):
        (tmp_path / "methods/gp/strategy.py").write_text(text)
        assert (code_digest(tmp_path) != same) == differs
    digest(tmp_path)
    (tmp_path / "methods/gp/unrelated.py").write_text("Y = 2\n")
    assert code_digest(tmp_path) == same
    for name, text in (
        ("knowledge/cards.py", "def find_card():\n    return 2\n"),
        ("knowledge/cards.yaml", "lr: 2\n"),
    ):
        digest(tmp_path)
        (tmp_path / name).write_text(text)
        assert code_digest(tmp_path) != same
