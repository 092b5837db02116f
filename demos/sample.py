"""Finds trigger words in a sample recording, and prints what was heard next to what is said there.

python demos/sample.py

Beside the recording, sample.json names the keywords to listen for and lists all that is said:
{"keywords": ["alexa"], "said": [{"text": "alexa", "start_s": 1.2, "end_s": 1.9}, ...]}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import linnet
from linnet.cli import status_of

SAMPLE = Path(__file__).with_name("sample.wav")


def main(arguments: list[str]) -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    hear()


def hear(sample: Path = SAMPLE, model: str | None = None) -> list[linnet.Detection]:
    """Listen to a recording for the keywords that its notes name, or for those of a model file."""
    notes = json.loads(sample.with_suffix(".json").read_text(encoding="utf-8"))
    spotter = linnet.TriggerWord(model or notes["keywords"])
    heard = list(spotter.listen(linnet.audio.file(sample)))
    print(f"What is said in {os.path.relpath(sample)}, and what was heard:")
    print("\n".join(compare(notes["said"], heard, notes["keywords"])))
    return heard


def compare(said: list[dict], events: list[linnet.Detection], keywords: list[str]) -> list[str]:
    """Lines with what was said on the left, what was heard on the right, and a last one that counts."""
    rows = []
    left = list(events)
    found = 0
    for words in said:
        # A word counts as heard until half a second after its end.
        right = [
            event
            for event in left
            if event.keyword == words["text"] and words["start_s"] <= event.time_s <= words["end_s"] + 0.5
        ]
        left = [event for event in left if event not in right]
        found += bool(right)
        heard = ", ".join(map(_event, right)) or ("-- missed" if words["text"] in keywords else "")
        rows.append((words["start_s"], words["text"], heard))
    rows += [(event.time_s, "", f"{_event(event)} -- false alarm") for event in left]
    wide = max(len("said"), *(len(text) for _, text, _ in rows))
    lines = [f"   time  {'said':{wide}}  heard"]
    lines += [f"{at:5.1f} s  {text:{wide}}  {heard}".rstrip() for at, text, heard in sorted(rows)]
    there = sum(words["text"] in keywords for words in said)
    return [*lines, "", f"keywords heard: {found} of {there}; false alarms: {len(left)}"]


def _event(event: linnet.Detection) -> str:
    return f"{event.keyword} at {event.time_s:.1f} s, score {event.score:.2f}"


if __name__ == "__main__":
    sys.exit(status_of("sample.py", lambda: main(sys.argv[1:])))
