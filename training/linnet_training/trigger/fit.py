"""One run over a bank, judged on the dev stream after every epoch."""

from pathlib import Path
from typing import Any

import lightning

from linnet_training import fitting, processes
from linnet_training.trigger.bank import Bank
from linnet_training.trigger.dev import DevStream
from linnet_training.trigger.examples import Examples
from linnet_training.trigger.module import TriggerModule
from linnet_training.trigger.network import TriggerNetwork
from linnet_training.trigger.recipe import Recipe


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
    examples = Examples(bank, len(about["keywords"]), max(1, recipe.batch_size // processes.count()))
    lightning.seed_everything(recipe.seed, verbose=False)  # the module draws first weights of its own
    plan = fitting.Plan(
        epochs=recipe.epochs,
        seed=recipe.seed,
        measure="dev_miss",
        mode="min",
        patience=recipe.patience,
        averaging=recipe.averaging,
        rank="dev_rank",
    )
    return fitting.fit(TriggerModule(recipe, network, examples, dev, about), plan, about["inputs"], folder)
