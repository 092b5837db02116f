"""Captioning in training as Lightning sees it: people's captions first, then the CIDEr of its own."""

import contextlib
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from linnet.errors import ImageError
from linnet_training.caption.batches import Batch, Batches, Pictures, as_tensor
from linnet_training.caption.cider import CiderReward
from linnet_training.caption.network import CaptionNetwork
from linnet_training.caption.recipe import Recipe
from linnet_training.caption.samples import sheet
from linnet_training.sequence.decoder import Memory, State
from linnet_training.sequence.search import PAD, beam_search, sample, sentence
from linnet_training.sequence.teaching import bag_of_words_loss, teacher_forced
from linnet_training.sequence.vocabulary import Vocabulary

_VALIDATION_BATCH = 50
_VALIDATION_BEAM = 3
_SAMPLES = 12  # captions to look at after each epoch


class CaptionModule(lightning.LightningModule):
    """What both ways of learning share."""

    def __init__(
        self, recipe: Recipe, network: CaptionNetwork, train: Pictures, dev: Pictures, about: dict[str, Any]
    ) -> None:
        super().__init__()
        self.recipe, self.network, self.about = recipe, network, about
        self.layers = about["cached_layers"]
        self.tunes_encoder = any(p.requires_grad for p in network.encoder.parameters())
        self.train_part, self.dev_part = train, dev
        self.dev_cider = CiderReward([[ids[:-1] for ids in each] for each in dev.references])

    def train_dataloader(self) -> DataLoader[Batch]:
        """Every picture once, in an order of the epoch's own."""
        return DataLoader(self._batches(self.current_epoch), batch_size=None)

    def _batches(self, epoch: int) -> Batches:
        share = (self.global_rank, self.trainer.world_size)
        return Batches(self.train_part, self.recipe, [self.recipe.seed, 0, epoch], share)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """The dev pictures, some at a time."""
        return DataLoader(torch.arange(len(self.dev_part.captions)).split(_VALIDATION_BATCH), batch_size=None)  # type: ignore[arg-type]

    def on_validation_epoch_start(self) -> None:
        """Captions of this epoch are gathered."""
        self._said: list[list[int]] = []

    def validation_step(self, pictures: Tensor, index: int) -> None:
        """Caption some dev pictures."""
        trunk = as_tensor(self.dev_part.features[pictures.cpu().numpy(), 0]).to(self.device)
        memory, state = self.network.begin(self.network.encoder.top(trunk, self.layers))
        found = beam_search(self.network.decoder, memory, state, _VALIDATION_BEAM, self.recipe.max_words, 1.0)
        self._said += [sentence(tokens) for tokens in found.tokens[:, 0].tolist()]

    def on_validation_epoch_end(self) -> None:
        """Log CIDEr and how many words are in use."""
        score = self.dev_cider.scores(np.arange(len(self._said)), self._said).mean()
        self.log("dev_cider", float(score) * 100, prog_bar=True, sync_dist=True)
        self.log(
            "dev_words",
            float(len({word for said in self._said for word in said})),
            prog_bar=True,
            sync_dist=True,
        )
        self._show_samples()

    def _show_samples(self) -> None:
        """Log pictures with their captions, where there is a log that shows pictures."""
        vocabulary = Vocabulary(self.about.get("vocabulary", ()))
        step = max(1, len(self._said) // _SAMPLES)
        for logger in self.loggers:
            if not isinstance(logger, TensorBoardLogger):
                continue
            paths = [Path(path) for path, _ in self.about["dev"][::step]][:_SAMPLES]
            captions = [vocabulary.decode(said) for said in self._said[::step]][:_SAMPLES]
            with contextlib.suppress(ImageError):  # a picture that went missing is no reason to stop
                shown = sheet(paths, captions)
                logger.experiment.add_image("samples", shown, self.global_step, dataformats="HWC")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what `linnet export` needs to know: plain values only, so that no pickle is ever executed."""
        checkpoint["linnet"] = self.about

    def on_train_batch_start(self, batch: Batch, index: int) -> None:
        """Dropout and samples are to be the same after a resume."""
        seed = [self.recipe.seed, self.global_rank, self.global_step]
        torch.manual_seed(int(np.random.default_rng(seed).integers(2**31)))

    def _encoded(self, trunk: Tensor) -> Tensor:
        """Features of the whole encoder, and gradients where it learns."""
        return self.network.encoder.top(trunk, self.layers)

    def _optimizers(
        self, rate: float, encoder_rate: float, epochs: int, warm_up: float
    ) -> OptimizerLRSchedulerConfig:
        groups: list[dict[str, Any]] = [
            {"params": [p for name, p in self.network.named_parameters() if not name.startswith("encoder.")]}
        ]
        encoder = [p for p in self.network.encoder.parameters() if p.requires_grad]
        if encoder:
            groups.append({"params": encoder, "weight_decay": 0.0})
        optimizer = torch.optim.AdamW(groups, rate, weight_decay=0.01)
        steps = epochs * len(self._batches(0))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, [rate, encoder_rate][: len(groups)], steps, pct_start=warm_up
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Supervised(CaptionModule):
    """Learns from people's captions."""

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Cross-entropy of captions and of their words in no order; the doubly stochastic penalty."""
        memory, state = self.network.begin(self._encoded(batch.trunk))
        feeds, attention = teacher_forced(self.network.decoder, memory, state, batch.tokens)
        present = batch.tokens != PAD
        logits = self.network.decoder.logits(self.network.dropout(feeds[present]))
        loss = functional.cross_entropy(
            logits, batch.tokens[present], label_smoothing=self.recipe.label_smoothing
        )
        self.log("loss", loss, prog_bar=True)
        bag = bag_of_words_loss(self.network.decoder, state, batch.tokens)
        self.log("bag", bag)
        loss = loss + self.recipe.bag_of_words * bag
        # Seen over a caption, every place should have had as much attention as any other.
        share = (attention * present[..., None]).sum(2) / present.sum(2)[..., None] * attention.shape[3]
        return loss + self.recipe.attention_penalty * ((1 - share) ** 2).mean()

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a one-cycle rate."""
        recipe = self.recipe
        epochs = recipe.tuned_epochs if self.tunes_encoder else recipe.frozen_epochs
        # What knows nothing yet learns as fast as the rest.
        encoder_rate = recipe.encoder_learning_rate if self.about["pretrained"] else recipe.learning_rate
        return self._optimizers(recipe.learning_rate, encoder_rate, epochs, 0.15)


class SelfCritical(CaptionModule):
    """Learns from the CIDEr-D of captions it draws: REINFORCE, each against the mean of the picture's others.

    Rennie et al. 2017, https://arxiv.org/abs/1612.00563; the baseline is Luo's, 2020,
    https://arxiv.org/abs/2003.09971.

    Alone that leaves ever fewer words in use: rare ones are seldom drawn, so nothing is learnt of them
    (Honda et al. 2022, https://arxiv.org/abs/2212.03230). Therefore rare words are made likelier beforehand
    by the logit adjustment of Menon et al. 2021, https://arxiv.org/abs/2007.07314, and some cross-entropy
    with the same adjustment holds the network to what people write.
    """

    def __init__(
        self, recipe: Recipe, network: CaptionNetwork, train: Pictures, dev: Pictures, about: dict[str, Any]
    ) -> None:
        super().__init__(recipe, network, train, dev, about)
        self.cider = CiderReward(train.references)
        counts = np.bincount(
            [token for captions in train.captions for caption in captions for token in caption],
            minlength=len(network.decoder.bias),
        )
        frequency = torch.from_numpy(np.maximum(counts, 1) / counts.sum())
        self.prior = (recipe.rare_words * frequency.log()).to(network.decoder.bias)
        # A run that goes on finds other weights in its checkpoint.
        with torch.no_grad():
            network.decoder.bias.sub_(self.prior)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Minus the log-probability of each drawn caption times what it is better than the others."""
        memory, state = self.network.begin(self._encoded(batch.trunk))
        count = self.recipe.samples
        tokens, gains = sample(self.network.decoder, memory, state, count, self.recipe.max_words)
        said = [sentence(row, with_end=True) for row in tokens.flatten(0, 1).tolist()]
        pictures = batch.picture.cpu().numpy().repeat(count)
        reward = torch.from_numpy(self.cider.scores(pictures, said)).to(gains).view(-1, count)
        self.log("reward", reward.mean() * 100, prog_bar=True)
        others = (reward.sum(1, keepdim=True) - reward) / (count - 1)
        present = tokens != PAD
        loss = -((reward - others)[..., None] * gains).sum() / present.sum()
        if self.recipe.supervised_weight:
            loss = loss + self.recipe.supervised_weight * self._supervised(batch.tokens, memory, state)
        return loss

    def _supervised(self, tokens: Tensor, memory: Memory, state: State) -> Tensor:
        """Cross-entropy of one caption of each picture."""
        rows = torch.arange(len(tokens), device=tokens.device)
        chosen = tokens[rows, torch.randint(tokens.shape[1], (len(tokens),), device=tokens.device)][:, None]
        feeds, _ = teacher_forced(self.network.decoder, memory, state, chosen)
        present = chosen != PAD
        logits = self.network.decoder.logits(self.network.dropout(feeds[present]))
        return functional.cross_entropy(logits + self.prior.to(logits), chosen[present])

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a one-cycle rate."""
        recipe = self.recipe
        rate = recipe.self_critical_learning_rate
        return self._optimizers(rate, rate / 5, recipe.self_critical_epochs, 0.05)
