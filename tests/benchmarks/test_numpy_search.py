"""That the search in NumPy, which engines of the benchmarks share, finds what training's finds."""

from pathlib import Path

import pytest


@pytest.mark.parametrize("coverage_penalty", [0.0, 0.5])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("beam", [1, 2, 5])
def test_the_search_in_numpy_finds_what_training_finds(beam, batch, coverage_penalty, monkeypatch):
    torch = pytest.importorskip("torch")
    from linnet_training.sequence.decoder import AttentionDecoder, Memory, State
    from linnet_training.sequence.search import beam_search

    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from numpy_search import search

    torch.manual_seed(beam)
    decoder = AttentionDecoder(12, 8, 8, 6).eval().requires_grad_(False)
    decoder.embedding.weight *= 3
    values = torch.randn(batch, 4, 8)
    present = torch.ones(batch, 4, dtype=torch.bool)
    present[1:, 3] = False
    memory, state = decoder.begin(values, values.mean(dim=1), torch.where(present, 0.0, -1e4)[:, None])

    def step(tokens, states):
        feed, after, attention = decoder.step(
            torch.from_numpy(tokens), State(*map(torch.from_numpy, states)), Memory(*memory)
        )
        gain = torch.log_softmax(decoder.logits(feed), dim=2)
        return [each.numpy() for each in (gain, *after, attention)]

    penalties = {"length_penalty": 0.7, "coverage_penalty": coverage_penalty}
    expected = beam_search(decoder, memory, state, beam, max_length=9, **penalties)
    states = [each.numpy() for each in state]
    found = search(step, states, beam, max_length=9, present=present.numpy(), **penalties)
    assert found == expected.tokens[:, 0].tolist()
