"""Members by name: ours, those of an installed package, and names that nothing has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import UnknownName
from tunesmith.registry import FAMILIES, Registry


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package installed on the path, with one good member, one broken one, and one with a name of ours."""
    (tmp_path / "stranger_package.py").write_text("GOOD = 42\n")
    info = tmp_path / "stranger_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[tunesmith.things]\ngood = stranger_package:GOOD\nbroken = stranger_package.nowhere:X\n"
        "ours = stranger_package:GOOD\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("stranger")
def test_members_of_installed_packages_stand_beside_ours_and_never_replace_them() -> None:
    things = Registry("things", "thing", {"ours": "math:pi"})
    assert things.names == ("ours", "broken", "good")
    assert things.get("good") == 42 and things.package_of("good") == "stranger-package"
    assert 3.1 < things.get("ours") < 3.2 and things.package_of("ours") is None
    with pytest.raises(UnknownName, match=r"'broken' of the package stranger-package cannot be loaded"):
        things.get("broken")


def test_an_unknown_name_is_told_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownName, match="'our' is no thing; did you mean 'ours'"):
        Registry("things", "thing", {"ours": "math:pi"}).get("our")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_every_registered_member_can_be_loaded(family: Registry) -> None:
    assert all(family.get(name) is not None for name in family.names)
