"""Image files to a run's probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.data.images import decode, display_name, fit, share_seen
from aquadash.errors import AquaDashError, StorageError

#: An image file: its name and its bytes, or a function that fetches them when their turn comes.
ImageFile = tuple[str, bytes | Callable[[], bytes]]

#: How many files :func:`predict_files` takes at a time: the network works faster on many images at once, but nobody
#: should wait for the last photograph to see the first result.
FILES_AT_ONCE = 16


class Predictor:
    """A trained model, ready to look at images. May be used from several threads at once.

    Attributes:
        class_names: One name a class, in the order of the probabilities.
        image_shape: Height, width and channels of the images it looks at.
    """

    def __init__(self, model: Any, *, class_names: Sequence[str]) -> None:
        """Prepare a model; takes about 0.2 s.

        Args:
            model: A ``keras.Model`` from images in 0..1, shape (n, height, width, 3), to probabilities (n, classes).
            class_names: One name a class.

        Raises:
            StorageError: The model's input is no RGB image or its output does not fit the class names.
        """
        import tensorflow as tf

        from aquadash.models import normalise

        shape, outputs = model.input_shape, model.output_shape
        if not (isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:] and shape[3] == 3):
            raise StorageError(f"The model takes {shape}; expected RGB images of one size (None, height, width, 3).")
        if outputs != (None, len(class_names)):
            raise StorageError(
                f"The model answers with {outputs}; expected {len(class_names)} probabilities, one for each of "
                f"{', '.join(class_names)}. Does the model belong to this data set?"
            )
        self.class_names = tuple(class_names)
        self.image_shape: tuple[int, int, int] = (int(shape[1]), int(shape[2]), 3)

        def forward(images: Any) -> Any:
            return model(normalise(images), training=False)

        # Traced here, once: later calls only run the finished graph, which any number of threads may do.
        signature = tf.TensorSpec((None, *self.image_shape), tf.uint8)
        self._forward = tf.function(forward, jit_compile=False).get_concrete_function(signature)
        self._constant = tf.constant
        # The graph refers to the model's variables without owning them.
        self._model = model
        self.predict_images(np.zeros((1, *self.image_shape), np.uint8))

    @classmethod
    def load(cls, path: Path, *, class_names: Sequence[str]) -> Predictor:
        """Load a saved model, without running any code that the file may hold.

        Args:
            path: A ``.keras`` file.
            class_names: One name a class.

        Raises:
            StorageError: The file is missing, damaged or no model for images of these classes.
        """
        if not path.is_file():
            raise StorageError("This run has no saved model yet. Wait for its first epoch, or resume the run.")
        import keras

        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:
            # Keras answers a damaged file with anything from KeyError to zipfile.BadZipFile.
            raise StorageError(
                f"The saved model {display_name(path.name)} cannot be loaded: it is damaged, was saved by a newer "
                "Keras, or holds program code, which is never run. Train the run again, or resume it."
            ) from error
        return cls(model, class_names=class_names)

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]:
        """Probabilities of images that have the network's size already.

        Args:
            images: uint8, shape (n, *image_shape), 0 to 255.
            batch_size: How many images the network looks at together; bounds the memory it takes.

        Returns:
            float32, shape (n, classes); the rows sum to 1.

        Raises:
            ValueError: Wrong type or shape.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, {self.image_shape})")
        probabilities = np.empty((len(images), len(self.class_names)), np.float32)
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            probabilities[start : start + batch_size] = self._forward(self._constant(batch)).numpy()
        return probabilities


@dataclass(frozen=True, eq=False)
class FilePrediction:
    """What a model says of one file, or why it says nothing.

    Attributes:
        file: The file's name as it was given; text, never markup or a path.
        class_names: The classes, in the order of the probabilities.
        label: The likeliest class, None after an error.
        probabilities: float32, shape (classes,), None after an error.
        seen: What the network saw: uint8, shape (height, width, 3); None if the file could not be read.
        notes: What was done to the picture before, one phrase each.
        error: Why there is no prediction, a sentence or two for people; None when there is one.
    """

    file: str
    class_names: tuple[str, ...]
    label: str | None = None
    probabilities: NDArray[np.float32] | None = None
    seen: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None

    @property
    def confidence(self) -> float | None:
        """The probability of :attr:`label`, 0 to 1; None after an error."""
        return None if self.probabilities is None else float(self.probabilities.max())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``file, label, probabilities`` by class name, ``notes, error``."""
        by_class = None
        if self.probabilities is not None:
            by_class = dict(zip(self.class_names, map(float, self.probabilities), strict=True))
        return {
            "file": self.file,
            "label": self.label,
            "probabilities": by_class,
            "notes": list(self.notes),
            "error": self.error,
        }


def predict_files(
    files: Iterable[ImageFile], predictor: Predictor, *, batch_size: int = FILES_AT_ONCE
) -> Iterator[FilePrediction]:
    """Predict image files one after the other, in their order; a bad one becomes a result with an error.

    At most one large picture is in memory at a time, and files whose bytes come from a function are fetched only when
    their turn comes.

    Args:
        files: Names and bytes. A function in place of the bytes, such as ``functools.partial(images.read, path)``, may
            raise :class:`~aquadash.errors.AquaDashError` or ``OSError``: that is this file's error.
        predictor: The model.
        batch_size: How many files are read before their results come.
    """
    remaining = iter(files)
    while batch := [_looked_at(name, source, predictor) for name, source in islice(remaining, batch_size)]:
        seen = [prediction.seen for prediction in batch if prediction.seen is not None]
        rows = iter(predictor.predict_images(np.stack(seen)) if seen else ())
        for prediction in batch:
            yield prediction if prediction.seen is None else _answered(prediction, next(rows))


def _looked_at(name: str, source: bytes | Callable[[], bytes], predictor: Predictor) -> FilePrediction:
    """A file's prediction before the network was asked: with what it will see, or with the file's error."""
    size = predictor.image_shape[:2]
    try:
        image = decode(source() if callable(source) else source, name=name)
    except AquaDashError as error:
        return FilePrediction(name, predictor.class_names, error=str(error))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return FilePrediction(name, predictor.class_names, error=f"{display_name(name)} cannot be read: {reason}.")
    notes = image.notes
    share = share_seen(image.rgb, size=size)
    # A photograph of 3:2 or 16:9 keeps 56 % or more of its area in a square: not worth a word.
    if share < 0.5:
        notes = (*notes, f"long picture: the network sees only the middle {max(share, 0.001):.1%} of it")
    return FilePrediction(name, predictor.class_names, seen=fit(image.rgb, size=size), notes=notes)


def _answered(prediction: FilePrediction, probabilities: NDArray[np.float32]) -> FilePrediction:
    """The prediction with the network's answer."""
    file, classes, seen, notes = prediction.file, prediction.class_names, prediction.seen, prediction.notes
    if not np.isfinite(probabilities).all():
        error = (
            "The model's answer is not a number: its training has diverged. "
            "Train it again with a smaller learning rate."
        )
        return FilePrediction(file, classes, seen=seen, notes=notes, error=error)
    return FilePrediction(file, classes, classes[int(probabilities.argmax())], probabilities, seen, notes)
