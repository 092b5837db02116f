"""Captions of the written file, beside those of the trained network and of 8 bits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from linnet import Captioner
from linnet.cli.progress import watched
from linnet.image import pixels
from linnet_export.parity import check_loss, share_alike
from linnet_training.caption.data import Photograph
from linnet_training.caption.evaluate_command import caption_all
from linnet_training.caption.metrics import measure
from linnet_training.caption.network import CaptionNetwork
from linnet_training.sequence.search import beam_search
from linnet_training.sequence.vocabulary import Vocabulary

MOST_LOST = 1.0
"""Points of CIDEr that 8 bits may cost."""

_PICTURES = 500
_BATCH = 10


def verify(network: CaptionNetwork, captioner: Captioner, dev: Sequence[Photograph]) -> float:
    """Compare a float32 file's captions with those of the network it was made from.

    Args:
        network: the trained captioner.
        captioner: the file, opened.
        dev: the first 500 of these are captioned.

    Returns:
        the share of captions that are the same.

    Raises:
        ExportError: it is less than 99 %.
    """
    chosen = [each.path for each in dev[:_PICTURES]]
    settings = captioner.card.caption
    vocabulary = Vocabulary(settings.vocabulary)
    same: list[bool] = []
    for first in watched(range(0, len(chosen), _BATCH)):
        paths = chosen[first : first + _BATCH]
        images = torch.from_numpy(np.stack([pixels(path, settings.image_size) for path in paths]))
        memory, state = network.begin(network.encoder(images))
        found = beam_search(
            network.decoder, memory, state, settings.beam, settings.max_length, settings.length_penalty
        )
        expected = [vocabulary.decode(row) for row in found.tokens[:, 0].tolist()]
        got = [caption.text for caption in captioner(paths)]
        same += [one == other for one, other in zip(expected, got, strict=True)]
    return share_alike(same, "pictures")


def check_quantised(before: Sequence[str], after: Sequence[str], dev: Sequence[Photograph]) -> float:
    """How many points of CIDEr captions lose by 8 bits.

    Args:
        before: of all dev pictures, by the float32 file.
        after: the same by the quantised one.
        dev: the pictures.

    Raises:
        ExportError: it is more than one point.
    """
    references = [each.captions for each in dev]
    cider = [measure(said, references, with_java=False).cider for said in (before, after)]
    return check_loss(cider[0] - cider[1], MOST_LOST, "points of CIDEr")


def say_all(path: Path, dev: Sequence[Photograph]) -> list[str]:
    """What a file says of the dev pictures, with the search that its card names."""
    return caption_all(Captioner(path), dev, {})
