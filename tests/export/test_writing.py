"""Files that models are exported to: whole, or not there."""

import os
import signal
import subprocess
import sys

import pytest

_EXPORT = """
import sys, time
from pathlib import Path
from linnet.cli import status_of
from linnet_export.writing import in_place_of

def run():
    with in_place_of(Path(sys.argv[1])) as part:
        part.write_bytes(b"half of it")
        print("half", flush=True)
        time.sleep(60)

sys.exit(status_of("linnet", run))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_ended_leaves_nothing(tmp_path, number):
    output = tmp_path / "model.onnx"
    output.write_bytes(b"the last one")
    command = [sys.executable, "-c", _EXPORT, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half\n"
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(number)
        assert process.stderr.read() == ""
    assert process.returncode == 130
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the last one"]
