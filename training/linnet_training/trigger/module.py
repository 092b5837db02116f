"""Training as Lightning sees it: batches drawn by step number, losses, the dev metric."""

from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from linnet_training.trigger.dev import DevStream
from linnet_training.trigger.examples import Batch, Examples
from linnet_training.trigger.loss import embedding_loss, keyword_loss, worst_score
from linnet_training.trigger.network import State, TriggerNetwork
from linnet_training.trigger.recipe import Recipe

_CARRY_PROBABILITY = 0.6
_HARDNESS_MEMORY = 0.7
_STEPS_PER_UNIT = 2


class TriggerModule(lightning.LightningModule):
    """The network in training, with all that a resumed run needs in its state."""

    teacher_mean: Tensor
    teacher_scale: Tensor
    hardness: Tensor

    def __init__(
        self,
        recipe: Recipe,
        network: TriggerNetwork,
        examples: Examples,
        dev: DevStream,
        about: dict[str, Any],
    ):
        super().__init__()
        self.recipe = recipe
        self.about = about
        self.network = network
        self.examples = examples
        self.dev = dev
        size = examples.bank.teacher.shape[1]
        self.teacher_head = nn.Linear(network.hidden, size) if size else None
        embedding = examples.bank.teacher.astype(np.float32)
        self.register_buffer("teacher_mean", torch.from_numpy(embedding.mean(axis=0)), persistent=False)
        self.register_buffer(
            "teacher_scale", 1 / torch.from_numpy(embedding.std(axis=0) + 1e-3), persistent=False
        )
        # What a batch leaves to the next is part of the checkpoint, or a resumed run would differ.
        self.register_buffer("hardness", torch.ones(len(examples.bank)))
        for name, value in network.initial_state(examples.size)._asdict().items():
            self.register_buffer(f"carried_{name}", value)

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches of one epoch, drawn in a process of their own from what was found hard before it."""
        first = self.current_epoch * self.recipe.steps_per_epoch
        seeds = [
            [self.recipe.seed, self.global_rank, first + step] for step in range(self.recipe.steps_per_epoch)
        ]
        return DataLoader(
            _Drawn(self.examples, seeds, self.hardness.cpu().numpy()), batch_size=None, num_workers=1
        )

    def val_dataloader(self) -> DataLoader[int]:
        """One pass over the dev stream, which is one piece."""
        return DataLoader(range(1), batch_size=None)  # type: ignore[arg-type]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        # Dropout is to be the same after a resume.
        seed = [self.recipe.seed, self.global_rank, self.global_step]
        torch.manual_seed(int(np.random.default_rng(seed).integers(2**31)))
        features, state = self.network.features(batch.mel.transpose(1, 2), self._starting_state())
        logits = self.network.output(self.network.dropout(features))
        loss = keyword_loss(logits.float(), batch.keyword, batch.end, self.recipe.positive_weight)
        self.log("loss", loss, prog_bar=True, batch_size=1)
        if self.teacher_head is not None:
            predicted = self.teacher_head(features[:, _STEPS_PER_UNIT - 1 :: _STEPS_PER_UNIT])
            target = (batch.embedding - self.teacher_mean) * self.teacher_scale
            embedded = embedding_loss(predicted.float(), target, batch.known)
            self.log("embedding_loss", embedded, prog_bar=True, batch_size=1)
            loss = loss + self.recipe.teacher_weight * embedded
        self._remember(batch, logits, state)
        return loss

    def _starting_state(self) -> State:
        """Silence, or for most examples what another clip left behind: live audio has no beginning."""
        keep = torch.rand(self.examples.size, device=self.device) < _CARRY_PROBABILITY
        order = torch.randperm(self.examples.size, device=self.device)
        carried = (getattr(self, f"carried_{name}")[order] for name in State._fields)
        return State(*(value * keep.view(-1, *[1] * (value.dim() - 1)) for value in carried))

    def _remember(self, batch: Batch, logits: Tensor, state: State) -> None:
        for name, value in state._asdict().items():
            getattr(self, f"carried_{name}").copy_(value.detach())
        negative = batch.keyword < 0
        score = torch.sigmoid(worst_score(logits.float(), batch.keyword))[negative] + 0.02
        clips = batch.clip[negative]
        self.hardness[clips] = _HARDNESS_MEMORY * self.hardness[clips] + (1 - _HARDNESS_MEMORY) * score

    def validation_step(self, batch: int, batch_idx: int) -> None:
        """Log the dev miss rate, clean and in noise, at the recipe's false-alarm rate."""
        for condition, miss in self.dev.miss_rates(
            self.network, self.recipe.dev_false_alarms_per_hour
        ).items():
            self.log(f"dev_miss_{condition}", miss, sync_dist=True, batch_size=1)
            if condition == self.dev.hardest:
                self.log("dev_miss", miss, prog_bar=True, sync_dist=True, batch_size=1)
                # Of epochs with equal misses, which are counted on few recordings, the last has learnt most.
                self.log("dev_rank", miss - 1e-6 * self.current_epoch, sync_dist=True, batch_size=1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what `linnet export` needs to know: plain values only, so that no pickle is ever executed."""
        checkpoint["linnet"] = self.about

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a one-cycle rate (L. Smith, N. Topin, 2018, arXiv:1708.07120)."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.recipe.learning_rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            self.recipe.learning_rate,
            total_steps=self.recipe.epochs * self.recipe.steps_per_epoch,
            pct_start=0.15,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Drawn(Dataset[Batch]):
    """Batches by their seeds."""

    def __init__(self, examples: Examples, seeds: list[list[int]], hardness: np.ndarray):
        self._examples, self._seeds, self._hardness = examples, seeds, hardness

    def __len__(self) -> int:
        return len(self._seeds)

    def __getitem__(self, index: int) -> Batch:
        return self._examples.batch(self._seeds[index], self._hardness)
