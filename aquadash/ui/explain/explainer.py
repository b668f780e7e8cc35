"""What networks have answered that were asked why, kept for everybody."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from cachetools import LRUCache
from numpy.typing import NDArray

from aquadash.explain.results import Explanation
from aquadash.lab.rights import Action
from aquadash.store.types import Run
from aquadash.ui.lab import lab
from aquadash.ui.predictions import predictor
from aquadash.ui.run_lists import Version, version
from aquadash.ui.text import joined, time_left

#: What the explanations may take that are kept for everybody: 7 KB each of 32 pixels, 350 KB of 224.
_MAX_BYTES = 100_000_000

#: Explanations by model, image, method and class, for all sessions; a class of None is the likeliest.
_kept: LRUCache[tuple[Version, str, str, int | None], Explanation] = LRUCache(
    _MAX_BYTES, getsizeof=lambda one: one.image.nbytes + one.map.nbytes
)
_lock = threading.Lock()


def explained(
    run: Run, images: NDArray[np.uint8], classes: Sequence[int] | None, *, method: str
) -> tuple[Explanation, ...]:
    """Explanations of images, from memory where somebody has asked before; draws a progress bar while they are made.

    The arguments are those of :meth:`aquadash.explain.explainer.Explainer.explain_many`.

    Raises:
        NotAllowedError: The visitor may not open the network.
        ExplainError: It has no convolution, or its answer is not a number.
        AquaDashError: As for :func:`~aquadash.ui.predictions.predictor`.
    """
    lab().rights.require(Action.OPEN_MODEL, run.resource)
    place = version(run)
    wanted: list[int | None] = list(classes) if classes is not None else [None] * len(images)
    keys = [(place, image_hash(image), method, label) for image, label in zip(images, wanted, strict=True)]
    with _lock:
        found = {key: _kept[key] for key in keys if key in _kept}
    missing = [position for position, key in enumerate(keys) if key not in found]
    if missing:
        network = predictor(run)
        bar = st.empty()
        made = network.explain_many(
            images[missing],
            None if classes is None else [classes[position] for position in missing],
            method=method,
            progress=_told(bar.progress),
        )
        bar.empty()
        answers = {keys[position]: explanation for position, explanation in zip(missing, made, strict=True)}
        found |= answers
        with _lock:
            _kept.update(answers)
    return tuple(found[key] for key in keys)


def image_hash(image: NDArray[np.uint8]) -> str:
    """What an image is known by: a checksum of its size and pixels."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def _told(draw: Callable[..., object]) -> Callable[[float], None]:
    """A progress that draws a bar with the time that is left; drawing also ends the work when the page is left."""
    started = time.monotonic()

    def tell(fraction: float) -> None:
        passed = time.monotonic() - started
        left = time_left(passed / fraction * (1 - fraction) if fraction > 0 and passed > 1 else None)
        draw(min(fraction, 1.0), text=joined("Asking the network", left) + " ...")

    return tell
