"""Probabilities as bars."""

from __future__ import annotations

import numpy as np

from aquadash.ui import gallery
from aquadash.ui.gallery import bars_markup

CLASSES = ("beaver", "dolphin", "<b>otter</b>")


def test_every_class_gets_a_bar_and_the_true_one_a_sign() -> None:
    shown = gallery.bars([0.2, 0.5, 0.3], class_names=CLASSES, true_class=1)

    assert [bar.probability for bar in shown] == [0.2, 0.5, 0.3]
    assert [bar.is_true for bar in shown] == [False, True, False]
    assert shown[0].label == "🦫 beaver"


def test_of_many_classes_only_the_likeliest_and_the_true_one_are_shown() -> None:
    shares = np.linspace(0, 1, 100)
    shown = gallery.bars(shares, class_names=[f"c{index}" for index in range(100)], true_class=3)

    assert [bar.label for bar in shown] == ["c3", *(f"c{index}" for index in range(94, 100))]


def test_names_are_text() -> None:
    html = bars_markup(gallery.bars([0.2, 0.5, 0.3], class_names=CLASSES))

    assert "<b>" not in html and "&lt;b&gt;otter" in html and "50 %" in html
