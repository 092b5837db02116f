"""Hears a keyword in the microphone and prints when. Ctrl-C ends it.

python demos/microphone.py computer       a keyword of a bundled model
python demos/microphone.py mine.onnx      or a model file
"""

import sys

import linnet


def main() -> None:
    spotter = linnet.TriggerWord(sys.argv[1] if len(sys.argv) > 1 else "computer")
    with linnet.audio.microphone(on_status=print) as microphone:
        print(f"listening to {microphone.name} for {', '.join(spotter.keywords)}")
        try:
            for event in spotter.listen(microphone):
                print(f"{event.time_s:8.2f} s  {event.keyword}  {event.score:.2f}")
        except KeyboardInterrupt:
            print(f"{microphone.dropped} buffers dropped")


if __name__ == "__main__":
    try:
        main()
    except linnet.errors.LinnetError as error:
        sys.exit(f"microphone.py: {error}")
