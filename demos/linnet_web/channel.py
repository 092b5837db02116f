"""The line on which the browser sends its microphone and gets scores back: a WebSocket.

Gradio's own streaming writes each piece of audio to the disk, and leaves pieces out where they come faster
than they are worked on; a detector needs every sample, and nobody wants to find them on a disk.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

import linnet
from linnet.errors import LinnetError, UsageError
from linnet_web.listen import Hearing
from linnet_web.shelf import Shelf

__all__ = ["MOST_BYTES", "listen"]

MOST_BYTES = 1 << 20
"""A longer message ends the connection; a browser sends some kB at a time."""


async def listen(socket: WebSocket, shelf: Shelf) -> None:
    """Serve one microphone until the browser hangs up.

    The browser begins with JSON, the ``model`` by its key and the ``rate`` of its audio, and gets
    `Hearing.about`. Then each message of samples is answered by `Hearing.hear`. Where something is wrong, the
    answer is an ``error``, one sentence, and the end.
    """
    await socket.accept()
    try:
        hearing = await run_in_threadpool(_begun, shelf, await socket.receive_json())
        await socket.send_json(hearing.about)
        while True:
            await socket.send_json(await run_in_threadpool(hearing.hear, await socket.receive_bytes()))
    except LinnetError as error:
        await socket.send_json({"error": str(error)})
        await socket.close()
    except (ValueError, KeyError):  # what the browser says is not JSON, or text where samples belong
        await socket.close(1003)
    except WebSocketDisconnect:
        pass


def _begun(shelf: Shelf, asked: Any) -> Hearing:
    key, rate = (asked.get("model"), asked.get("rate")) if isinstance(asked, dict) else (None, None)
    if not isinstance(key, str) or not isinstance(rate, int):
        raise UsageError("the browser did not say what it sends; reload the page")
    return Hearing(shelf.model(key, linnet.TriggerWord), rate)
