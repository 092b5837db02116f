"""One Lightning run: resumed where it was cut off, stopped when the dev measure no longer gets better."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from linnet.errors import OutputError
from linnet_training import processes

_BEST, _LAST = "best.ckpt", "last.ckpt"


@dataclass(frozen=True)
class Plan:
    """How long a run goes on, and what it is judged by."""

    epochs: int
    seed: int
    measure: str
    """The logged dev measure that stops the run when it has not got better."""
    mode: str
    """"min" or "max": what is better."""
    patience: int
    averaging: float
    """Decay of the moving average of the weights, which is what is judged and exported."""
    rank: str = ""
    """The logged value that chooses the best epoch; by default the measure."""


def fit(module: lightning.LightningModule, plan: Plan, inputs: str, folder: Path) -> Path:
    """Train, or go on training, and return the best checkpoint.

    Args:
        module: model, data loaders and optimiser; its checkpoints hold ``linnet: {"inputs": ...}``.
        plan: when to stop.
        inputs: names what the run learns from; only a run of the same name is gone on with.
        folder: gets checkpoints and logs.

    Raises:
        OutputError: a checkpoint or a log cannot be written.
    """
    finished = folder / "finished"
    if finished.is_file() and finished.read_text() == inputs:
        return folder / _BEST
    world = processes.count()
    # Set by torchrun; Lightning wants to be told the same.
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "0"))
    # The other half of the cores draw batches. Small products gain little from threads and stall for long
    # where a thread waits for a busy core.
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 2) // 2 // (local or 1))))
    lightning.seed_everything(plan.seed, verbose=False)
    # Lightning's own save_last leaves out the epochs that are not the best, which a resumed run would repeat.
    kept: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    best = callbacks.ModelCheckpoint(
        folder, Path(_BEST).stem, monitor=plan.rank or plan.measure, mode=plan.mode, **kept
    )
    last = callbacks.ModelCheckpoint(folder, Path(_LAST).stem, **kept)
    cuda = torch.cuda.is_available()
    starts = len(
        list((folder / "log").glob("*"))
    )  # a log of its own for each, or a resumed run would erase it
    trainer = lightning.Trainer(
        max_epochs=plan.epochs,
        precision="bf16-mixed" if cuda else "32-true",
        devices=local or 1,  # several GPUs are for torchrun to start
        num_nodes=world // local if local else 1,
        gradient_clip_val=1.0,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,  # each process draws batches of its own
        log_every_n_steps=20,
        logger=[
            CSVLogger(folder / "log", str(starts), version=""),
            TensorBoardLogger(folder, "tensorboard", version=""),
        ],
        callbacks=[
            callbacks.EMAWeightAveraging(decay=plan.averaging, use_buffers=False),
            callbacks.EarlyStopping(plan.measure, mode=plan.mode, patience=plan.patience),
            callbacks.LearningRateMonitor("step"),
            callbacks.TQDMProgressBar(refresh_rate=20),
            best,
            last,  # it holds the state of the others, so it comes after them
        ],
    )
    try:
        trainer.fit(module, ckpt_path=_checkpoint_of(inputs, folder), weights_only=True)
        if trainer.is_global_zero:
            finished.write_text(inputs)
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):  # which Lightning makes an exit of
            raise KeyboardInterrupt from None
        raise
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror or error}") from error
    return folder / _BEST


def _checkpoint_of(inputs: str, folder: Path) -> Path | None:
    """The last checkpoint in a folder; None where there is none, or one of another run."""
    last = folder / _LAST
    try:
        content = torch.load(last, map_location="cpu", weights_only=True)
    except Exception:  # missing, or damaged in any way that torch's readers have words for
        return None
    return last if content.get("linnet", {}).get("inputs") == inputs else None
