"""Image files to what networks see of them, that to their answers, and those to a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash.data.framing import MIDDLE, fit, fraction_seen, framed, framing_note
from aquadash.data.images import decode, display_name, mark_invisible
from aquadash.errors import AquaDashError
from aquadash.evaluation.calibration import scale
from aquadash.predict.predictor import Predictor
from aquadash.predict.remote import RemotePredictor

#: An image file: its name and its bytes, or a function that fetches them when their turn comes.
ImageFile = tuple[str, bytes | Callable[[], bytes]]

#: How many files :func:`predict_files` takes at a time: the network works faster on many images at once, but nobody
#: should wait for the last photograph to see the first result.
FILES_AT_ONCE = 16

#: A cell that begins so is a formula to a spreadsheet; some take the wide forms of East Asian keyboards, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, eq=False)
class Look:
    """A file as networks see it, or why it cannot be read.

    Attributes:
        file: The file's name as it was given; text, never markup or a path.
        seen: By size (height, width): the picture cut and scaled to it, uint8, shape (height, width, 3). Empty after
            an error.
        notes: What was done to the picture by reading it, one phrase each.
        framing_notes: By size: what was done to it by cutting it, where that needs a word.
        thumbnail: The picture made small, with the frame of what the first size sees of it; uint8, shape
            (height, width, 3), None if none was asked for.
        picture_size: Width and height of the upright original in pixels, None after an error.
        error: Why it cannot be read, a sentence or two for people; None when it can.
    """

    file: str
    seen: Mapping[tuple[int, int], NDArray[np.uint8]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    framing_notes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    thumbnail: NDArray[np.uint8] | None = None
    picture_size: tuple[int, int] | None = None
    error: str | None = None


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
        ood_score: How unlike the training images it is, more than 1 for unlike any of the classes; None after an
            error, or where the run cannot tell.
    """

    file: str
    class_names: tuple[str, ...]
    label: str | None = None
    probabilities: NDArray[np.float32] | None = None
    seen: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    ood_score: float | None = None

    @property
    def none_of_these(self) -> bool | None:
        """Whether the picture is probably of none of the classes; None where that cannot be told."""
        return None if self.ood_score is None else self.ood_score > 1.0

    @property
    def confidence(self) -> float | None:
        """The probability of :attr:`label`, 0 to 1; None after an error."""
        return None if self.probabilities is None else float(self.probabilities.max())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``file, label, confidence, probabilities`` by class name, ``notes, error`` ...

        ``strangeness`` and ``none_of_these`` are null where the run cannot tell.
        """
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
    """Read an image file once, for networks of any number of sizes; only small pictures remain of it.

    Args:
        source: Its bytes, or a function that fetches them; see :func:`predict_files`.
        sizes: Height and width of what each network takes.
        position: Which part is seen of a picture of other proportions than a network's; see :func:`fit`.
        thumbnail_edge: The longer side of the thumbnail in pixels, at most; 0 for none.
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
        if note := framing_note(fraction_seen(image.rgb, size=size), position=position):
            framing_notes[size] = note
    thumbnail = None
    if thumbnail_edge:
        thumbnail = framed(_thumbnail(image.rgb, thumbnail_edge), size=next(iter(seen)), position=position)
    return Look(name, seen, image.notes, framing_notes, thumbnail, image.original_size)


def answered(
    looks: Sequence[Look], predictor: Predictor | RemotePredictor, *, temperature: float = 1.0
) -> list[FilePrediction]:
    """What a model says of each file; files that could not be read keep their error.

    Args:
        looks: Made for the predictor's size, among others.
        temperature: What its scores are divided by.
    """
    size = predictor.image_shape[:2]
    readable = [look.seen[size] for look in looks if look.error is None]
    answers, scores = predictor.answer_images(np.stack(readable)) if readable else (np.empty((0, 1)), None)
    scaled = answers if temperature == 1.0 else scale(answers, temperature)
    rows = iter(zip(scaled, repeat(None) if scores is None else map(float, scores), strict=False))
    return [
        FilePrediction(look.file, predictor.class_names, error=look.error)
        if look.error is not None
        else _answered(look, size, *next(rows), predictor.class_names)
        for look in looks
    ]


def predict_files(
    files: Iterable[ImageFile],
    predictor: Predictor,
    *,
    position: float = MIDDLE,
    temperature: float = 1.0,
    batch_size: int = FILES_AT_ONCE,
) -> Iterator[FilePrediction]:
    """Predict image files one after the other, in their order; a bad one becomes a result with an error.

    At most one large picture is in memory at a time, and files whose bytes come from a function are fetched only when
    their turn comes.
    """
    remaining = iter(files)
    sizes = [predictor.image_shape[:2]]
    while batch := [
        look_at(name, source, sizes=sizes, position=position) for name, source in islice(remaining, batch_size)
    ]:
        yield from answered(batch, predictor, temperature=temperature)


def _answered(
    look: Look,
    size: tuple[int, int],
    probabilities: NDArray[np.floating],
    ood_score: float | None,
    classes: tuple[str, ...],
) -> FilePrediction:
    """A readable file with the network's answer."""
    seen = look.seen[size]
    notes = (*look.notes, *filter(None, [look.framing_notes.get(size)]))
    if not np.isfinite(probabilities).all():
        error = (
            "The model's answer is not a number: its training has diverged. "
            "Train it again with a smaller learning rate."
        )
        return FilePrediction(look.file, classes, seen=seen, notes=notes, error=error)
    label = classes[int(probabilities.argmax())]
    return FilePrediction(look.file, classes, label, probabilities.astype(np.float32), seen, notes, ood_score=ood_score)


def _thumbnail(image: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    """A picture shrunk so that neither side is longer than ``edge``; smaller ones as they are."""
    if max(image.shape[:2]) <= edge:
        return image.copy()
    picture = Image.fromarray(image)
    # Halving first is much faster and cannot be told from doing it at once.
    picture.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(picture)


class AnswerRow(NamedTuple):
    """A row of the table.

    Attributes:
        run: The name of the run whose network answered, as typed.
        prediction: What it said.
        true_label: What the picture shows, as a person said; empty where nobody has.
    """

    run: str
    prediction: FilePrediction
    true_label: str = ""


def answers_csv(answers: Iterable[AnswerRow], *, class_names: Sequence[str]) -> bytes:
    """Answers as CSV: UTF-8 with the mark that Excel needs to see that it is.

    Columns: ``file, run, label, confidence, none_of_these`` (yes, no or empty), one a class with its probability (0 to
    1), ``true_label, notes, error``.
    Probabilities of classes that a run does not know are empty. Texts that a spreadsheet would take for a formula get
    an apostrophe in front, and invisible characters, which may turn a name's direction, a visible mark.

    Args:
        answers: A row each.
        class_names: The classes of all runs together.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    columns = ["file", "run", "label", "confidence", "none_of_these", *class_names, "true_label", "notes", "error"]
    writer.writerow(map(_cell, columns))
    for run, prediction, true_label in answers:
        fractions: dict[str, str] = {}
        if prediction.probabilities is not None:
            known = zip(prediction.class_names, prediction.probabilities, strict=True)
            fractions = {name: f"{fraction:.6f}" for name, fraction in known}
        sure = "" if prediction.confidence is None else f"{prediction.confidence:.6f}"
        row = [_cell(prediction.file), _cell(run), _cell(prediction.label or ""), sure]
        row.append({True: "yes", False: "no", None: ""}[prediction.none_of_these])
        row += [fractions.get(name, "") for name in class_names]
        row += map(_cell, [true_label, "; ".join(prediction.notes), prediction.error or ""])
        writer.writerow(row)
    return text.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    visible = mark_invisible(text)
    return f"'{visible}" if visible.lstrip(" ").startswith(_FORMULA) else visible
