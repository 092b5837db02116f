"""Runs `linnet listen` on the sample recording and prints what it heard next to what is said there.

This is what `make demo` does. Beside the recording, sample.json names the keywords to listen for and lists
all that is said: {"keywords": ["alexa"], "said": [{"text": "alexa", "start_s": 1.2, "end_s": 1.9}, ...]}.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SAMPLE = Path(__file__).with_name("sample.wav")


def main(sample: Path = SAMPLE, listen_to: list[str] | None = None) -> int:
    """Listen to a recording; for `listen_to`, or else for the keywords that its notes name."""
    notes = json.loads(sample.with_suffix(".json").read_text(encoding="utf-8"))
    arguments = ["listen", *(listen_to or notes["keywords"]), "--wav", os.path.relpath(sample)]
    print(f"$ linnet {' '.join(arguments)}\n")
    began = time.perf_counter()
    command = [sys.executable, "-m", "linnet", *arguments, "--json", "--quiet"]
    listening = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if listening.returncode:
        return listening.returncode  # linnet itself has said why
    took = time.perf_counter() - began
    events = [json.loads(line) for line in listening.stdout.splitlines()]
    print("\n".join(compare(notes["said"], events, notes["keywords"])))
    print(
        f"\nIt took {took:.1f} s, start-up included. With a microphone: linnet listen {notes['keywords'][0]}"
    )
    return 0


def compare(said: list[dict], events: list[dict], keywords: list[str]) -> list[str]:
    """Lines with what was said on the left, what was heard on the right, and a last one that counts."""
    rows = []
    left = list(events)
    found = 0
    for words in said:
        # A word counts as heard until half a second after its end.
        right = [
            event
            for event in left
            if event["keyword"] == words["text"]
            and words["start_s"] <= event["time_s"] <= words["end_s"] + 0.5
        ]
        left = [event for event in left if event not in right]
        found += bool(right)
        heard = ", ".join(map(_event, right)) or ("-- missed" if words["text"] in keywords else "")
        rows.append((words["start_s"], words["text"], heard))
    rows += [(event["time_s"], "", f"{_event(event)} -- false alarm") for event in left]
    wide = max(len("said"), *(len(text) for _, text, _ in rows))
    lines = [f"   time  {'said':{wide}}  heard"]
    lines += [f"{at:5.1f} s  {text:{wide}}  {heard}".rstrip() for at, text, heard in sorted(rows)]
    there = sum(words["text"] in keywords for words in said)
    return [*lines, "", f"keywords heard: {found} of {there}; false alarms: {len(left)}"]


def _event(event: dict) -> str:
    return f"{event['keyword']} at {event['time_s']:.1f} s, score {event['score']:.2f}"


if __name__ == "__main__":
    sys.exit(main())
