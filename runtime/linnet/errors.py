"""Everything that can go wrong because of what a user gave Linnet.

    LinnetError
    ├── ModelError              a model file that cannot be used
    │   ├── ModelNotFoundError  (also FileNotFoundError) there is no such file or bundled model
    │   ├── CardError           its card is missing, malformed, or of a task or version unknown here
    │   └── ModelTimeoutError   (also TimeoutError) it computed longer than allowed
    ├── KeywordError            (also ValueError) keywords that the file, or every bundled model, is deaf to
    ├── AudioError              audio that cannot be used
    │   ├── AudioNotFoundError  (also FileNotFoundError) there is no such recording
    │   ├── AudioFormatError    (also ValueError) not audio, or of a kind not understood
    │   └── DeviceError         the microphone is missing, busy or gone
    ├── ImageError              a picture that cannot be used
    │   ├── ImageNotFoundError  (also FileNotFoundError) there is no such picture
    │   └── ImageFormatError    (also ValueError) not a picture, damaged, or of a kind not understood
    ├── MissingPackageError     (also ImportError) an optional package is needed and not installed
    ├── DataError               training data that is missing, empty or too little
    ├── RecipeError             (also ValueError) a training recipe with an unknown or impossible setting
    ├── SynthesisError          no speech synthesiser, or one that failed
    ├── ExportError             a model that could not be exported faithfully
    ├── UsageError              arguments that do not go together
    └── OutputError             (also OSError) a result that could not be written

Each carries one sentence that says what is wrong and what to do about it. Where the standard library has a
type for the same trouble, the error is of that type too, so ``except FileNotFoundError`` works.
"""

__all__ = [
    "AudioError",
    "AudioFormatError",
    "AudioNotFoundError",
    "CardError",
    "DataError",
    "DeviceError",
    "ExportError",
    "ImageError",
    "ImageFormatError",
    "ImageNotFoundError",
    "KeywordError",
    "LinnetError",
    "MissingPackageError",
    "ModelError",
    "ModelNotFoundError",
    "ModelTimeoutError",
    "OutputError",
    "RecipeError",
    "SynthesisError",
    "UsageError",
]


class LinnetError(Exception):
    """Any error that comes from what the user gave, not from a fault in Linnet."""


class ModelError(LinnetError):
    """A model file that cannot be used: damaged, not a Linnet model, or failing while it runs."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no model file where one was named, or no bundled model of a name or keyword."""


class CardError(ModelError):
    """A model card that is missing, malformed, or of a task or version this Linnet does not know."""


class ModelTimeoutError(ModelError, TimeoutError):
    """A model that computed for longer than its time limit and was stopped."""


class KeywordError(LinnetError, ValueError):
    """A keyword that the model file is deaf to, or several of which no bundled model hears all."""


class AudioError(LinnetError):
    """Audio that cannot be used: wrong shape, wrong type, not finite."""


class AudioNotFoundError(AudioError, FileNotFoundError):
    """There is no recording where one was named."""


class AudioFormatError(AudioError, ValueError):
    """A file or stream that is not audio, is damaged, or is of a format not understood here."""


class DeviceError(AudioError):
    """A sound device that is missing, busy, or was unplugged."""


class ImageError(LinnetError):
    """A picture that cannot be used: too large, wrong shape, wrong type, not readable."""


class ImageNotFoundError(ImageError, FileNotFoundError):
    """There is no picture where one was named."""


class ImageFormatError(ImageError, ValueError):
    """A file or bytes that are not a picture, are damaged, or are of a format not understood here."""


class MissingPackageError(LinnetError, ImportError):
    """An optional package that this needs and that is not installed."""


class DataError(LinnetError):
    """Training data that is missing, empty, or too little to learn from."""


class RecipeError(LinnetError, ValueError):
    """A training recipe with an unknown key or an impossible value."""


class SynthesisError(LinnetError):
    """No speech synthesiser was found, or one of them failed."""


class ExportError(LinnetError):
    """A trained model that could not be turned into a file which computes the same."""


class UsageError(LinnetError):
    """Arguments that are out of range or do not go together."""


class OutputError(LinnetError, OSError):
    """A result that could not be written: the disk is full, or the place is not writable."""
