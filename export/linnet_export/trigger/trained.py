"""The network of a trigger-word checkpoint."""

from dataclasses import dataclass
from typing import Any

from linnet_export.checkpoint import Checkpoint
from linnet_training.trigger.network import TriggerNetwork

_ABOUT = ("keywords", "recipe", "refractory_s", "origins", "licences", "recorded", "dev")


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: TriggerNetwork
    about: dict[str, Any]
    """Keywords, recipe, dev recordings and more, as `linnet_training.trigger.train.about` wrote them."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Trained":
        """Build the network and give it its weights.

        Raises:
            ExportError: the checkpoint is of another network.
        """
        weights = checkpoint.weights
        try:
            channels = (len(weights["conv1.weight"]), len(weights["conv2.weight"]))
            hidden = weights["gru1.weight_hh_l0"].shape[1]
            network = TriggerNetwork(len(checkpoint.about["keywords"]), channels, hidden)
            network.load_state_dict(weights)
            about = {name: checkpoint.about[name] for name in _ABOUT}
            about["credits"] = checkpoint.about.get("credits", [])  # which earlier checkpoints lack
        except (KeyError, RuntimeError, TypeError, AttributeError, IndexError) as error:
            raise checkpoint.unlike() from error
        network.fold_scale()
        return cls(network.eval().requires_grad_(False), about)
