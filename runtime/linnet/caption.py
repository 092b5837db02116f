"""Says what is in a picture.

    captioner = Captioner()
    print(captioner("photo.jpg"))
    best = captioner("photo.jpg", beam=5, n_best=3)
    for caption in (best, *best.alternatives):
        print(caption.score, caption.text)

From pixels to words is one call of the graph: encoder, decoder and search are in the file, and so is the
scaling of pixel values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from linnet import zoo
from linnet.card import Card
from linnet.errors import ImageError
from linnet.image import Picture, pixels
from linnet.search import Hypothesis, SearchModel, asked, best_of, text_of

__all__ = ["BUNDLED", "Caption", "Captioner"]

BUNDLED = "captioner"
"""Name of the captioner that ships with Linnet."""

# Pictures in one call of the graph: on one thread two take 17.5 ms each, one 18.9, four 17.1, eight 17.8; and
# each adds 13 MB to the memory.
_AT_ONCE = 2


@dataclass(frozen=True)
class Caption:
    """What a captioner says of a picture. As text it is its `text`."""

    text: str
    """In lower case, without a full stop."""
    score: float
    """Log-probability divided by length to the power of the length penalty: at most 0, the higher the better.
    Comparable between captions of one model that were made with the same length penalty."""
    tokens: tuple[str, ...]
    """The words."""
    attention: NDArray[np.float32] = field(compare=False, repr=False)
    """(words, rows, columns): where the model looked as it chose each word; each word's grid sums to 1."""
    alternatives: tuple[Caption, ...] = ()
    """Further captions, the best first, where more than one was asked for; they have no alternatives."""

    def __str__(self) -> str:
        return self.text


class CaptionModel(SearchModel):
    """A captioner's file: ``image``, uint8 (batch, height, width, 3), is what is put into words."""

    def __init__(self, path: str | os.PathLike[str], *, time_limit_s: float = 60.0) -> None:
        """Open the file at ``path``. Raises what `Model` does."""
        super().__init__(path, "caption", "image", time_limit_s=time_limit_s)
        self.settings = self.card.caption
        self.vocabulary = self.settings.vocabulary
        self.rows, self.columns = self.settings.grid
        side = self.settings.image_size
        kind, shape = self.inputs["image"]
        if (
            kind != "tensor(uint8)"
            or len(shape) != 4
            or any(
                size not in (None, right) for size, right in zip(shape, (None, side, side, 3), strict=True)
            )
        ):
            raise self.unlike("its inputs and outputs are others")
        # A file may promise shapes and then give others, or no numbers.
        self.captions(np.zeros((1, side, side, 3), np.uint8), beam=2, max_length=2, length_penalty=1.0)

    def captions(self, images: NDArray[np.uint8], **settings: Any) -> list[list[Hypothesis]]:
        """The hypotheses of each image; ``settings`` are those of `SearchModel.search`."""
        return self.search(images, self.rows * self.columns, **settings)


class Captioner:
    """A model that says what is in pictures. Several threads may use it at once."""

    card: Card
    """The card of the model file."""

    def __init__(self, model: str | os.PathLike[str] = BUNDLED, *, time_limit_s: float = 60.0) -> None:
        """Load a model.

        Args:
            model: the name of a bundled captioner, or a file (`linnet.zoo.find`).
            time_limit_s: no call of the graph may take longer; one is made for a few pictures at a time.

        Raises what `linnet.zoo.find` does, and ModelError where the file cannot be used.
        """
        self.model = CaptionModel(zoo.find(model).path, time_limit_s=time_limit_s)
        self.card = self.model.card

    @overload
    def __call__(
        self,
        image: list[Any] | tuple[Picture, ...],  # a list of paths is no list of pictures to type checkers
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
    ) -> list[Caption]: ...

    @overload
    def __call__(
        self,
        image: Picture,
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
    ) -> Caption: ...

    def __call__(
        self,
        image: Picture | list[Any] | tuple[Picture, ...],
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
    ) -> Caption | list[Caption]:
        """Caption a picture, or a list of pictures, a few of which go through the graph together.

        Args:
            image: a picture: a path, the bytes of a file, an open file, a PIL image, or an array (height,
                width) or (height, width, 3 or 4) of uint8, uint16, bool, or floats within 0 to 1. Or a list
                of pictures.
            beam: hypotheses that the search follows at a time, 1 to 32; 1 is greedy. By default what the card
                says, or ``n_best`` if that is more.
            n_best: captions wanted of each picture, at most ``beam``; all but the best are in the best one's
                ``alternatives``.
            max_length: most words, 1 to 40; by default what the card says.
            length_penalty: see `Caption.score`; by default what the card says.

        Returns:
            The best caption of the picture, or a list of them for a list.

        Raises ImageError where a picture cannot be used (of a list: the first such; `each` goes on),
        UsageError where a number is out of range, and ModelError where the model fails.
        """
        many = isinstance(image, (list, tuple))
        pictures: Sequence[Picture] = image if isinstance(image, (list, tuple)) else [image]
        captions: list[Caption] = []
        for result in self.each(pictures, beam, n_best, max_length=max_length, length_penalty=length_penalty):
            if isinstance(result, ImageError):
                place = len(captions)
                if not many or isinstance(pictures[place], (str, os.PathLike)):
                    raise result
                raise type(result)(f"picture {place + 1} of {len(pictures)}: {result}") from result
            captions.append(result)
        return captions if many else captions[0]

    def each(
        self,
        images: Iterable[Picture],
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
    ) -> Iterator[Caption | ImageError]:
        """Caption any number of pictures; a few are read at a time, and their captions given before the next.

        In the place of a picture that cannot be used stands its ImageError, not raised. Arguments are those
        of a call, as are the other errors.
        """
        search = asked(self.card.caption, beam, n_best, max_length, length_penalty=length_penalty)
        return self._each(iter(images), search)

    def _each(self, images: Iterator[Picture], search: dict[str, Any]) -> Iterator[Caption | ImageError]:
        while batch := list(islice(images, _AT_ONCE)):
            prepared = [self._pixels(image) for image in batch]
            usable = [each for each in prepared if not isinstance(each, ImageError)]
            found = iter(self.model.captions(np.stack(usable), **search) if usable else ())
            for each in prepared:
                yield each if isinstance(each, ImageError) else self._caption(next(found))

    def _pixels(self, image: Picture) -> NDArray[np.uint8] | ImageError:
        try:
            return pixels(image, self.card.caption.image_size)
        except ImageError as error:
            return error

    def _caption(self, found: Sequence[Hypothesis]) -> Caption:
        """The best of the hypotheses, with the others as its alternatives."""
        return best_of(
            [
                Caption(
                    text_of(each.pieces),
                    each.score,
                    tuple(text_of([piece]) for piece in each.pieces),
                    each.attention.reshape(-1, self.model.rows, self.model.columns),
                )
                for each in found
            ]
        )
