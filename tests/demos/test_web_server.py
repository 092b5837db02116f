"""What the server lets in and out, how it listens, and how it ends; test_web_browser.py uses it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

from linnet import zoo
from linnet.errors import UsageError

pytest.importorskip("gradio", reason="Gradio is not installed: pip install '.[demos]'")
pytest.importorskip("websockets", reason="websockets is not installed: pip install '.[demos]'")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from linnet_web.guard import Guard
from linnet_web.server import _address, application

HERE = "http://127.0.0.1:7860"
LINE = "ws://127.0.0.1:7860/linnet/listen"
LOUD = (0.9 * 32767 * np.sin(np.arange(16000) / 8)).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[TestClient]:
    """A browser of the page, which has the tiny model for hearing and none for the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "models", lambda: [tiny_model])
        app = application(tmp_path_factory.mktemp("uploads"), only_here=True)
    with TestClient(app, base_url=HERE) as client:
        yield client


# What goes in and out


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    for file in ("ear.js", "microphone.js", "icon.png"):
        assert client.get(f"/linnet/{file}").status_code == 200


def test_the_page_has_four_tabs_and_no_interface_for_programs(client: TestClient) -> None:
    config = client.get("/config").json()
    labels = [each["props"].get("label") for each in config["components"] if each["type"] == "tabitem"]
    assert labels == ["Listen", "Look", "Translate", "Models"]
    assert client.get("/gradio_api/info").json()["named_endpoints"] == {}


def test_other_sites_are_kept_out(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/", headers={"Origin": "null"}).status_code == 403
    assert client.get("/", headers={"Origin": HERE}).status_code == 200
    assert client.get("/", headers={"Host": "localhost:7860"}).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(LINE, headers={"Origin": "https://evil.example"}),
    ):
        pytest.fail("it was connected")


async def _length(scope: Any, receive: Any, send: Any) -> None:
    """An application that says how long the request was."""
    got, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        got, more = got + len(message["body"]), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(got).encode()})


def test_requests_are_bounded_in_size() -> None:
    most = 2 << 20
    client = TestClient(Guard(_length, most_bytes=most), base_url="http://linnet.example")
    assert client.post("/", content=bytes(most)).text == str(most)
    answer = client.post("/", content=bytes(most + 1))
    assert (answer.status_code, answer.text) == (413, "More than 2 MB are not taken.")
    assert client.post("/", headers={"Content-Length": "many"}).status_code == 413
    # In pieces it says nothing of its length.
    assert client.post("/", content=iter([bytes(most // 2)] * 2)).text == str(most)
    with pytest.raises(AssertionError):  # the client's way to say that it got no answer
        client.post("/", content=iter([bytes(most // 2)] * 3))


def test_addresses_in_place_of_files_are_not_fetched(client: TestClient) -> None:
    import gradio
    from gradio.processing_utils import async_move_files_to_cache

    payload = {"path": "http://192.0.2.1/x.wav", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(UsageError, match="takes files, not addresses"):
        asyncio.run(async_move_files_to_cache(payload, gradio.File(), check_in_upload_folder=True))


# Listening


def test_a_microphone_is_answered(client: TestClient) -> None:
    with client.websocket_connect(LINE) as line:
        line.send_json({"model": "tiny", "rate": 16000})
        about = line.receive_json()
        assert about["keywords"] == ["loud", "hiss"]
        assert about["step_s"] == 0.04
        found = []
        for piece in (LOUD[:16000], LOUD[16000:]):
            line.send_bytes(piece)
            answer = line.receive_json()
            assert len(answer["scores"][0]) == 2
            found += answer["heard"]
    assert [each["keyword"] for each in found] == ["loud"]
    assert set(found[0]) == {"keyword", "time_s", "score"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"model": "gone", "rate": 16000},
            "this model is no longer here; choose another, or drop it in again",
        ),
        ({"model": "tiny", "rate": 1}, "the microphone"),
        ({"model": "tiny", "rate": "fast"}, "the browser did not say what it sends; reload the page"),
        ({"model": [], "rate": 16000}, "the browser did not say what it sends; reload the page"),
        ({"rate": 16000}, "the browser did not say what it sends; reload the page"),
        ([], "the browser did not say what it sends; reload the page"),
    ],
)
def test_what_is_wrong_is_said_and_the_line_ends(client: TestClient, asked: Any, sentence: str) -> None:
    with client.websocket_connect(LINE) as line:
        line.send_json(asked)
        assert sentence in line.receive_json()["error"]
        with pytest.raises(WebSocketDisconnect):
            line.receive_json()


def test_half_a_sample_ends_the_line_with_a_sentence(client: TestClient) -> None:
    with client.websocket_connect(LINE) as line:
        line.send_json({"model": "tiny", "rate": 16000})
        line.receive_json()
        line.send_bytes(b"abc")
        assert "half a sample" in line.receive_json()["error"]


def test_nonsense_ends_the_line(client: TestClient) -> None:
    for nonsense in ("{", '{"model": "tiny", "rate": 16000}'):
        with client.websocket_connect(LINE) as line:
            line.send_text(nonsense)
            if nonsense != "{":
                line.receive_json()
                line.send_text("text where samples belong")
            with pytest.raises(WebSocketDisconnect):
                line.receive_json()


# The command


def test_an_address_that_cannot_be_served_on() -> None:
    with _address("127.0.0.1", 0) as (line, url):
        port = line.getsockname()[1]
        assert url == f"http://127.0.0.1:{port}"
        sentence = rf"^cannot serve on 127\.0\.0\.1, port {port} \(.+\); give another --host or --port$"
        with pytest.raises(UsageError, match=sentence), _address("127.0.0.1", port):
            pytest.fail("two serve on one port")
    for nobody in ("192.0.2.1", "x" * 80 + ".example", ".a"):
        with pytest.raises(UsageError, match="cannot serve on"), _address(nobody, 0):
            pytest.fail("this machine has no such address")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_this_machine_alone_and_leaves_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, sent: signal.Signals
) -> None:
    fonts = {"MPLCONFIGDIR": str(tmp_path_factory.mktemp("fonts"))}  # where matplotlib is, Gradio may load it
    process = subprocess.Popen(
        [sys.executable, "-m", "linnet", "web", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path), "HOME": str(tmp_path)} | fonts,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Linnet's page is at http://127.0.0.1:")
        with urlopen(line.split()[4], timeout=120) as answer:
            assert b"Linnet" in answer.read()
        if sys.platform == "linux":  # where all of 127.0.0.0/8 is this machine, which it must not serve
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", int(line.split()[4].rpartition(":")[2])), 5)
        process.send_signal(sent)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out, err) == (0, "", "")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    finally:
        process.kill()
        process.communicate()
