"""The score of dropped pictures, and how far the look at them has come."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.evaluation import wilson_interval
from aquadash.predict import FilePrediction
from aquadash.ui.predict.picture_cards import NONE_OF_THESE, folder_labels
from aquadash.ui.predict.predict_views import progress_text, score_drop


def test_the_rest_is_estimated_from_what_came_not_from_the_first_pictures_or_at_the_end() -> None:
    assert progress_text(50, 200, fresh=40, seconds=20.0) == "50 of 200 pictures looked at · about 1 min 15 s left"
    assert progress_text(3, 200, fresh=3, seconds=2.0) == "3 of 200 pictures looked at"
    assert progress_text(200, 200, fresh=100, seconds=9.0) == "200 of 200 pictures looked at"
    assert progress_text(0, 1, fresh=0, seconds=0.0) == "0 of 1 picture looked at"


CLASSES = ("beaver", "otter", "seal")


def answer(*shares: float) -> FilePrediction:
    return FilePrediction("a.png", CLASSES, CLASSES[int(np.argmax(shares))], np.array(shares, np.float32))


def test_only_labelled_pictures_with_an_answer_count_and_strangers_apart() -> None:
    answers = [answer(0.8, 0.1, 0.1), answer(0.2, 0.7, 0.1), answer(0.1, 0.8, 0.1), answer(0.1, 0.1, 0.8)]
    broken = FilePrediction("b.png", CLASSES, error="broken")
    labels = ["beaver", "otter", "seal", None]

    found = score_drop([*answers, broken, answer(0.5, 0.3, 0.2)], [*labels, "otter", "unicorn"], class_names=CLASSES)

    assert found.evaluation is not None and found.evaluation.n == 3
    assert found.evaluation.accuracy == pytest.approx(2 / 3)
    assert found.evaluation.accuracy_ci95 == wilson_interval(2, 3)
    np.testing.assert_array_equal(found.evaluation.confusion_matrix, [[1, 0, 0], [0, 1, 0], [0, 1, 0]])
    assert found.strangers == 0 and found.strangers_confidence is None
    strangers = score_drop(answers[:2], [NONE_OF_THESE, NONE_OF_THESE], class_names=CLASSES)
    assert strangers.evaluation is None
    assert strangers.strangers == 2 and strangers.strangers_confidence == pytest.approx(0.75)


class Named:
    def __init__(self, name: str) -> None:
        self.file_id = self.name = name

    def getvalue(self) -> bytes:
        return b""


def test_labels_from_folders() -> None:
    for name in ("photos/otter/1.png", "photos/OTTER /1.png", "otter\\1.png", "../../otter/x"):
        assert folder_labels([Named(name)], CLASSES) == {name: "otter"}
    for name in ("otter/more/1.png", "otter.png", "photos/cat/1.png"):
        assert folder_labels([Named(name)], CLASSES) == {}


def test_labels_from_folders_are_named_as_an_import_names_classes() -> None:
    classes = ("-", "Cats", "cats", "\u00e9t\u00e9 a")
    folders = {"-": "-", "Cats": "Cats", "cats": "cats", "e\u0301te\u0301,  a": "\u00e9t\u00e9 a"}
    found = folder_labels([Named(f"{folder}/1.png") for folder in folders], classes)
    assert found == {f"{folder}/1.png": label for folder, label in folders.items()}
    assert NONE_OF_THESE not in classes
