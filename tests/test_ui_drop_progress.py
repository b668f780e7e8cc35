"""How far a large drop has come, in words."""

from __future__ import annotations

from aquadash.ui.predict.predict_views import progress_text


def test_the_rest_is_estimated_from_what_came() -> None:
    assert progress_text(50, 200, fresh=40, seconds=20.0) == "50 of 200 pictures looked at · about 1 min 15 s to go"


def test_nothing_is_estimated_from_the_first_pictures_or_at_the_end() -> None:
    assert progress_text(3, 200, fresh=3, seconds=2.0) == "3 of 200 pictures looked at"
    assert progress_text(200, 200, fresh=100, seconds=9.0) == "200 of 200 pictures looked at"
    assert progress_text(0, 1, fresh=0, seconds=0.0) == "0 of 1 picture looked at"
