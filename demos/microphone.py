"""Hears a keyword in the microphone and prints when. Ctrl-C ends it.

python demos/microphone.py computer       a keyword of a bundled model
python demos/microphone.py mine.onnx      or a model file
"""

import argparse
import sys

import linnet
from linnet.cli import status_of


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("keyword", nargs="?", default="computer", help="or a model file (default: computer)")
    spotter = linnet.TriggerWord(parser.parse_args(arguments).keyword)
    with linnet.audio.microphone(on_status=print) as microphone:
        print(f"listening to {microphone.name} for {', '.join(spotter.keywords)}")
        try:
            for event in spotter.listen(microphone):
                print(f"{event.time_s:8.2f} s  {event.keyword}  {event.score:.2f}")
        except KeyboardInterrupt:
            print(f"{microphone.dropped} buffers dropped")


if __name__ == "__main__":
    sys.exit(status_of("microphone.py", lambda: main(sys.argv[1:])))
