"""What a stream of audio costs where one model serves many: each in a thread of its own, or all in one batch.

    python tests/benchmarks/streams.py                        # the bundled model
    python tests/benchmarks/streams.py --model my_word.onnx   # one of your own

Prints processor time per second of audio and stream, and the most memory that the process has held: the
median of a few rounds, audio in chunks of 80 ms. A batch computes with one core, threads with all there are.
"""

import argparse
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

import linnet
from linnet.cli import status_of
from linnet.cli.numbers import at_least, between

_CHUNK = 1280  # 80 ms
_ROUNDS = 5


def main() -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="computer", help="a keyword or a file (default: computer)")
    parser.add_argument("--streams", type=at_least(1), nargs="+", default=[1, 4, 16, 64], metavar="N")
    parser.add_argument(
        "--seconds", type=between(0.1, 86400), default=64.0, help="of audio, of all streams together"
    )
    options = parser.parse_args()
    spotter = linnet.TriggerWord(options.model)
    print("| streams | in threads, ms | in a batch, ms | memory, MB |")
    print("|---|---|---|---|")
    for streams in options.streams:
        chunks = max(1, round(options.seconds * 16_000 / _CHUNK / streams))
        figures = [cost(way, spotter, streams, chunks) for way in (in_threads, in_a_batch)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"| {streams} | {figures[0]:.1f} | {figures[1]:.1f} | {memory:.0f} |", flush=True)
    return 0


def cost(way: Callable[..., None], spotter: linnet.TriggerWord, streams: int, chunks: int) -> float:
    """Milliseconds of all cores per second of audio and stream."""
    taken = []
    for _ in range(_ROUNDS + 1):
        began = time.process_time()
        way(spotter, streams, chunks)
        taken.append(time.process_time() - began)
    return statistics.median(taken[1:]) * 1000 / (streams * chunks * _CHUNK / 16_000)


def in_threads(spotter: linnet.TriggerWord, streams: int, chunks: int) -> None:
    """Each stream in a thread of its own."""

    def hear() -> None:
        stream = spotter.stream()
        for _ in range(chunks):
            stream.process(noise(_CHUNK))

    threads = [threading.Thread(target=hear) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_a_batch(spotter: linnet.TriggerWord, streams: int, chunks: int) -> None:
    """All streams in one call per chunk."""
    batch = spotter.stream(batch=streams)
    for _ in range(chunks):
        batch.process(np.tile(noise(_CHUNK), (streams, 1)))


def noise(samples: int) -> np.ndarray:
    """Something to listen to: int16 (samples,)."""
    return (np.arange(samples) ** 2 * 7919 % 20_011 - 10_005).astype(np.int16)


if __name__ == "__main__":
    sys.exit(status_of("streams.py", main))
