"""Thousands of damaged models: each is refused with a LinnetError, or works. None crashes or hangs Python."""

import subprocess
import sys
from pathlib import Path

import pytest
from corrupt import HARM


@pytest.mark.parametrize(
    ("kind", "models"), [("tiny_model", 2000), ("tiny_captioner", 2000), ("tiny_translator", 1000)]
)
def test_damaged_models_neither_crash_nor_hang(kind, models, request):
    script = Path(__file__).with_name("corrupt.py")
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        str(script),
        str(request.getfixturevalue(kind)),
        "0",
        str(models),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired as hung:
        raise AssertionError(f"hangs at damaged model {last_line(hung.stdout)}") from None
    assert done.returncode == 0, f"ends at damaged model {last_line(done.stdout)}: {done.stderr[-3000:]}"
    outcomes = [line.split()[1] for line in done.stdout.splitlines() if " " in line]
    assert len(outcomes) == models
    # Most damage is found out; some changes nothing that matters, such as a bit in a name or a licence.
    assert outcomes.count("refused") > models // 2
    if HARM:  # what is done to a sealed file by accident is always found out
        assert outcomes.count("fine") > models // 50
    assert done.stderr == ""


def last_line(output: str | bytes | None) -> str:
    text = output.decode() if isinstance(output, bytes) else output or ""
    return text.splitlines()[-1] if text else "0"
