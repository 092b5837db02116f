"""Stops computations that take too long, at next to no cost for those that do not.

A timer thread per call would cost more than a call on 80 ms of audio does. So one thread serves the process:
it looks at the deadlines now and then, and sleeps while nothing has been running for a while.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

__all__ = ["arm", "disarm"]

_LOOK_EVERY_S = 0.5

_armed: dict[int, tuple[float, Any]] = {}
_busy = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def arm(options: Any, limit_s: float) -> None:
    """Set ``options.terminate`` (of an onnxruntime RunOptions) ``limit_s`` from now, unless disarmed before.

    It may happen up to half a second late.
    """
    _armed[id(options)] = (time.monotonic() + limit_s, options)
    if not _busy.is_set():
        _wake()


def disarm(options: Any) -> None:
    """Take back `arm`."""
    _armed.pop(id(options), None)


def _wake() -> None:
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_watch, name="linnet-watchdog", daemon=True)
            _thread.start()
    _busy.set()


def _watch() -> None:
    idle = 0
    while True:
        _busy.wait()
        time.sleep(_LOOK_EVERY_S)
        now = time.monotonic()
        running = list(_armed.values())
        for deadline, options in running:
            if now >= deadline:
                options.terminate = True
        idle = 0 if running else idle + 1
        if idle > 20:
            _busy.clear()
            # Whoever armed between the look and the clearing saw the thread awake and did not wake it.
            if _armed:
                _busy.set()


def _forget() -> None:
    """After a fork the child has a copy of all this but not the thread."""
    global _busy, _lock, _thread
    _armed.clear()
    _busy, _lock, _thread = threading.Event(), threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
