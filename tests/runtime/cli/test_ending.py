"""How every program ends when it is told to: SIGTERM is what Ctrl-C is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from linnet.cli import status_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")


def test_sigterm_ends_a_program_as_ctrl_c_does() -> None:
    tidied = []

    def run() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        finally:
            tidied.append(True)

    before = signal.getsignal(signal.SIGTERM)
    assert status_of("program", run) == 130
    assert tidied
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_thread_may_run_a_program_and_leaves_signals_alone() -> None:
    seen: list[object] = []

    def run() -> int:
        seen.append(signal.getsignal(signal.SIGTERM))
        return 7

    thread = threading.Thread(target=lambda: seen.append(status_of("program", run)))
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM), 7]


def test_a_worker_that_is_told_to_end_says_nothing() -> None:
    code = """
import multiprocessing, time
from linnet.cli import status_of

def work(ready):
    ready.set()
    time.sleep(30)

def run():
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=work, args=(ready,))
    process.start()
    ready.wait()
    process.terminate()
    process.join()
    return 10 - process.exitcode

raise SystemExit(status_of("program", run))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (10 + signal.SIGTERM, "")


def test_ctrl_c_while_an_extension_is_loaded() -> None:
    """What loads it then raises an ImportError of its own."""

    def interrupted() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None

    assert status_of("program", interrupted) == 130
    with pytest.raises(ImportError):
        status_of("program", lambda: exec("import linnet_that_is_not_there"))
