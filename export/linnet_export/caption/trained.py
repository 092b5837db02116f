"""The network of a captioning checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet_export.checkpoint import Checkpoint
from linnet_training.caption.data import Photograph
from linnet_training.caption.network import CaptionNetwork

_ABOUT = ("vocabulary", "recipe", "dev", "calibration", "credits", "learnt_from")


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: CaptionNetwork
    about: dict[str, Any]
    """Vocabulary, recipe, dev pictures and more, as `linnet_training.caption.train` wrote them."""
    dev: tuple[Photograph, ...]
    """What the file is measured on."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Trained":
        """Build the network and give it its weights.

        Raises:
            ExportError: the checkpoint is of another network.
        """
        try:
            about = {name: checkpoint.about[name] for name in _ABOUT}
            about["language"] = checkpoint.about.get("language", "en")  # which earlier checkpoints lack
            recipe = about["recipe"]
            network = CaptionNetwork(
                len(about["vocabulary"]), recipe["memory"], recipe["hidden"], recipe["output"]
            )
            symmetric = bool(checkpoint.about["symmetric_padding"])
            network.encoder.pad_symmetrically(symmetric)
            network.load_state_dict(checkpoint.weights)
            dev = tuple(Photograph(Path(path), "val", tuple(captions)) for path, captions in about["dev"])
        except (KeyError, RuntimeError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise checkpoint.unlike() from error
        return cls(network.eval().requires_grad_(False), about, dev)
