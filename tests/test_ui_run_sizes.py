"""How many images a run uses, in words."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.ui.run_sizes import Sizes, sentence


@pytest.mark.parametrize(
    ("changes", "sizes", "told"),
    [
        (
            {},
            Sizes(2125, 375, 500),
            "There are **10,625 training images** (2,125 originals, 5 versions of each). An epoch shows 10,624 of "
            "them, each once, in 332 batches. **375** images are held out to validate with, **500** kept for the test "
            "at the end.",
        ),
        (
            {"training.drop_remainder": False, "augmentation.pipeline": "none", "training.validation": "test"},
            Sizes(2500, 400, 100),
            "There are **2,500 training images**. An epoch shows each of them once, in 79 batches. **400** of the test "
            "images decide when to stop, so only the last **100** are unseen when the result is measured.",
        ),
    ],
)
def test_sizes_in_words(changes: dict[str, object], sizes: Sizes, told: str) -> None:
    assert sentence(with_values(RunConfig(), changes), sizes) == told
