"""Self-critical training on a toy problem: pictures of a few kinds, of each of which one thing is said."""

import numpy as np
import torch

from linnet_training.caption.batches import Batches, Pictures
from linnet_training.caption.module import SelfCritical
from linnet_training.caption.network import CaptionNetwork
from linnet_training.caption.recipe import Recipe
from linnet_training.sequence.search import END

RECIPE = Recipe(
    batch_size=8, hidden=16, memory=8, output=8, dropout=0.0, samples=8, max_words=3, supervised_weight=0.0
)
SAID = [[4, 5, END], [6, 7, END], [8, 9, END], [10, 11, END]]


def toy():
    """Eight pictures of four kinds, each of which lights up a feature of its own."""
    features = np.zeros((8, 1, 1280, 7, 7), np.float16)
    for number in range(8):
        features[number, :, number % 4] = 2
    captions = [[SAID[number % 4]] * 2 for number in range(8)]
    return Pictures(features, captions, captions)


def test_its_own_captions_get_better_by_reward_alone():
    torch.manual_seed(3)
    network = CaptionNetwork(12, RECIPE.memory, RECIPE.hidden, RECIPE.output)
    network.encoder.requires_grad_(False)
    about = {"cached_layers": 19, "pretrained": True}
    module = SelfCritical(RECIPE, network, toy(), toy(), about)
    rewards = []
    module.log = lambda name, value, **_: rewards.append(float(value))
    learnt = [value for value in network.parameters() if value.requires_grad]
    optimizer = torch.optim.Adam(learnt, 0.03)
    for step in range(45):
        torch.manual_seed(step)
        (batch,) = Batches(module.train_part, RECIPE, [step])
        optimizer.zero_grad()
        module.training_step(batch, 0).backward()
        optimizer.step()
    assert len(rewards) == 45
    assert np.mean(rewards[-10:]) > 3 * np.mean(rewards[:10])
