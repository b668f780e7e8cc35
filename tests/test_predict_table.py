"""Answers as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from aquadash.predict import AnswerRow, FilePrediction, answers_csv

CLASSES = ("beaver", "otter")


def prediction(name: str, shares: tuple[float, ...] = (0.25, 0.75), **more: object) -> FilePrediction:
    label = CLASSES[int(np.argmax(shares))]
    return FilePrediction(name, CLASSES, label, np.array(shares, np.float32), **more)


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def test_a_row_for_each_picture_and_run() -> None:
    bad = FilePrediction("bad.png", CLASSES, error="bad.png is empty.")
    other = FilePrediction("a.png", ("cat",), "cat", np.array([1.0], np.float32))
    answers = [
        AnswerRow("first", prediction("a.png", notes=("16-bit reduced to 8-bit",), ood_score=1.1), "beaver"),
        AnswerRow("second", other, "beaver"),
        AnswerRow("first", prediction("b.png", ood_score=0.9)),
        AnswerRow("first", bad),
    ]
    table = answers_csv(answers, class_names=[*CLASSES, "cat"])

    assert table.startswith(b"\xef\xbb\xbf")
    first, second, known, third = rows(table)
    assert list(first) == [
        "file", "run", "label", "confidence", "none_of_these", "beaver", "otter", "cat", "true_label", "notes",
        "error",
    ]  # fmt: skip
    assert first == {
        "file": "a.png", "run": "first", "label": "otter", "confidence": "0.750000", "none_of_these": "yes",
        "beaver": "0.250000", "otter": "0.750000", "cat": "",
        "true_label": "beaver", "notes": "16-bit reduced to 8-bit", "error": "",
    }  # fmt: skip
    assert (known["none_of_these"], second["none_of_these"]) == ("no", "")
    assert (second["beaver"], second["cat"], second["run"]) == ("", "1.000000", "second")
    assert (third["label"], third["confidence"], third["otter"]) == ("", "", "")
    assert third["error"] == "bad.png is empty."


@pytest.mark.parametrize(
    "name",
    ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "\n=1.png", " =1.png", "\uff1d1.png"],
)
def test_no_cell_is_a_formula(name: str) -> None:
    hostile = AnswerRow(name, prediction(name, notes=(name,), error=name), name)
    (row,) = rows(answers_csv([hostile], class_names=CLASSES))
    for column in ("file", "run", "true_label", "notes", "error"):
        assert row[column] == "'" + name
    head = answers_csv([], class_names=[name]).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(head, newline="")))[5] == "'" + name


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a,b"c.png', 'a,b"c.png'),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("nul\0.png", "nul\N{REPLACEMENT CHARACTER}.png"),
        ("\udcff.png", "\N{REPLACEMENT CHARACTER}.png"),
        ("🦦 " + "a" * 300, "🦦 " + "a" * 300),
    ],
)
def test_hostile_names_are_text(name: str, written: str) -> None:
    (row,) = rows(answers_csv([AnswerRow("run", prediction(name))], class_names=CLASSES))
    assert row["file"] == written and row["label"] == "otter"
