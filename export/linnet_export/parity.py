"""No file without proof: what a captioner or a translator says must be what the trained network says."""

from collections.abc import Sequence

from linnet.errors import ExportError

ALIKE = 0.99
"""Share of answers that must be the same words in torch and in the file in float32."""


def share_alike(same: Sequence[bool], of_what: str) -> float:
    """The share of answers that are the same, for each of the ``same``.

    Raises:
        ExportError: it is less than 99 %, ``of_what`` was looked at.
    """
    share = sum(same) / max(1, len(same))
    if share < ALIKE:
        raise ExportError(
            f"the exported file and the trained network say the same of only {share:.1%} of {len(same)} "
            f"{of_what}; it was not written"
        )
    return share


def check_loss(lost: float, most: float, measure: str) -> float:
    """What 8 bits cost in a measure of quality.

    Raises:
        ExportError: it is more than ``most``.
    """
    if lost > most:
        raise ExportError(
            f"8 bits cost {lost:.2f} {measure}, more than {most:g}; it was not written; export with "
            "--precision fp32, or train longer"
        )
    return lost
