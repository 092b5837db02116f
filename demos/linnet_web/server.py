"""Serves the page: from one address, out of one temporary folder, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from linnet import zoo
from linnet.errors import UsageError
from linnet_web import channel
from linnet_web.guard import Guard
from linnet_web.shelf import Shelf
from linnet_web.uploads import MOST_BYTES, Uploads

__all__ = ["application", "serve"]

STATIC = Path(__file__).parent / "static"

_MOST_BYTES = max(MOST_BYTES.values())
_SWEEP_S = 60
_HERE = ("localhost", "127.0.0.1", "::1")

# Gradio reports its use, looks for newer versions and asks its maker's hub, unless it is told not to.
_SILENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def serve(host: str, port: int) -> None:
    """Serve the page on ``host`` and ``port``, 0 for any free one, until Ctrl-C.

    Raises UsageError where nothing can be served there, ModelError where the bundled models are damaged.
    """
    with (
        suppress(KeyboardInterrupt),
        _address(host, port) as (line, url),
        TemporaryDirectory(prefix="linnet-web-", ignore_cleanup_errors=True) as folder,
    ):
        import uvicorn

        app = application(Path(folder), only_here=host in _HERE)
        config = uvicorn.Config(
            app, log_level="critical", ws_max_size=channel.MOST_BYTES, timeout_graceful_shutdown=1
        )
        print(f"Linnet's page is at {url} (Ctrl-C ends)", flush=True)
        uvicorn.Server(config).run(sockets=[line])


def application(folder: Path, *, only_here: bool) -> Any:
    """The page as an ASGI application.

    Args:
        folder: for uploads, until they are answered.
        only_here: whether it is to answer only where it is called by this machine's own names.
    """
    os.environ.update(_SILENT, GRADIO_TEMP_DIR=str(folder))
    # Gradio reads some of that as it is imported.
    import gradio
    from gradio import processing_utils
    from starlette.applications import Starlette
    from starlette.routing import Mount, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    from linnet_web.page import build
    from linnet_web.theme import theme

    # Gradio would download what is given by its address, without bound; this page asks nobody for anything.
    processing_utils.async_ssrf_protected_download = _not_fetched
    shelf, uploads = Shelf(zoo.models()), Uploads(folder)

    @asynccontextmanager
    async def swept(_: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweep(uploads))
        yield
        task.cancel()

    async def listen(line: Any) -> None:
        await channel.listen(line, shelf)

    routes = [
        WebSocketRoute("/linnet/listen", listen),
        Mount("/linnet", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes, lifespan=swept)
    gradio.mount_gradio_app(
        app,
        build(shelf, uploads),
        path="/",
        theme=theme(),
        css_paths=[STATIC / "style.css"],
        head='<script type="module" src="linnet/ear.js"></script>',
        favicon_path=str(STATIC / "icon.png"),
        max_file_size=_MOST_BYTES,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
    )
    return Guard(app, most_bytes=_MOST_BYTES + (1 << 20), hosts=_HERE if only_here else ())


@contextmanager
def _address(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens there, and the page's address. Raises UsageError where there can be none."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        line = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that can be nobody's
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot serve on {host}, port {port} ({reason}); give another --host or --port"
        ) from None
    with line:
        name = f"[{host}]" if ":" in host else host
        yield line, f"http://{name}:{line.getsockname()[1]}"


async def _sweep(uploads: Uploads) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        uploads.sweep()


async def _not_fetched(url: str, cache_dir: str) -> str:
    raise UsageError("this page takes files, not addresses")
