"""One run of ``linnet listen``: a source goes in, detections come out as lines, clips and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from linnet.cli.clips import Clips
from linnet.cli.lines import Lines
from linnet.cli.live import Live
from linnet.cli.on_detect import Commands
from linnet.cli.terminal import clock
from linnet.trigger import Detection, TriggerWord

__all__ = ["Listener"]


class Listener:
    """Listens to one source, shows what is detected and acts on it."""

    def __init__(
        self,
        spotter: TriggerWord,
        view: Lines | Live,
        *,
        clips: Clips | None = None,
        commands: Commands | None = None,
    ) -> None:
        self._spotter = spotter
        self._view = view
        self._clips = clips
        self._commands = commands
        self._samples = 0
        self._counts: Counter[str] = Counter()

    def listen(self, source: Iterator[NDArray[np.float32]]) -> None:
        """Listen until the source ends, and then to half a second of silence (see `TriggerWord.listen`)."""
        stream, decider = self._spotter.stream(), self._spotter.decider()
        for chunk in source:
            scores = stream.process(chunk)
            self._samples += len(chunk)
            self._view.heard(chunk, scores)
            self._found(decider.decide(scores), chunk)
        silence = self._spotter.silence
        self._found(decider.decide(stream.process(silence)), silence[:0])

    def _found(self, detections: list[Detection], chunk: NDArray[np.float32]) -> None:
        """Act on what was detected in a chunk."""
        if self._clips is not None:
            self._clips.add(chunk, detections)
        for each in detections:
            self._counts[each.keyword] += 1
            self._view.detection(each)
            if self._commands is not None:
                self._commands.start(each)
        self._pass_on()

    def finish(self, patience_s: float) -> None:
        """Write the clips that wait, and give commands that long to end."""
        if self._clips is not None:
            self._clips.close()
        if self._commands is not None:
            left = self._commands.close(patience_s)
            self._pass_on()
            if left:
                self._view.complain(f"{left} commands of --on-detect have not ended")

    def summary(self, dropped: int = 0) -> str:
        """What was heard, in a line."""
        heard = ", ".join(f"{keyword} {count}" for keyword, count in self._counts.most_common())
        text = f"{clock(self._samples / self._spotter.sample_rate)} of audio heard; "
        text += f"detected: {heard}" if heard else "nothing detected"
        return text + (f"; {dropped} buffers dropped" if dropped else "")

    def _pass_on(self) -> None:
        if self._commands is not None:
            for text, bad in self._commands.said():
                (self._view.complain if bad else self._view.note)(text)
