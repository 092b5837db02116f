"""Thousands of damaged models: each is refused with a LinnetError, or works. None crashes or hangs Python."""

import subprocess
import sys
from pathlib import Path

import pytest

MODELS = 2000


@pytest.mark.parametrize("kind", ["tiny_model", "tiny_captioner"])
def test_damaged_models_neither_crash_nor_hang(kind, request):
    script = Path(__file__).with_name("corrupt.py")
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        str(script),
        str(request.getfixturevalue(kind)),
        "0",
        str(MODELS),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired as hung:
        raise AssertionError(f"hangs at damaged model {last_line(hung.stdout)}") from None
    assert done.returncode == 0, f"ends at damaged model {last_line(done.stdout)}: {done.stderr[-3000:]}"
    outcomes = [line.split()[1] for line in done.stdout.splitlines() if " " in line]
    assert len(outcomes) == MODELS
    # Most damage is found out; some changes nothing that matters, such as a bit in a name or a licence.
    assert outcomes.count("refused") > MODELS // 2
    assert outcomes.count("fine") > MODELS // 50
    assert done.stderr == ""


def last_line(output: str | bytes | None) -> str:
    text = output.decode() if isinstance(output, bytes) else output or ""
    return text.splitlines()[-1] if text else "0"
