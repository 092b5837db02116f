"""What captioning learns from: batches, teacher forcing and rewards."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from linnet.image import pixels
from linnet_training.caption.batches import Batches, Pictures
from linnet_training.caption.module import SelfCritical, Supervised
from linnet_training.caption.network import CaptionNetwork
from linnet_training.caption.recipe import Recipe
from linnet_training.caption.samples import sheet
from linnet_training.sequence.search import END, PAD, START, beam_search
from linnet_training.sequence.teaching import teacher_forced

RECIPE = Recipe(
    batch_size=3,
    hidden=8,
    memory=6,
    output=5,
    dropout=0.0,
    samples=4,
    max_words=6,
    cached_layers=18,
    bag_of_words=0.0,
    supervised_weight=0.0,
    rare_words=0.0,
)
CAPTIONS = [
    [[4, 5, END], [4, 6, 7, END]],
    [[5, END]],
    [[7, 6, 5, 4, 7, 6, 5, 4, END], [6, END], [4, 4, END]],
    [[4, 5, 6, END], [8, END]],
    [[8, 8, END], [7, END]],
]


@pytest.fixture
def part():
    """Five pictures in two views, told apart by their first value."""
    features = np.random.default_rng(1).random((5, 2, 320, 7, 7)).astype(np.float16)
    features[:, :, 0, 0, 0] = 10 * np.arange(5)[:, None] + np.arange(2)
    return Pictures(features, CAPTIONS, CAPTIONS)


@pytest.fixture
def network():
    torch.manual_seed(1)
    made = CaptionNetwork(9, memory=6, hidden=8, output=5)
    made.encoder.requires_grad_(False)
    return made.eval()


def module_of(kind, network, part, recipe=RECIPE):
    logged = {}
    module = kind(recipe, network, part, part, {"cached_layers": 18, "pretrained": True, "inputs": "x"})
    module.log = lambda name, value, **options: logged.__setitem__(name, float(value))
    return module, logged


def test_a_batch_has_pictures_with_their_own_captions(part):
    views = set()
    for seed in range(40):
        for batch in Batches(part, RECIPE, [seed]):
            assert batch.trunk.dtype == torch.float32
            assert batch.tokens.shape[2] <= RECIPE.max_words + 1
            for trunk, tokens, picture in zip(*batch, strict=True):
                number, view = divmod(int(trunk[0, 0, 0]), 10)
                assert number == picture
                views.add((number, view))
                said = [[int(t) for t in row if t != PAD] for row in tokens]
                own = [each[: RECIPE.max_words + 1] for each in CAPTIONS[number]]
                assert all(each in own for each in said)
                assert [each for each in own if each not in said] == []
    assert len(views) == 10


def test_an_epoch_has_no_picture_twice_and_batches_differ(part):
    seen, orders = set(), set()
    for seed in range(10):
        pictures = [int(p) for batch in Batches(part, RECIPE, [seed]) for p in batch.picture]
        assert len(pictures) == len(set(pictures)) == 3  # five pictures make one batch of three
        seen |= set(pictures)
        orders.add(tuple(pictures))
        again = [int(p) for batch in Batches(part, RECIPE, [seed]) for p in batch.picture]
        assert again == pictures
    assert seen == set(range(5))
    assert len(orders) > 3


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_processes_share_an_epoch(part, world):
    recipe = replace(RECIPE, batch_size=1)
    shares = [list(Batches(part, recipe, [5], (rank, world))) for rank in range(world)]
    assert {len(share) for share in shares} == {max(1, 5 // world)}
    seen = [int(picture) for share in shares for batch in share for picture in batch.picture]
    assert len(set(seen)) == min(5, len(seen))  # none twice before all were seen


@pytest.mark.parametrize("world", [1, 2, 5, 7])
def test_a_batch_is_that_of_all_processes_together(part, world):
    recipe = replace(RECIPE, batch_size=5)
    shares = [list(Batches(part, recipe, [5], (rank, world))) for rank in range(world)]
    assert {len(share) for share in shares} == {1}
    assert {len(batch.picture) for share in shares for batch in share} == {max(1, 5 // world)}


def test_fewer_pictures_than_a_batch_has(part):
    few = Batches(part, Recipe(), [1])
    assert len(few) == 1
    (batch,) = few
    assert sorted(batch.picture.tolist()) == list(range(5))


def test_teacher_forcing_is_stepping(network):
    features = torch.rand(2, 49, 1280)
    tokens = torch.tensor([[[4, 5, END, PAD], [6, 7, 8, END]], [[8, END, PAD, PAD], [4, 4, END, PAD]]])
    feeds, attention = teacher_forced(network.decoder, *network.begin(features), tokens)
    assert feeds.shape == (2, 2, 4, 5)
    assert attention.shape == (2, 2, 4, 49)
    for row in range(2):
        for column in range(2):
            memory, state = network.begin(features[row : row + 1])
            last = START
            for place in range(4):
                feed, state, looked = network.decoder.step(torch.tensor([[last]]), state, memory)
                torch.testing.assert_close(feeds[row, column, place], feed[0, 0])
                torch.testing.assert_close(attention[row, column, place], looked[0, 0])
                last = int(tokens[row, column, place])


def test_the_loss_is_that_of_the_tokens_that_are_there(network, part):
    recipe = Recipe(**{**RECIPE.to_dict(), "label_smoothing": 0.2, "attention_penalty": 0.0})
    module, logged = module_of(Supervised, network, part, recipe)
    (batch,) = Batches(part, recipe, [1])
    loss = module.training_step(batch, 0)
    feeds, attention = teacher_forced(
        network.decoder, *network.begin(network.encoder.top(batch.trunk, 18)), batch.tokens
    )
    losses = []
    for row, column, place in (batch.tokens != PAD).nonzero().tolist():
        gain = torch.log_softmax(network.decoder.logits(feeds[row, column, place]), dim=0)
        losses.append(-0.8 * gain[batch.tokens[row, column, place]] - 0.2 * gain.mean())
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    assert logged["loss"] == pytest.approx(loss.item())

    with_penalty, _ = module_of(
        Supervised, network, part, Recipe(**{**recipe.to_dict(), "attention_penalty": 2.0})
    )
    unevenness = []
    for row in range(batch.tokens.shape[0]):
        for column in range(batch.tokens.shape[1]):
            there = batch.tokens[row, column] != PAD
            looked = attention[row, column, there].mean(dim=0) * 49
            unevenness.append(((1 - looked) ** 2).mean())
    expected = loss + 2.0 * torch.stack(unevenness).mean()
    torch.testing.assert_close(with_penalty.training_step(batch, 0), expected)


def test_self_critical_gradients_favour_what_is_better_than_the_others(network, part, monkeypatch):
    """By the formula: each sample's log-probability times its reward less the mean of the others'."""
    module, logged = module_of(SelfCritical, network, part)
    (batch,) = Batches(part, RECIPE, [1])
    tokens = torch.tensor([[[4, END], [5, 6], [7, END], [8, END]]] * 3)
    gains = torch.full((3, 4, 2), -1.0, requires_grad=True)
    reward = np.arange(12.0) ** 2
    monkeypatch.setattr("linnet_training.caption.module.sample", lambda *_: (tokens, gains))
    asked = []

    def scores(pictures, said):
        asked.append((list(pictures), said))
        return reward

    module.cider.scores = scores
    module.training_step(batch, 0).backward()
    others = (reward.reshape(3, 4).sum(1, keepdims=True) - reward.reshape(3, 4)) / 3
    expected = -(reward.reshape(3, 4) - others) / tokens.numel()
    np.testing.assert_allclose(gains.grad.numpy(), np.repeat(expected[..., None], 2, axis=2), rtol=1e-5)
    pictures, said = asked[0]
    assert pictures == [int(p) for p in batch.picture for _ in range(4)]
    assert said[:4] == [[4, END], [5, 6], [7, END], [8, END]]  # with the end, so that it is learnt too
    assert logged["reward"] == pytest.approx(reward.mean() * 100)


def test_the_words_of_a_picture_are_foretold(network, part):
    without, _ = module_of(Supervised, network, part)
    module, _ = module_of(Supervised, network, part, replace(RECIPE, bag_of_words=3.0))
    (batch,) = Batches(part, RECIPE, [1])
    _, state = network.begin(network.encoder.top(batch.trunk, 18))
    losses = []
    for row in range(3):
        gain = torch.log_softmax(network.decoder.logits(state.feed[row, 0]), dim=0)
        words = [token for token in batch.tokens[row].flatten().tolist() if token > END]
        losses.append(-gain[words].mean())
    expected = without.training_step(batch, 0) + 3.0 * torch.stack(losses).mean()
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_rare_words_are_made_likelier_before_captions_are_drawn(network, part):
    before = network.decoder.bias.clone()
    module, _ = module_of(SelfCritical, network, part, replace(RECIPE, rare_words=0.5))
    gained = network.decoder.bias - before
    counts = Counter(token for captions in CAPTIONS for caption in captions for token in caption)
    total = sum(counts.values())
    for token in range(9):
        share = max(1, counts[token]) / total
        assert gained[token].item() == pytest.approx(-0.5 * np.log(share), rel=1e-5)
    assert not any(name.endswith("prior") for name in module.state_dict())


def test_people_s_captions_hold_it_with_the_same_adjustment(network, part):
    (batch,) = Batches(part, RECIPE, [1])
    alone, _ = module_of(SelfCritical, network, part)
    torch.manual_seed(5)
    expected = alone.training_step(batch, 0)
    one_each = batch._replace(tokens=batch.tokens[:, :1])
    module, _ = module_of(SelfCritical, network, part, replace(RECIPE, supervised_weight=2.0))
    torch.manual_seed(5)
    got = module.training_step(one_each, 0)
    memory, state = network.begin(network.encoder.top(batch.trunk, 18))
    feeds, _ = teacher_forced(network.decoder, memory, state, one_each.tokens)
    losses = [
        -torch.log_softmax(network.decoder.logits(feeds[row, 0, place]), dim=0)[
            one_each.tokens[row, 0, place]
        ]
        for row, _, place in (one_each.tokens != PAD).nonzero().tolist()
    ]
    torch.testing.assert_close(got, expected + 2.0 * torch.stack(losses).mean())


def test_dev_captions_are_scored_without_their_ends(network, part):
    module, logged = module_of(Supervised, network, part)
    module.on_validation_epoch_start()
    module.validation_step(torch.arange(3), 0)
    module.validation_step(torch.arange(3, 5), 1)
    memory, state = network.begin(
        network.encoder.top(torch.from_numpy(part.features[:, 0].astype(np.float32)), 18)
    )
    found = beam_search(network.decoder, memory, state, 3, RECIPE.max_words, 1.0).tokens[:, 0].tolist()
    assert module._said == [ids[: ids.index(END)] if END in ids else ids for ids in found]
    module._said = [captions[0][:-1] for captions in CAPTIONS]
    module.on_validation_epoch_end()
    assert logged["dev_cider"] > 300
    assert logged["dev_words"] == 5
    module._said = [[3, 3]] * 5
    module.on_validation_epoch_end()
    assert (logged["dev_cider"], logged["dev_words"]) == (0, 1)


def test_dropout_and_samples_are_those_of_the_step(network, part):
    module, _ = module_of(Supervised, network, part)
    drawn = []
    for _ in range(2):
        torch.manual_seed(len(drawn))  # wherever the generator was
        module.on_train_batch_start(None, 0)
        drawn.append(torch.rand(3))
    assert torch.equal(*drawn)


def test_the_encoder_learns_more_slowly_if_it_has_learnt_before(network, part):
    network.encoder.features[18].requires_grad_(True)
    for pretrained, rate in ((True, RECIPE.encoder_learning_rate), (False, RECIPE.learning_rate)):
        module = Supervised(RECIPE, network, part, part, {"cached_layers": 18, "pretrained": pretrained})
        module._trainer = SimpleNamespace(global_rank=0, world_size=1)
        optimizer = module.configure_optimizers()["optimizer"]
        decoder, encoder = optimizer.param_groups
        assert encoder["max_lr"] == rate
        assert decoder["max_lr"] == RECIPE.learning_rate
        assert {id(p) for p in encoder["params"]} == {
            id(p) for p in network.encoder.features[18].parameters()
        }
        assert len(decoder["params"]) + len(list(network.encoder.parameters())) == len(
            list(network.parameters())
        )


def test_samples_are_logged_as_a_picture(network, part, shapes):
    photos = sorted((shapes / "photos").iterdir())[:5]
    about = {
        "cached_layers": 18,
        "pretrained": True,
        "vocabulary": ["", "<start>", "<end>", "<unknown>", *(f"\u2581word{i}" for i in range(5))],
        "dev": [[str(path), ["a"]] for path in photos],
    }
    shown = []

    class Board(TensorBoardLogger):
        experiment = SimpleNamespace(add_image=lambda *given, **options: shown.append((given, options)))

    module = Supervised(RECIPE, network, part, part, about)
    module.log = lambda *given, **options: None
    module._trainer = SimpleNamespace(loggers=[Board("unused")], global_step=7)
    module._said = [[4], [5, 6], [], [7], [8, 8]]
    module.on_validation_epoch_end()
    ((name, picture, step), options) = shown[0]
    assert (name, step, options) == ("samples", 7, {"dataformats": "HWC"})
    assert picture.dtype == np.uint8
    one_row = sheet(photos[:4], ["word"] * 4)
    assert picture.shape[0] == 2 * one_row.shape[0]
    sides = one_row[125, [20, 270]].astype(int)
    assert np.abs(sides[0] - pixels(photos[0])[125, 15]).max() < 8
    assert np.abs(sides[1] - pixels(photos[1])[125, 15]).max() < 8
    assert one_row[250:, :230].min() < 100  # words beneath it

    module.about["dev"][0][0] = str(shapes / "gone.png")
    module.on_validation_epoch_end()
    assert len(shown) == 1
