"""What the tests of installing share: pip; they are skipped where it reaches no package index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def pip() -> Callable[..., None]:
    """Run pip, of this environment or of another whose Python is given."""
    pytest.importorskip("pip")
    environment = os.environ | {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("PYTHONPATH", None)  # what it leads to is not installed

    def run(*arguments: object, python: object = sys.executable) -> None:
        command = [str(python), "-m", "pip", *map(str, arguments), "--quiet"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        said = ran.stdout + ran.stderr
        if ran.returncode and "after connection broken by" in said:
            pytest.skip("the package index cannot be reached")
        if ran.returncode and "no such option" in said:
            pytest.skip("this pip is too old; python -m pip install --upgrade pip")
        assert ran.returncode == 0, said

    return run
