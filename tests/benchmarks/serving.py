"""The side of a benchmark that is measured: an engine answers until it is asked no more.

Little is imported here, since what a process imports is part of its start and of its memory; and nothing that
other interpreters might lack, which some engines need.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

Answer = Callable[[str], dict[str, Any]]
"""From what is asked, a line without its end, to what was measured."""


def serve(start: Callable[[], Answer]) -> None:
    """Answer each line of standard input with one of JSON.

    Before the first stands how much of the processor's time Python has taken until ``start``, which loads the
    engine and does its first piece of work, was done; after the last, the peak of memory in MB.
    """
    answers = sys.stdout
    with redirect_stdout(sys.stderr):  # for engines that print
        answer = start()
        print(json.dumps(time.process_time()), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(line.strip())), file=answers, flush=True)
        print(json.dumps(peak_memory_mb()), file=answers, flush=True)


def peak_memory_mb() -> float:
    """The most memory this process has had at once."""
    try:
        # Not getrusage's ru_maxrss, which on Linux begins with the size of the parent.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2
