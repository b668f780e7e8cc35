"""A trained model that can be asked why, in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from aquadash.explain.explainer import Explainer, ProgressCallback
from aquadash.explain.results import Activation, Explanation, Filters
from aquadash.predict.remote import RemotePredictor
from aquadash.training.answer_process import tell


class _Telling(Explainer):
    """In the process: says how much is done."""

    def explain_many(self, *args: Any, **options: Any) -> tuple[Explanation, ...]:
        return super().explain_many(*args, **options, progress=tell)


class RemoteExplainer(RemotePredictor):
    """An :class:`~aquadash.explain.explainer.Explainer` that works in another process.

    Attributes:
        map_shape: Height, width and channels of the last convolutional feature map.
        uses_scores: As there.
    """

    kind = _Telling

    def __init__(self, *args: Any, **options: Any) -> None:
        """Have it loaded; arguments and errors are those of :class:`RemotePredictor` and of an explainer."""
        super().__init__(*args, **options)
        self.map_shape: tuple[int, int, int] = self._get("inside", "map_shape")
        self.uses_scores: bool = self._get("uses_scores")

    def explain_many(
        self,
        images: NDArray[np.uint8],
        classes: Sequence[int] | None = None,
        *,
        method: str = "grad-cam",
        progress: ProgressCallback | None = None,
    ) -> tuple[Explanation, ...]:
        """As :meth:`Explainer.explain_many`; what the progress raises ends the work."""
        found = self._call("explain_many", images, classes, method=method, progress=progress)
        return cast(tuple[Explanation, ...], found)

    def filters(self, *, most: int = 64) -> Filters:
        """As :meth:`Explainer.filters`."""
        return cast(Filters, self._call("filters", most=most))

    def activations(self, image: NDArray[np.uint8]) -> tuple[Activation, ...]:
        """As :meth:`Explainer.activations`."""
        return cast(tuple[Activation, ...], self._call("activations", image))
