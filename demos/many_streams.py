"""Hears trigger words for many microphones at once: a server whose connections share one loaded model.

python demos/many_streams.py computer                   for this machine, 127.0.0.1:7700
python demos/many_streams.py computer --host 0.0.0.0    for others, too; whoever reaches it may connect

Whoever connects sends audio, raw (16 kHz, mono, 16 bits) or WAV, and gets a line of JSON for each detection:

    arecord -q -f S16_LE -r 16000 -c 1 -t raw | nc 127.0.0.1 7700
"""

from __future__ import annotations

import argparse
import socketserver
import sys
from threading import Semaphore

import linnet
from linnet.cli import status_of
from linnet.cli.lines import as_json
from linnet.cli.numbers import at_least

PLACES = Semaphore(100)  # for connections; whoever finds none waits


class Connection(socketserver.StreamRequestHandler):
    """One microphone, in a thread of its own. `listen` makes a stream for it; only the model is shared."""

    timeout = 30.0  # seconds for which it may send nothing

    def handle(self) -> None:
        sender = "{}:{}".format(*self.client_address)
        try:
            for event in self.server.spotter.listen(linnet.audio.pcm(self.rfile)):
                line = as_json(event, live=False)
                print(sender, line, flush=True)
                self.wfile.write(f"{line}\n".encode())
        except (linnet.errors.LinnetError, OSError) as error:
            print(f"{sender} {error}", file=sys.stderr)


class Server(socketserver.ThreadingTCPServer):
    """A thread for every connection. The model may run in all of them at once: it keeps no state."""

    allow_reuse_address = daemon_threads = True

    def process_request(self, *connection) -> None:
        PLACES.acquire()
        super().process_request(*connection)

    def process_request_thread(self, *connection) -> None:
        super().process_request_thread(*connection)
        PLACES.release()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a bundled model's keyword or name, or a model file")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=at_least(0, 65535), default=7700, help="and the port (default: 7700)")
    options = parser.parse_args(arguments)
    spotter = linnet.TriggerWord(options.model)
    with Server((options.host, options.port), Connection) as server:
        server.spotter = spotter
        print(f"{options.host}:{options.port} listens for {', '.join(spotter.keywords)}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(status_of("many_streams.py", lambda: main(sys.argv[1:])))
