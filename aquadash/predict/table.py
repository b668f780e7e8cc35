"""Answers as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aquadash.predict.files import FilePrediction

#: A cell that begins so is a formula to a spreadsheet; some take the wide forms of East Asian keyboards, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Answer(NamedTuple):
    """A row of the table.

    Attributes:
        run: The name of the run whose network answered, as typed.
        prediction: What it said.
        true_label: What the picture shows, as a person said; empty where nobody has.
    """

    run: str
    prediction: FilePrediction
    true_label: str = ""


def answers_csv(answers: Iterable[Answer], *, class_names: Sequence[str]) -> bytes:
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
        shares: dict[str, str] = {}
        if prediction.probabilities is not None:
            known = zip(prediction.class_names, prediction.probabilities, strict=True)
            shares = {name: f"{share:.6f}" for name, share in known}
        sure = "" if prediction.confidence is None else f"{prediction.confidence:.6f}"
        row = [_cell(prediction.file), _cell(run), _cell(prediction.label or ""), sure]
        row.append({True: "yes", False: "no", None: ""}[prediction.none_of_these])
        row += [shares.get(name, "") for name in class_names]
        row += map(_cell, [true_label, "; ".join(prediction.notes), prediction.error or ""])
        writer.writerow(row)
    return text.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    visible = "".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f"'{visible}" if visible.lstrip(" ").startswith(_FORMULA) else visible
