"""The log-mel front end: equal to librosa, however the audio is cut, in torch and exported."""

import librosa
import numpy as np
import onnxruntime
import pytest
import torch
from torch.export import Dim

from linnet_training.trigger import frontend
from linnet_training.trigger.frontend import HOP, MELS, TAIL, LogMel, log_mel


def sounds(samples=16_000):
    """Audio of many kinds, loud and faint, (kinds, samples)."""
    rng = np.random.default_rng(4)
    time = np.arange(samples) / 16_000
    kinds = [
        rng.normal(0, 0.1, samples),
        rng.normal(0, 1e-4, samples),
        np.sin(2 * np.pi * 440 * time),
        np.sin(2 * np.pi * (200 + 3500 * time) * time),
        rng.normal(0, 0.2, samples) * np.sin(2 * np.pi * 3 * time) ** 8,
        np.zeros(samples),
        np.where(np.arange(samples) % 50 < 25, 1.0, -1.0),
    ]
    return torch.from_numpy(np.stack(kinds).astype(np.float32))


def by_librosa(audio):
    """The same from librosa: frame i ends with sample 160 (i + 1), with silence before the beginning."""
    padded = np.pad(audio.astype(np.float64), (512 - HOP, 0))
    # librosa centres its window of 400 in 512 samples; ours is at their end.
    padded = np.pad(padded, (0, 56))[56:]
    mel = librosa.feature.melspectrogram(
        y=padded,
        sr=16_000,
        n_fft=512,
        win_length=400,
        hop_length=HOP,
        n_mels=MELS,
        fmin=20,
        fmax=8000,
        center=False,
    )
    return np.log(mel + 1e-6)


def assert_equal_to_librosa(frames, audio):
    """Within 1e-4 of the logarithm, or, for bands far beneath the loudest, 100 dB beneath it: float32."""
    for ours, samples in zip(frames.numpy(), audio.numpy(), strict=True):
        theirs = by_librosa(samples)
        assert ours.shape == theirs.shape
        faint = np.abs(np.exp(ours) - np.exp(theirs)) / np.exp(theirs).max(axis=0) < 1e-10
        assert np.all(faint | (np.abs(ours - theirs) < 1e-4))


def cut(audio, lengths, front_end):
    """Frames of audio given piece by piece."""
    tail, at, parts = torch.zeros(len(audio), TAIL), 0, []
    for length in lengths:
        frames, tail = front_end(audio[:, at : at + length], tail)
        parts.append(frames)
        at += length
    assert at == audio.shape[1]
    return torch.cat(parts, dim=2)


def test_equal_to_librosa():
    audio = sounds()
    frames, _ = LogMel()(audio, torch.zeros(len(audio), TAIL))
    assert frames.shape == (len(audio), MELS, 100)
    assert_equal_to_librosa(frames, audio)


@pytest.mark.parametrize("lengths", [[HOP] * 100, [640] * 25, [1280] * 12 + [640], [160, 8000, 4800, 3040]])
def test_the_same_frames_however_audio_is_cut(lengths):
    audio, front_end = sounds(), LogMel()
    whole = cut(audio, [16_000], front_end)
    torch.testing.assert_close(cut(audio, lengths, front_end), whole, rtol=0, atol=1e-6)


def test_a_recording_in_one_call(monkeypatch):
    monkeypatch.setattr(frontend, "_AT_ONCE", 32_000)
    audio = sounds(80_077)
    frames = log_mel(audio)
    assert frames.shape == (len(audio), 500, MELS)
    whole = cut(audio[:, :80_000], [80_000], LogMel())
    torch.testing.assert_close(frames, whole.transpose(1, 2), rtol=0, atol=1e-6)
    assert log_mel(audio[:, :159]).shape == (len(audio), 0, MELS)


def test_exported(tmp_path):
    path = tmp_path / "front_end.onnx"
    sizes = ({0: Dim.AUTO, 1: Dim.AUTO}, {0: Dim.AUTO})
    program = torch.onnx.export(
        LogMel().eval(),
        (torch.zeros(2, 1920), torch.zeros(2, TAIL)),
        dynamo=True,
        dynamic_shapes=sizes,
        input_names=["audio", "tail"],
        output_names=["frames", "next_tail"],
        opset_version=18,
        verbose=False,
    )
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def front_end(audio, tail):
        frames, after = session.run(None, {"audio": audio.numpy(), "tail": tail.numpy()})
        return torch.from_numpy(frames), torch.from_numpy(after)

    audio = sounds()
    whole = cut(audio, [16_000], front_end)
    assert_equal_to_librosa(whole, audio)
    chunks = cut(audio, [640] * 3 + [1280] * 5 + [7680], front_end)
    torch.testing.assert_close(chunks, whole, rtol=0, atol=1e-6)
