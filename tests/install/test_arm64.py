"""Everything that the runtime asks for has wheels for 64-bit ARM: a Raspberry Pi compiles nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.install

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = [
    text.rpartition(" ")[2]
    for text in PROJECT["classifiers"]
    if text.startswith("Programming Language :: Python :: 3.")
]
# Wheels for these run on glibc 2.28 and newer: Debian 10, Raspberry Pi OS of 2021, and all that came after.
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(17, 29)] + ["manylinux2014_aarch64"]


def pinned(python: str) -> list[str]:
    """The lines of constraints.txt for that Python; pip would take those for the one that it runs on."""
    found = []
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
                found.append(f"{requirement.name}{requirement.specifier}")
    return found


def test_the_oldest_python_is_the_one_that_is_asked_for() -> None:
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


@pytest.mark.parametrize("python", PYTHONS)
def test_all_has_wheels(pip: Callable[..., None], python: str, tmp_path: Path) -> None:
    constraints, report = tmp_path / "constraints.txt", tmp_path / "report.json"
    constraints.write_text("\n".join(pinned(python)), "utf-8")
    pip(
        *("install", "--dry-run", "--ignore-installed", "--target", tmp_path / "none", "--report", report),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", python),
        *(part for platform in PLATFORMS for part in ("--platform", platform)),
        *("-c", constraints, *PROJECT["dependencies"]),
    )
    found = json.loads(report.read_text("utf-8"))["install"]
    assert {each["metadata"]["name"].lower() for each in found} >= {
        Requirement(text).name for text in PROJECT["dependencies"]
    }
    files = [each["download_info"]["url"].rpartition("/")[2] for each in found]
    assert all(name.endswith(("aarch64.whl", "-none-any.whl")) for name in files), files
