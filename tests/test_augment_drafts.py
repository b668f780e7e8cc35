"""Pipelines as short texts for an address."""

from __future__ import annotations

import base64
import random
import zlib

import pytest

from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import LONGEST_DRAFT, from_draft, to_draft
from aquadash.errors import AquaDashError, ConfigError


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_survives_the_address(name: str) -> None:
    text = to_draft(PIPELINES[name])
    assert from_draft(text) == PIPELINES[name]
    assert len(text) < 1_200 and all(letter.isalnum() or letter in "-_" for letter in text)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 4_000_000, 9)).decode().rstrip("=")
    assert len(bomb) < LONGEST_DRAFT
    with pytest.raises(ConfigError, match="longer than a pipeline"):
        from_draft(bomb)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "characters that none has"),
        ("../../etc", "characters that none has"),
        ("A" * (LONGEST_DRAFT + 1), "expected at most"),
        ("A", "damaged"),
        ("AAAA", "damaged"),
        (packed(b"\xff\xfe"), "damaged"),
        (packed(b"{}"), "lacks"),
        (packed(b"[" * 90_000), "not valid JSON"),
        (packed(PIPELINES["notebook"].to_json().encode().replace(b"Fliplr", b"Flipper")), "no operator"),
    ],
)
def test_what_is_no_draft_gets_a_clear_error(text: str, message: str) -> None:
    with pytest.raises(AquaDashError, match=message):
        from_draft(text)


def test_a_cut_or_garbled_draft_never_raises_anything_else() -> None:
    text = to_draft(PIPELINES["notebook"])
    dice = random.Random(0)
    for _ in range(300):
        cut = dice.randrange(1, len(text))
        garbled = text[:cut] + dice.choice("abcXYZ-_09") + text[cut + 1 :]
        for each in (text[:cut], garbled):
            try:
                assert from_draft(each) is not None
            except AquaDashError as error:
                assert str(error)
