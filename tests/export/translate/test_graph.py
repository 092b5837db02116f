"""The translator's graph beside torch: the same tokens, scores and attention; in 8 bits, nearly the same."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import numpy_helper

from linnet_export.translate.graph import to_onnx
from linnet_training.sequence.search import END, PAD, beam_search
from linnet_training.translate.batches import padded
from linnet_training.translate.network import TranslationNetwork

PIECES = 500
SENTENCES = [[7, 9, 300, 41, 8, END], [12, END], [499, 4, 4, END], [80, 81, 82, 83, 84, 85, 86, END]]


@pytest.fixture(scope="module")
def network():
    """A translator that is sure of what it says."""
    torch.manual_seed(0)
    made = TranslationNetwork(PIECES, 24, 16, 2, 20, 2).eval().requires_grad_(False)
    for weight in made.parameters():
        weight.mul_(2.0)
    made.decoder.bias[END] += 3
    return made


@pytest.fixture(scope="module")
def graphs(network):
    return {"fp32": to_onnx(network), "int8": to_onnx(network, SENTENCES)}


@pytest.fixture(scope="module")
def sessions(graphs):
    return {name: ort.InferenceSession(made.SerializeToString()) for name, made in graphs.items()}


def run(session, sentences, beam=3, length=12, penalty=0.8, coverage=0.2):
    feeds = {
        "source": padded(sentences).numpy(),
        "beam": np.array(beam),
        "max_length": np.array(length),
        "length_penalty": np.array(penalty, np.float32),
        "coverage_penalty": np.array(coverage, np.float32),
    }
    return session.run(["tokens", "scores", "attention"], feeds)


def in_torch(network, sentences, *search):
    memory, state = network.begin(padded(sentences))
    return [each.numpy() for each in beam_search(network.decoder, memory, state, *search)]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("search", [(1, 12, 0.0, 0.0), (2, 1, 1.0, 0.3), (5, 12, 0.7, 0.5), (3, 7, 2.0, 0.0)])
def test_parity_with_torch(sessions, network, count, search):
    expected = in_torch(network, SENTENCES[:count], *search)
    got = run(sessions["fp32"], SENTENCES[:count], *search)
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=1e-3)
    np.testing.assert_allclose(got[2], expected[2], rtol=0, atol=1e-3)


def test_translations_vary_or_parity_would_mean_nothing(network):
    tokens, scores, _ = in_torch(network, SENTENCES, 3, 12, 0.8, 0.2)
    assert len({tuple(row) for row in tokens[:, 0].tolist()}) > 2
    assert len({int((row != PAD).sum()) for row in tokens.reshape(-1, tokens.shape[2])}) > 2
    assert np.ptp(scores) > 0.1


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_batch_changes_nothing(sessions, precision):
    tokens, scores, attention = run(sessions[precision], SENTENCES)
    tolerance = 1e-5 if precision == "fp32" else 0.02
    for row, sentence in enumerate(SENTENCES):
        alone = run(sessions[precision], [sentence])
        length = alone[0].shape[2]
        np.testing.assert_allclose(scores[row], alone[1][0], rtol=0, atol=tolerance)
        if precision == "fp32":
            np.testing.assert_array_equal(tokens[row, :, :length], alone[0][0])
            assert (tokens[row, :, length:] == PAD).all()
        assert (attention[row, :, :, len(sentence) :] == 0).all()


def test_8_bits_are_near(sessions):
    exact, near = (run(sessions[name], SENTENCES, beam=1, length=1) for name in ("fp32", "int8"))
    assert np.abs(exact[1] - near[1]).mean() < 0.2


def test_the_embedding_is_stored_once(graphs):
    for precision, kind in (("fp32", np.float32), ("int8", np.int8)):
        model = graphs[precision]
        loop = next(node for node in model.graph.node if node.op_type == "Loop")
        body = next(attribute.g for attribute in loop.attribute if attribute.name == "body")
        tensors = [*model.graph.initializer, *body.initializer]
        large = [numpy_helper.to_array(t) for t in tensors if PIECES in t.dims and len(t.dims) == 2]
        assert [array.dtype for array in large if min(array.shape) > 1] == [kind]


def test_the_graph_stops_at_128_whatever_is_asked(network):
    bias = network.decoder.bias.clone()
    network.decoder.bias[END] -= 1e4
    try:
        session = ort.InferenceSession(to_onnx(network).SerializeToString())
    finally:
        network.decoder.bias.copy_(bias)
    assert run(session, SENTENCES[:1], 1, 100_000)[0].shape == (1, 1, 128)
