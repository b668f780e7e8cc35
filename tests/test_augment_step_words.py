"""The steps of a branch in words."""

from __future__ import annotations

from aquadash.augment import PIPELINES, Branch, op, step_words


def test_every_step_that_is_on_has_its_words() -> None:
    words = step_words(Branch("b", (op("Fliplr", p=1.0), op("Add", value=5, enabled=False), op("Fliplr", p=0.5))))
    assert len(words) == 2
    assert words[0].title and not words[0].inner
    assert words[0].whole == words[0].title
    assert words[0] != words[1]


def test_what_is_inside_a_step_belongs_to_its_words() -> None:
    first = step_words(PIPELINES["notebook-3"].branches[0])[0]
    assert not first.title.endswith(":")
    assert "10 to 30 %" in first.inner
    assert first.whole == f"{first.title}: {first.inner}"


def test_a_branch_without_steps_has_none() -> None:
    assert step_words(PIPELINES["none"].branches[0]) == ()
