"""Dropped pictures and what a network says of each: predicted once, drawn as cards, taken home as CSV."""

from __future__ import annotations

import csv
import html
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import streamlit as st

from aquadash.data import images
from aquadash.errors import AquaDashError
from aquadash.ui import gallery, probabilities
from aquadash.ui.predictor import ModelKey
from aquadash.ui.text import plain

if TYPE_CHECKING:
    from aquadash.predict import FilePrediction, Predictor

#: Endings offered by the file dialog: the admitted formats, and pictures that are refused with a way to mend it.
ENDINGS = (
    *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "webp", "bmp", "dib", "gif"),
    *("heic", "heif", "avif", "tif", "tiff", "svg", "ico"),
)

#: Width of a result in pixels: two on a tablet, one on a phone.
CARD_WIDTH = 310

_MEMORY = "predictions"
#: Results that a session keeps, so that a long visit with many drops does not fill the memory.
_MOST_KEPT = 5000

#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Upload(Protocol):
    """What is used of ``st.file_uploader``'s files; the id is new for every upload and stands for its content."""

    file_id: str
    name: str

    def getvalue(self) -> bytes:
        """The file's bytes."""


@dataclass(eq=False)
class Result:
    """A prediction with its drawing, which is made when it is first shown."""

    prediction: FilePrediction
    markup: str = ""


def remembered(key: ModelKey) -> Memory:
    """The results that this session has of a model."""
    return Memory(st.session_state.setdefault(_MEMORY, {}), key)


class Memory:
    """Results by model and file: nothing is predicted twice while it is kept."""

    def __init__(self, results: dict[tuple[ModelKey, str], Result], key: ModelKey) -> None:
        self._results = results
        self._key = key

    def get(self, upload: Upload) -> Result | None:
        """The file's result, None before it was predicted."""
        return self._results.get((self._key, upload.file_id))

    def missing(self, uploads: Sequence[Upload]) -> list[Upload]:
        """The files without a result, in their order."""
        return [upload for upload in uploads if self.get(upload) is None]

    def predict(self, uploads: Sequence[Upload], predictor: Predictor) -> Iterator[Upload]:
        """Predict the files without a result and keep what comes; yields each file when it has one."""
        from aquadash.predict import predict_files

        todo = self.missing(uploads)
        answers = predict_files(((upload.name, upload.getvalue) for upload in todo), predictor)
        for upload, prediction in zip(todo, answers, strict=True):
            self._results[self._key, upload.file_id] = Result(prediction)
            yield upload

    def forget(self, uploads: Sequence[Upload]) -> None:
        """Drop the results of files that are no longer there, and the oldest of too many."""
        present = {upload.file_id for upload in uploads}
        for key in [key for key in self._results if key[1] not in present]:
            del self._results[key]
        for key in list(self._results)[: max(0, len(self._results) - _MOST_KEPT)]:
            del self._results[key]


def show(result: Result, upload: Upload) -> None:
    """Draw one result: the picture, what the network saw of it, the probabilities, the notes; or its error."""
    if not result.markup:
        result.markup = markup(result.prediction, original=upload.getvalue)
    st.html(result.markup, width=CARD_WIDTH)


def markup(prediction: FilePrediction, *, original: Callable[[], bytes]) -> str:
    """A result as HTML, every text in it escaped.

    Args:
        prediction: What the network said.
        original: Fetches the file's bytes, for the thumbnail.
    """
    name = html.escape(images.display_name(prediction.file))
    head = f'<strong style="overflow-wrap: anywhere">{name}</strong>'
    notes = "".join(f'<br><span class="aqua-sub">{html.escape(note)}</span>' for note in prediction.notes)
    if prediction.error is not None or prediction.probabilities is None or prediction.seen is None:
        # The message begins with the file's name.
        text = f'<p style="margin: 0; overflow-wrap: anywhere">🚧 {html.escape(prediction.error or "")}</p>'
        return f'<article class="aqua-card" role="group" aria-label="{name}">{head}{text}{notes}</article>'
    height, width = prediction.seen.shape[:2]
    sure = f"{100 * (prediction.confidence or 0.0):.0f} %"
    answer = html.escape(probabilities.class_text(prediction.label or ""))
    pictures = gallery.markup(
        [
            *_thumbnail(prediction.file, original),
            gallery.Card(
                image=prediction.seen,
                title=f"The network sees {width} × {height}",
                alt=f"{images.display_name(prediction.file)}, scaled to {width} by {height} pixels",
            ),
        ],
        size_rem=9,
        columns=2,
        label="The picture, and what the network sees of it",
    )
    bars = gallery.bars_markup(probabilities.bars(prediction.probabilities, class_names=prediction.class_names))
    return (
        f'<article class="aqua-card" role="group" aria-label="{name}" style="max-width: none">{head}'
        f'<p style="margin: 0 0 0.4rem; font-size: 1.05rem">{answer}, {sure}</p>{pictures}{bars}'
        f'<div style="margin-top: 0.25rem">{notes.removeprefix("<br>")}</div></article>'
    )


def summary(predictions: Sequence[FilePrediction]) -> str:
    """How many pictures got which name, as one line of markdown."""
    counts = Counter(prediction.label for prediction in predictions if prediction.label is not None)
    parts = [f"{plain(probabilities.class_text(label))}: {number:,}" for label, number in counts.most_common(12)]
    refused = sum(prediction.label is None for prediction in predictions)
    if refused:
        parts.append(f"🚧 without an answer: {refused:,}")
    return " · ".join(parts)


def to_csv(predictions: Sequence[FilePrediction], *, class_names: Sequence[str]) -> bytes:
    """The results as a table for a spreadsheet: UTF-8 with the mark that Excel needs to see that it is.

    Columns: ``file, label, confidence``, one a class with its probability (0 to 1), ``notes, error``.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file", "label", "confidence", *map(_cell, class_names), "notes", "error"])
    for prediction in predictions:
        shares: list[Any] = [""] * len(class_names)
        if prediction.probabilities is not None:
            shares = [f"{share:.6f}" for share in prediction.probabilities]
        sure = "" if prediction.confidence is None else f"{prediction.confidence:.6f}"
        texts = [prediction.file, prediction.label or "", "; ".join(prediction.notes), prediction.error or ""]
        file, label, notes, error = map(_cell, texts)
        writer.writerow([file, label, sure, *shares, notes, error])
    return text.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _thumbnail(name: str, original: Callable[[], bytes]) -> list[gallery.Card]:
    """The picture as it came, upright and small; nothing if it has gone meanwhile."""
    try:
        decoded = images.decode(original(), name=name)
    except (AquaDashError, OSError):
        return []
    width, height = decoded.original_size
    return [
        gallery.Card(
            image=decoded.rgb,
            title=f"Your picture, {width:,} × {height:,}",
            alt=f"{images.display_name(name)} as it came",
        )
    ]
