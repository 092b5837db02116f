"""What every request and every answer of the server goes through."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

__all__ = ["Guard"]

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'self'"
)
"""The page gets nothing from elsewhere and sends nothing there, whatever it is made of."""


class Guard:
    """ASGI middleware. Refuses requests that are too large or that another site's page made; keeps the page
    from asking anybody else.
    """

    def __init__(self, app: Any, *, most_bytes: int, hosts: Collection[str] = ()) -> None:
        """Guard ``app``.

        Args:
            app: to guard.
            most_bytes: of a request.
            hosts: names that the server may be called by; any where there are none. On 127.0.0.1 this keeps
                out a site that gives its own name this address.
        """
        self._app = app
        self._most_bytes = most_bytes
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        strange = bool(self._hosts) and urlsplit(f"//{host}").hostname not in self._hosts
        if strange or (origin is not None and urlsplit(origin).netloc != host):
            await _refuse(scope, receive, send, 403, "This page is not for other sites.")
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most_bytes:
            await _refuse(scope, receive, send, 413, f"More than {self._most_bytes >> 20} MB are not taken.")
            return
        await self._app(scope, self._bounded(receive), _secured(send))

    def _bounded(self, receive: Any) -> Any:
        """``receive``, which hangs up on a request that says nothing of its length and grows too long."""
        got = 0

        async def bounded() -> Any:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            return {"type": "http.disconnect"} if got > self._most_bytes else message

        return bounded


def _secured(send: Any) -> Any:
    async def secured(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = _POLICY
            headers["Referrer-Policy"] = "no-referrer"
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return secured


async def _refuse(scope: Any, receive: Any, send: Any, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(sentence, status)(scope, receive, send)
