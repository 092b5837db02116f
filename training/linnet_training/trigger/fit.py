"""One Lightning run over a bank: resumed where it was cut off, judged on the dev stream after every epoch."""

import os
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from linnet.errors import OutputError
from linnet_training.trigger.bank import Bank
from linnet_training.trigger.dev import DevStream
from linnet_training.trigger.examples import Examples
from linnet_training.trigger.module import TriggerModule
from linnet_training.trigger.network import TriggerNetwork
from linnet_training.trigger.recipe import Recipe

_BEST, _LAST = "best.ckpt", "last.ckpt"


def fit(
    recipe: Recipe, network: TriggerNetwork, bank: Bank, dev: DevStream, folder: Path, about: dict[str, Any]
) -> Path:
    """Train, or go on training, and return the best checkpoint.

    Args:
        recipe: settings of the run.
        network: where to start from; ignored when `folder` holds a checkpoint to resume.
        bank: training clips.
        dev: what epochs are judged on.
        folder: gets checkpoints and logs.
        about: plain values kept in the checkpoint for export; `inputs` among them names what the run learns
            from, and only a run of the same name is gone on with.

    Raises:
        OutputError: a checkpoint or a log cannot be written.
    """
    finished = folder / "finished"
    if finished.is_file() and finished.read_text() == about["inputs"]:
        return folder / _BEST
    world = int(os.environ.get("WORLD_SIZE", "1"))
    # Set by torchrun; Lightning wants to be told the same.
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "0"))
    examples = Examples(bank, len(about["keywords"]), max(1, recipe.batch_size // world))
    # The other half of the cores draw batches. A GRU's small products gain little from threads and stall for
    # long where a thread waits for a busy core.
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 2) // 2 // (local or 1))))
    lightning.seed_everything(recipe.seed, verbose=False)
    module = TriggerModule(recipe, network, examples, dev, about)
    # Lightning's own save_last leaves out the epochs that are not the best, which a resumed run would repeat.
    kept: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    best = callbacks.ModelCheckpoint(folder, Path(_BEST).stem, monitor="dev_rank", mode="min", **kept)
    last = callbacks.ModelCheckpoint(folder, Path(_LAST).stem, **kept)
    cuda = torch.cuda.is_available()
    starts = len(
        list((folder / "log").glob("*"))
    )  # a log of its own for each, or a resumed run would erase it
    trainer = lightning.Trainer(
        max_epochs=recipe.epochs,
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
            callbacks.EMAWeightAveraging(decay=recipe.averaging, use_buffers=False),
            callbacks.EarlyStopping("dev_miss", mode="min", patience=recipe.patience),
            callbacks.LearningRateMonitor("step"),
            callbacks.TQDMProgressBar(refresh_rate=20),
            best,
            last,  # it holds the state of the others, so it comes after them
        ],
    )
    try:
        trainer.fit(module, ckpt_path=_checkpoint_of(about["inputs"], folder), weights_only=True)
        if trainer.is_global_zero:
            finished.write_text(about["inputs"])
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):  # which Lightning makes an exit of
            raise KeyboardInterrupt from None
        raise
    except OSError as error:
        raise OutputError(f"Cannot write to {folder}: {error.strerror or error}.") from error
    return folder / _BEST


def _checkpoint_of(inputs: str, folder: Path) -> Path | None:
    """The last checkpoint in a folder; None where there is none, or one of another run."""
    last = folder / _LAST
    try:
        content = torch.load(last, map_location="cpu", weights_only=True)
    except Exception:  # missing, or damaged in any way that torch's readers have words for
        return None
    return last if content.get("linnet", {}).get("inputs") == inputs else None
