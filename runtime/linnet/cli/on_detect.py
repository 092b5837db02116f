"""Runs a command on each detection while listening goes on: ``linnet listen --on-detect``."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, cast

from linnet.decider import Detection

__all__ = ["Commands"]

AT_ONCE = 4
"""Commands that run at the same time; further ones wait."""

_WAITING = 32  # more than that are skipped, and it is said
_LINES = 20  # of each command's output that are shown


class Commands:
    """A command for the shell, run once per detection by a few threads.

    The command is run as the user wrote it. What was detected stands in the environment variables
    LINNET_KEYWORD, LINNET_TIME (seconds since the start) and LINNET_SCORE, and never becomes part of the text
    that the shell reads.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._jobs: queue.Queue[dict[str, str]] = queue.Queue(_WAITING)
        self._said: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, found: Detection) -> None:
        """Run the command for a detection, as soon as fewer than AT_ONCE are running."""
        about = {
            "LINNET_KEYWORD": found.keyword,
            "LINNET_TIME": f"{found.time_s:.3f}",
            "LINNET_SCORE": f"{found.score:.4f}",
        }
        try:
            self._jobs.put_nowait(about)
        except queue.Full:
            self._said.put(
                (f"--on-detect is too slow: not run for {found.keyword} at {found.time_s:.2f} s", True)
            )
        if len(self._threads) < AT_ONCE:
            # A daemon, so that a command that never ends does not keep the program alive.
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def said(self) -> Iterator[tuple[str, bool]]:
        """What commands printed (False), and what went wrong with them (True), since the last call."""
        while not self._said.empty():
            yield self._said.get()

    def close(self, patience_s: float) -> int:
        """Wait for commands to end, but no longer than ``patience_s``; returns how many have not."""
        until = time.monotonic() + patience_s
        while self._jobs.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)
        return self._jobs.unfinished_tasks

    def _work(self) -> None:
        while True:
            about = self._jobs.get()
            try:
                self._run(about)
            except (OSError, ValueError) as error:
                self._said.put((f"--on-detect could not be run: {error}", True))
            finally:
                self._jobs.task_done()

    def _run(self, about: dict[str, str]) -> None:
        with subprocess.Popen(
            self._command,
            shell=True,
            env={**os.environ, **about},
            stdin=subprocess.DEVNULL,  # ours may be the audio
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            output = cast("BinaryIO", process.stdout)
            # Lines of bounded length, all read so that the command never waits for us, the first ones shown.
            for number, line in enumerate(iter(partial(output.readline, 1000), b"")):
                if number < _LINES:
                    self._said.put((line.decode(errors="replace").rstrip(), False))
        if process.returncode:
            status = f"--on-detect ended with status {process.returncode} for {about['LINNET_KEYWORD']}"
            self._said.put((status, True))
