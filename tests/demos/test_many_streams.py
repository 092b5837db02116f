"""The server with many streams: connections share a model and nothing else."""

import json
import runpy
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import linnet

SCRIPT = Path(__file__).parents[2] / "demos/many_streams.py"


@pytest.fixture
def address(tiny_model):
    """Where a server with the tiny model waits for connections."""
    script = runpy.run_path(str(SCRIPT))
    with script["Server"](("127.0.0.1", 0), script["Connection"]) as server:
        server.spotter = linnet.TriggerWord(tiny_model)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address
        server.shutdown()


def rest(connection):
    """The lines that come until the server ends the connection."""
    connection.shutdown(socket.SHUT_WR)
    with connection.makefile() as lines:
        return [json.loads(line) for line in lines]


def tone(seconds, start_s):
    """Silence and then what is loud to the tiny model, as raw PCM of so many seconds."""
    at = np.arange(int(seconds * 16000))
    return np.where(at < start_s * 16000, 0, 30000 * np.sin(at / 40)).astype("<i2").tobytes()


def test_each_connection_hears_its_own(address, capfd):
    connections = [socket.create_connection(address, timeout=30) for _ in range(12)]
    sent = [tone(3, 0.2 * number) for number in range(12)]
    for part in range(0, len(sent[0]), 9999):  # all at a time, cut anywhere
        for connection, pcm in zip(connections, sent, strict=True):
            connection.sendall(pcm[part : part + 9999])
    for number, connection in enumerate(connections):
        (found,) = rest(connection)
        assert found["keyword"] == "loud"
        assert 0.2 * number < found["time_s"] < 0.2 * number + 0.3
        connection.close()
    assert capfd.readouterr().out.count('"loud"') == 12


def test_an_answer_comes_at_once(address):
    with socket.create_connection(address, timeout=30) as connection, connection.makefile() as lines:
        connection.sendall(tone(2, 0.5))
        assert json.loads(lines.readline())["keyword"] == "loud"


def test_what_is_no_audio_ends_that_connection_alone(address, capfd):
    with (
        socket.create_connection(address, timeout=30) as good,
        socket.create_connection(address, timeout=30) as bad,
    ):
        bad.sendall(b"fLaC" + bytes(100))
        assert rest(bad) == []
        good.sendall(tone(1, 0.2))
        assert len(rest(good)) == 1
    assert "standard input carries FLAC" in capfd.readouterr().err


def test_what_goes_wrong_is_one_sentence(address, tmp_path):
    for arguments, wrong in (
        ([tmp_path / "gone.onnx"], "there is no model file"),
        (["computer", "--port", str(address[1])], "Address already in use"),
        (
            ["computer", "--port", "99999"],
            "error: argument --port: must be a whole number from 0 to 65535, not",
        ),
    ):
        ran = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.splitlines()[-1].startswith(f"many_streams.py: {wrong}")
