"""Trained models in a process of their own, so that the app never imports TensorFlow and survives a crash."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from aquadash.config import ModelConfig
from aquadash.predict.predictor import Predictor
from aquadash.store import first_model
from aquadash.store.artifacts import CONFIG, MODEL, OOD_DETECTOR, read_artifact
from aquadash.training.answer_process import AnswerProcess

P = ParamSpec("P")
T = TypeVar("T")

#: Number of networks that stay loaded; one takes 10 to 100 MB.
_KEEP = 4

#: The most pixels of one request; many images are split, so that other requests are answered in between.
_PIXELS_AT_ONCE = 8_000_000


@dataclass(frozen=True)
class Saved:
    """The arguments for loading a saved model."""

    #: The class of the predictor.
    kind: type[Predictor]
    #: The ``.keras`` file.
    path: Path
    #: The model section of the run's config.
    config: ModelConfig
    class_names: tuple[str, ...]
    #: The file of its detector, if it is used.
    detector: Path | None = None


class RemotePredictor:
    """A :class:`~aquadash.predict.Predictor` in another process; methods may also raise ``AnswerError``."""

    kind: type[Predictor] = Predictor

    def __init__(
        self,
        path: Path,
        config: ModelConfig,
        *,
        class_names: Sequence[str],
        detector: Path | None = None,
        process: AnswerProcess | None = None,
    ) -> None:
        """Load the model; the first one also waits for the import of TensorFlow."""
        self._process = process or shared_process()
        self._saved = Saved(self.kind, path, config, tuple(class_names), detector)
        self.class_names = tuple(class_names)
        self.image_shape: tuple[int, int, int] = self._get("image_shape")

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As :meth:`Predictor.predict_images`."""
        return np.concatenate([self._call("predict_images", part) for part in self._parts(images)])

    def answer_images(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
        """As :meth:`Predictor.answer_images`."""
        answers = [self._call("answer_images", part) for part in self._parts(images)]
        probabilities, ood_scores = zip(*answers, strict=True)
        return np.concatenate(probabilities), None if ood_scores[0] is None else np.concatenate(ood_scores)

    def features(
        self, images: NDArray[np.uint8], *, progress: Callable[[float], object] = lambda fraction: None
    ) -> NDArray[np.float32]:
        """As :meth:`Predictor.features`; ``progress`` gets the fraction done, and its exception ends the work."""
        # Smaller parts, because large networks take seconds, and progress can cancel the work only between parts.
        at_once = max(1, _PIXELS_AT_ONCE // 8 // int(np.prod(self.image_shape)))
        parts = []
        for start in range(0, max(1, len(images)), at_once):
            progress(start / max(1, len(images)))
            parts.append(self._call("features", images[start : start + at_once]))
        return np.concatenate(parts)

    def _parts(self, images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        """Yield the images of each request; one empty part for no images."""
        at_once = int(np.clip(_PIXELS_AT_ONCE // np.prod(self.image_shape), 1, 256))
        for start in range(0, max(1, len(images)), at_once):
            yield images[start : start + at_once]

    def _get(self, *names: str) -> Any:
        """Return an attribute of the predictor by its name or path of names."""
        return self._process.ask(_attribute, self._saved, names)

    def _call(self, name: str, /, *args: Any, progress: Callable[[float], object] | None = None, **options: Any) -> Any:
        return self._process.ask(_called, self._saved, name, args, options, progress=progress)


@cache
def shared_process() -> AnswerProcess:
    """Return the process that the whole app shares."""
    return AnswerProcess(_begin, forks=True)


def call(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call a module's function in that process, because importing imgaug would cost the server 150 MB."""
    return shared_process().ask(partial(function, *args, **options))


def prepare() -> None:
    """Start the process before the first question."""
    shared_process().prepare(_load_included_model)


@cache
def _load_included_model() -> None:
    """Load a network in the process, because the first one takes twice as long as later ones."""
    described = json.loads((first_model.FOLDER / first_model.RUN).read_text(encoding="utf-8"))
    config = read_artifact(first_model.FOLDER / CONFIG, CONFIG)
    Predictor.load(first_model.FOLDER / MODEL, config.model, class_names=described["class_names"])


def _begin() -> None:
    import tensorflow  # noqa: F401


def _network(saved: Saved) -> Predictor:
    """Return the network in the process, from the cache if its file has not changed."""
    return _loaded(saved, os.stat(saved.path).st_mtime_ns if saved.path.is_file() else None)


@lru_cache(maxsize=_KEEP)
def _loaded(saved: Saved, changed: int | None) -> Predictor:
    detector = read_artifact(saved.detector, OOD_DETECTOR) if saved.detector else None
    return saved.kind.load(saved.path, saved.config, class_names=saved.class_names, detector=detector)


def _attribute(saved: Saved, names: Sequence[str]) -> Any:
    return attrgetter(".".join(names))(_network(saved))


def _called(saved: Saved, name: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    return getattr(_network(saved), name)(*args, **options)
