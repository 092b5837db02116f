"""The network of a translation checkpoint."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from linnet_export.checkpoint import Checkpoint
from linnet_training.translate.data import Pair
from linnet_training.translate.network import TranslationNetwork
from linnet_training.translate.pieces import Cutter

_ABOUT = ("languages", "recipe", "dev", "calibration", "credits", "learnt_from", "sentencepiece")
_SIZES = ("output", "encoder_hidden", "encoder_layers", "hidden", "layers")


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: TranslationNetwork
    cutter: Cutter
    sentencepiece: bytes
    about: dict[str, Any]
    """Languages, recipe and more, as `linnet_training.translate.train` wrote them."""
    dev: tuple[Pair, ...]
    """What the file is measured on."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Trained":
        """Build the network and give it its weights.

        Raises:
            ExportError: the checkpoint is of another network.
        """
        try:
            about = {name: checkpoint.about[name] for name in _ABOUT}
            model = b64decode(about["sentencepiece"])
            cutter = Cutter(model)
            network = TranslationNetwork(len(cutter), *(about["recipe"][size] for size in _SIZES))
            network.load_state_dict(checkpoint.weights)
            dev = tuple(Pair(*pair) for pair in about["dev"])
        except (KeyError, RuntimeError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise checkpoint.unlike() from error
        return cls(network.eval().requires_grad_(False), cutter, model, about, dev)
