"""Inputs of networks from image files, their predictions, and a CSV table of predictions."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.data.framing import MIDDLE, fit, framed, framing_note
from aquadash.data.images import decode, display_name, mark_invisible
from aquadash.errors import AquaDashError
from aquadash.evaluation.calibration import scale
from aquadash.predict.predictor import Predictor
from aquadash.predict.remote import RemotePredictor

#: An image file: its name, and its bytes or a function that reads them.
ImageFile = tuple[str, bytes | Callable[[], bytes]]

#: Files in a batch of :func:`predict_files`: many are faster, few give the first result sooner.
FILES_AT_ONCE = 16

#: Spreadsheets read a cell as a formula after these characters; some accept the full-width forms, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, eq=False)
class Look:
    """A file as networks see it, or why it cannot be read."""

    #: The file's name; text, never markup or a path.
    file: str
    #: By size (height, width): the picture cropped and scaled to it, uint8 (height, width, 3). Empty after an error.
    seen: Mapping[tuple[int, int], NDArray[np.uint8]] = field(default_factory=dict)
    #: Conversions by the decoder, one phrase each.
    notes: tuple[str, ...] = ()
    #: By size: a phrase on the part that is cropped away; only for large parts.
    framing_notes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    #: A small picture, pale outside of the first size's crop, uint8 (height, width, 3).
    thumbnail: NDArray[np.uint8] | None = None
    #: Width and height of the upright original in pixels.
    picture_size: tuple[int, int] | None = None
    #: Why it cannot be read, for people.
    error: str | None = None


@dataclass(frozen=True, eq=False)
class FilePrediction:
    """A model's prediction for one file, or why there is none."""

    #: The file's name; text, never markup or a path.
    file: str
    #: In the order of the probabilities.
    class_names: tuple[str, ...]
    #: The likeliest class; None after an error.
    label: str | None = None
    #: float32 (classes,); None after an error.
    probabilities: NDArray[np.float32] | None = None
    #: The network's input, uint8 (height, width, 3); None if the file could not be read.
    seen: NDArray[np.uint8] | None = None
    #: Changes to the picture, one phrase each.
    notes: tuple[str, ...] = ()
    #: Why there is no prediction, for people.
    error: str | None = None
    #: More than 1 for images unlike all classes; None after an error, or without a detector.
    ood_score: float | None = None

    @property
    def none_of_these(self) -> bool | None:
        """Whether the picture is probably of none of the classes; None without a score."""
        return None if self.ood_score is None else self.ood_score > 1.0

    @property
    def confidence(self) -> float | None:
        """The probability of :attr:`label`, 0 to 1; None after an error."""
        return None if self.probabilities is None else float(self.probabilities.max())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; ``strangeness`` and ``none_of_these`` are null without a score."""
        by_class = None
        if self.probabilities is not None:
            by_class = dict(zip(self.class_names, map(float, self.probabilities), strict=True))
        return {
            "file": self.file,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": by_class,
            "notes": list(self.notes),
            "error": self.error,
            "strangeness": self.ood_score,
            "none_of_these": self.none_of_these,
        }


def look_at(
    name: str,
    source: bytes | Callable[[], bytes],
    *,
    sizes: Iterable[tuple[int, int]],
    position: float = MIDDLE,
    thumbnail_edge: int = 0,
) -> Look:
    """Read an image file once for several networks, and keep only small pictures of it.

    Args:
        source: Its bytes, or a function that reads them.
        sizes: Height and width of each network's input.
        position: The position of the cropped part; see :func:`fit`.
        thumbnail_edge: Maximum side of the thumbnail in pixels; 0 for none.
    """
    try:
        image = decode(source() if callable(source) else source, name=name)
    except AquaDashError as error:
        return Look(name, error=str(error))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Look(name, error=f"{display_name(name)} cannot be read: {reason}.")
    seen, framing_notes = {}, {}
    for size in dict.fromkeys(sizes):
        seen[size] = fit(image.rgb, size=size, position=position)
        if note := framing_note(image.rgb, size=size, position=position):
            framing_notes[size] = note
    thumbnail = None
    if thumbnail_edge:
        thumbnail = framed(_thumbnail(image.rgb, thumbnail_edge), size=next(iter(seen)), position=position)
    return Look(name, seen, image.notes, framing_notes, thumbnail, image.original_size)


def answered(
    looks: Sequence[Look], predictor: Predictor | RemotePredictor, *, temperature: float = 1.0
) -> list[FilePrediction]:
    """Predict files that were read for the predictor's size; the scores are divided by ``temperature``."""
    size = predictor.image_shape[:2]
    readable = [look.seen[size] for look in looks if look.error is None]
    answers, scores = predictor.answer_images(np.stack(readable)) if readable else (np.empty((0, 1)), None)
    scaled = (answers if temperature == 1.0 else scale(answers, temperature)).astype(np.float32)
    rows = iter(zip(scaled, repeat(None) if scores is None else map(float, scores), strict=False))
    classes, predictions = predictor.class_names, []
    for look in looks:
        if look.error is not None:
            predictions.append(FilePrediction(look.file, classes, error=look.error))
            continue
        probabilities, ood_score = next(rows)
        notes = (*look.notes, *filter(None, [look.framing_notes.get(size)]))
        if not np.isfinite(probabilities).all():
            error = "The model's answer is not a number: its training has diverged. Use a smaller learning rate."
            predictions.append(FilePrediction(look.file, classes, seen=look.seen[size], notes=notes, error=error))
            continue
        label = classes[int(probabilities.argmax())]
        predictions.append(
            FilePrediction(look.file, classes, label, probabilities, look.seen[size], notes, ood_score=ood_score)
        )
    return predictions


def predict_files(
    files: Iterable[ImageFile],
    predictor: Predictor,
    *,
    position: float = MIDDLE,
    temperature: float = 1.0,
    batch_size: int = FILES_AT_ONCE,
) -> Iterator[FilePrediction]:
    """Predict image files in their order, reading one at a time; a bad file becomes a result with an error."""
    remaining = iter(files)
    sizes = [predictor.image_shape[:2]]
    while batch := [
        look_at(name, source, sizes=sizes, position=position) for name, source in islice(remaining, batch_size)
    ]:
        yield from answered(batch, predictor, temperature=temperature)


def _thumbnail(image: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    picture = Image.fromarray(image)
    # Shrinking by a whole factor first is much faster, with no visible difference.
    picture.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(picture)


class AnswerRow(NamedTuple):
    """A row of the table."""

    #: The run's name.
    run: str
    prediction: FilePrediction
    #: The class that a person entered, or empty.
    true_label: str = ""


def answers_csv(answers: Iterable[AnswerRow], *, class_names: Sequence[str]) -> bytes:
    """Write predictions as CSV, with the byte order mark that Excel needs to recognise UTF-8.

    Columns: ``file, run, label, confidence, none_of_these`` (yes, no or empty), one for each class of all runs with its
    probability (empty where a run lacks the class), ``true_label, notes, error``.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    columns = ["file", "run", "label", "confidence", "none_of_these", *class_names, "true_label", "notes", "error"]
    writer.writerow(map(_cell, columns))
    for run, prediction, true_label in answers:
        fractions: dict[str, str] = {}
        if prediction.probabilities is not None:
            by_class = zip(prediction.class_names, prediction.probabilities, strict=True)
            fractions = {name: f"{fraction:.6f}" for name, fraction in by_class}
        confidence = "" if prediction.confidence is None else f"{prediction.confidence:.6f}"
        row = [_cell(prediction.file), _cell(run), _cell(prediction.label or ""), confidence]
        row.append({True: "yes", False: "no", None: ""}[prediction.none_of_these])
        row += [fractions.get(name, "") for name in class_names]
        row += map(_cell, [true_label, "; ".join(prediction.notes), prediction.error or ""])
        writer.writerow(row)
    return text.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """Escape text that a spreadsheet would read as a formula, and mark invisible characters."""
    visible = mark_invisible(text)
    return f"'{visible}" if visible.lstrip(" ").startswith(_FORMULA) else visible
