"""The captioner's graph beside torch: the same tokens, scores and attention; in 8 bits, nearly the same."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from linnet_training.sequence.search import END, PAD, beam_search


@pytest.fixture(scope="module")
def sessions(graphs):
    return {name: ort.InferenceSession(made.SerializeToString()) for name, made in graphs.items()}


def run(session, images, beam, length, penalty):
    settings = {"beam": np.array(beam), "max_length": np.array(length)}
    feeds = {"image": images, **settings, "length_penalty": np.array(penalty, np.float32)}
    return session.run(["tokens", "scores", "attention"], feeds)


def in_torch(network, features, beam, length, penalty):
    memory, state = network.begin(features)
    return [each.numpy() for each in beam_search(network.decoder, memory, state, beam, length, penalty)]


def constants(model):
    """Every stored array, those of the loop's body included."""
    loop = next(node for node in model.graph.node if node.op_type == "Loop")
    body = next(attribute.g for attribute in loop.attribute if attribute.name == "body")
    tensors = [*model.graph.initializer, *body.initializer]
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}
    assert len(arrays) == len(tensors)
    return arrays


@pytest.mark.parametrize(
    ("count", "beam", "length", "penalty"),
    [
        *((1, 1, 7, 0.0), (1, 2, 1, 1.0), (1, 5, 12, 0.0), (2, 1, 12, 1.0), (2, 2, 12, 0.7)),
        *((2, 5, 7, 2.0), (5, 1, 1, 0.7), (5, 2, 7, 0.0), (5, 5, 12, 0.7)),
    ],
)
def test_parity_with_torch(sessions, network, features, images, count, beam, length, penalty):
    expected = in_torch(network, features[:count], beam, length, penalty)
    got = run(sessions["fp32"], images[:count], beam, length, penalty)
    assert got[0].shape[:2] == (count, beam)
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=1e-3)
    np.testing.assert_allclose(got[2], expected[2], rtol=0, atol=1e-3)


def test_captions_vary_or_parity_would_mean_nothing(network, features):
    tokens, scores, attention = in_torch(network, features, 5, 12, 0.7)
    lengths = {int((row != PAD).sum()) for row in tokens.reshape(-1, tokens.shape[2])}
    assert len(lengths) > 2
    assert (tokens == END).any()
    assert len({tuple(row) for row in tokens[:, 0].tolist()}) > 2
    assert np.ptp(scores) > 0.1
    assert attention.max() > 2 / 49


def test_numbers_out_of_range_are_brought_into_it(sessions, images):
    for beam, length, tokens in ((0, 0, (1, 1, 1)), (-3, 1, (1, 1, 1)), (50, 1, (1, 32, 1))):
        assert run(sessions["fp32"], images[:1], beam, length, 1.0)[0].shape == tokens
    assert run(sessions["fp32"], images[:1], 1, 99, 1.0)[0].shape[2] <= 40


def test_in_8_bits_the_first_word_is_nearly_as_likely(sessions, images):
    """All of the encoder and one step; later words follow from earlier ones."""
    _, sure, looked = run(sessions["fp32"], images, 1, 1, 0.0)
    _, scores, attention = run(sessions["int8"], images, 1, 1, 0.0)
    assert 0 < np.abs(scores - sure).mean() < 0.5
    assert 0 < np.abs(attention - looked).max() < 0.1


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_caption_does_not_depend_on_the_other_pictures_of_its_batch(sessions, images, precision):
    tokens, scores, attention = run(sessions[precision], images, 3, 12, 0.7)
    for row in range(len(images)):
        alone = run(sessions[precision], images[row : row + 1], 3, 12, 0.7)
        length = alone[0].shape[2]
        np.testing.assert_array_equal(tokens[row, :, :length], alone[0][0])
        assert (tokens[row, :, length:] == PAD).all()
        # The last bits of small products in float32 may depend on how many rows there are.
        np.testing.assert_allclose(scores[row], alone[1][0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(attention[row, :, :length], alone[2][0], rtol=0, atol=1e-5)


def test_in_8_bits_the_embedding_is_stored_once(graphs, network):
    embedding = network.decoder.embedding.weight.numpy()
    alike = {name: each for name, each in constants(graphs["int8"]).items() if each.size == embedding.size}
    assert [each.dtype for each in alike.values()] == [np.int8]
    (stored,) = alike.values()
    np.testing.assert_allclose(stored * (np.abs(embedding).max(1, keepdims=True) / 63), embedding, atol=0.05)
    assert graphs["int8"].ByteSize() < 0.33 * graphs["fp32"].ByteSize()


def test_in_8_bits_products_take_7_and_small_matrices_stay(graphs, network):
    stored = constants(graphs["int8"])
    weights = [array for array in stored.values() if array.dtype == np.int8 and array.size > 1]
    filters = [array for array in weights if array.ndim == 4]
    assert len(filters) > 30  # the others are small
    assert len(weights) > len(filters)
    assert max(np.abs(array.astype(int)).max() for array in weights if array.ndim == 2) == 63
    assert max(np.abs(array.astype(int)).max() for array in filters) == 127
    assert max(array.size for array in stored.values() if array.dtype == np.float32) < 4096
    small = network.decoder.combine.weight.numpy()
    assert any(np.array_equal(array, small) or np.array_equal(array, small.T) for array in stored.values())


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_graphs_that_onnx_finds_no_fault_with(graphs, precision):
    onnx.checker.check_model(graphs[precision], full_check=True)
