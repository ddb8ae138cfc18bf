"""List the packages, found in the mapped top-level folders; all else is in pyproject.toml."""

from setuptools import find_packages, setup

TOP = ("agent", "tools", "tui", "prompts")

linked = [f"tunesmith.{top}{rest}" for top in TOP for rest in ("", ".*")]
core = find_packages("src", exclude=linked)
mapped = find_packages(".", include=[f"{top}{rest}" for top in TOP for rest in ("", ".*")])
setup(packages=core + [f"tunesmith.{name}" for name in mapped])
