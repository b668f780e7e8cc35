"""Explanations by the networks of runs, cached for all sessions."""

import hashlib
import threading
import time
from collections.abc import Sequence

import numpy as np
import streamlit as st
from cachetools import LRUCache
from numpy.typing import NDArray

from aquadash.explain.results import Explanation
from aquadash.lab.rights import Action
from aquadash.store.types import Run
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.predictions import predictor
from aquadash.ui.kit.run_lists import Version, version
from aquadash.ui.kit.text import joined, time_left

#: Limit of the cache: an explanation of 32 pixels takes 7 kB, one of 224 pixels 350 kB.
_MAX_BYTES = 100_000_000

#: Explanations by model, image, method and class; None for the likeliest class.
_kept: LRUCache[tuple[Version, str, str, int | None], Explanation] = LRUCache(
    _MAX_BYTES, getsizeof=lambda one: one.image.nbytes + one.map.nbytes
)
_lock = threading.Lock()


def explained(
    run: Run, images: NDArray[np.uint8], classes: Sequence[int] | None, *, method: str
) -> tuple[Explanation, ...]:
    """Return :meth:`aquadash.explain.explainer.Explainer.explain_many`, cached; draw a progress bar for new ones.

    Raises:
        ExplainError: The network has no convolution, or its answer is not a number.
        AquaDashError: As for :func:`~aquadash.ui.kit.predictions.predictor`.
    """
    lab().rights.require(Action.OPEN_MODEL, run.resource)
    wanted: Sequence[int | None] = classes or [None] * len(images)
    checksums = (hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest() for image in images)
    keys = [(version(run), checksum, method, label) for checksum, label in zip(checksums, wanted, strict=True)]
    with _lock:
        explanations = {key: _kept[key] for key in keys if key in _kept}
    missing = [position for position, key in enumerate(keys) if key not in explanations]
    if missing:
        network, bar, started = predictor(run), st.empty(), time.monotonic()

        def show(fraction: float) -> None:
            # Streamlit ends the work in this call if the visitor has left the page.
            passed = time.monotonic() - started
            left = time_left(passed / fraction * (1 - fraction) if fraction > 0 and passed > 1 else None)
            bar.progress(min(fraction, 1.0), text=joined("Asking the network", left) + " ...")

        missing_classes = [classes[position] for position in missing] if classes else None
        made = network.explain_many(images[missing], missing_classes, method=method, progress=show)
        bar.empty()
        explanations |= zip((keys[position] for position in missing), made, strict=True)
        with _lock:
            _kept.update(explanations)
    return tuple(explanations[key] for key in keys)
