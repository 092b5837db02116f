"""Translation in training as Lightning sees it."""

import time
from collections.abc import Sequence
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from linnet.search import text_of
from linnet_training.sequence.search import PAD, START, UNKNOWN, beam_search, sentence
from linnet_training.sequence.teaching import teacher_forced
from linnet_training.translate.batches import Batch, Batches, padded
from linnet_training.translate.data import Corpus, Pair
from linnet_training.translate.metrics import bleu
from linnet_training.translate.network import TranslationNetwork
from linnet_training.translate.pieces import Cutter
from linnet_training.translate.recipe import Recipe

_VALIDATION_BATCH = 64
_WARM_UP = 0.1


class TranslationModule(lightning.LightningModule):
    """Learns from people's translations; dev BLEU decides which epoch was the best."""

    def __init__(
        self,
        recipe: Recipe,
        network: TranslationNetwork,
        cutter: Cutter,
        train: Sequence[Corpus],
        dev: Sequence[Pair],
        about: dict[str, Any],
    ) -> None:
        super().__init__()
        self.recipe, self.network, self.cutter, self.about = recipe, network, cutter, about
        self.corpora = train
        sources = [cutter.ids(pair.source)[: recipe.most_pieces + 1] for pair in dev]
        order = sorted(range(len(dev)), key=lambda each: len(sources[each]))
        self.dev = [dev[each] for each in order]
        self._dev_sources = [sources[each] for each in order]
        self._drawn: tuple[int, Batches] | None = None

    def train_dataloader(self) -> DataLoader[Batch]:
        """Every pair as often as its corpus weighs, cut and shuffled for this epoch."""
        return DataLoader(self._batches(self.current_epoch), batch_size=None)

    def _batches(self, epoch: int) -> Batches:
        # The schedule asks for the first epoch's as well; cutting all pairs takes a while.
        if self._drawn is None or self._drawn[0] != epoch:
            seed = [self.recipe.seed, epoch]
            share = (self.global_rank, self.trainer.world_size)
            self._drawn = epoch, Batches(self.corpora, self.cutter, self.recipe, seed, share)
        return self._drawn[1]

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Places of dev sentences, of like length together."""
        return DataLoader(torch.arange(len(self.dev)).split(_VALIDATION_BATCH), batch_size=None)  # type: ignore[arg-type]

    def on_train_batch_start(self, batch: Batch, index: int) -> None:
        """Dropout is to be the same after a resume."""
        seed = [self.recipe.seed, self.global_rank, self.global_step]
        torch.manual_seed(int(np.random.default_rng(seed).integers(2**31)))
        self._began = time.perf_counter()

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Cross-entropy with label smoothing."""
        memory, state = self.network.begin(batch.source)
        feeds, _ = teacher_forced(self.network.decoder, memory, state, batch.target[:, None])
        present = batch.target != PAD
        logits = self.network.decoder.logits(self.network.dropout(feeds[:, 0][present]))
        loss = functional.cross_entropy(
            logits, batch.target[present], label_smoothing=self.recipe.label_smoothing
        )
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Batch, index: int) -> None:
        """Log how fast it goes."""
        tokens = int((batch.source != PAD).sum() + (batch.target != PAD).sum())
        self.log("tokens/s", tokens / (time.perf_counter() - self._began), prog_bar=True)

    def on_validation_epoch_start(self) -> None:
        """Translations of this epoch are gathered."""
        self._said: list[str] = []

    def validation_step(self, chosen: Tensor, index: int) -> None:
        """Translate some dev sentences greedily."""
        source = padded([self._dev_sources[each] for each in chosen.tolist()]).to(self.device)
        memory, state = self.network.begin(source)
        longest = min(self.recipe.most_pieces, 2 * source.shape[1] + 10)
        found = beam_search(self.network.decoder, memory, state, 1, longest, 0.0)
        self._said += [self.text(tokens) for tokens in found.tokens[:, 0].tolist()]

    def on_validation_epoch_end(self) -> None:
        """Log BLEU."""
        references = [pair.target for pair in self.dev]
        self.log("dev_bleu", bleu(self._said, references), prog_bar=True, sync_dist=True)

    def text(self, tokens: list[int]) -> str:
        """Of ids, up to the end."""
        pieces = self.cutter.pieces.vocabulary
        return text_of([pieces[each] for each in sentence(tokens) if each not in (PAD, START, UNKNOWN)])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what `linnet export` needs to know: plain values only, so that no pickle is ever executed."""
        checkpoint["linnet"] = self.about

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a one-cycle rate."""
        # Epochs differ by a few batches, as sentences are cut in other ways.
        steps = round(1.02 * self.recipe.epochs * len(self._batches(0))) + self.recipe.epochs
        optimizer = torch.optim.AdamW(self.network.parameters(), self.recipe.learning_rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.recipe.learning_rate, steps, pct_start=_WARM_UP
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
