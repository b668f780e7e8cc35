"""A trained model that predicts images."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector


class Predictor:
    """A trained model that predicts images; thread-safe."""

    def __init__(
        self, model: Any, *, class_names: Sequence[str], detector: OutOfDistributionDetector | None = None
    ) -> None:
        """Compile a model, which takes as long as loading it, or twice as long with a detector."""
        import tensorflow as tf

        from aquadash.training.epoch_loop import forward_batch
        from aquadash.training.out_of_distribution import with_ood_features

        shape, outputs = model.input_shape, model.output_shape
        if not (isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:] and shape[3] == 3):
            raise StorageError(f"The model takes {shape}; expected RGB images of one size (None, height, width, 3).")
        if outputs != (None, len(class_names)):
            raise StorageError(
                f"The model's output has the shape {outputs}; expected {len(class_names)} probabilities, one for each "
                f"of {', '.join(class_names)}. Does the model belong to this data set?"
            )
        #: In the order of the probabilities.
        self.class_names = tuple(class_names)
        #: Height, width and channels of the images.
        self.image_shape: tuple[int, int, int] = (int(shape[1]), int(shape[2]), 3)

        self._most_at_once = forward_batch(model)
        both = None
        if detector is not None:
            try:
                both = with_ood_features(model, pretrained=detector.pretrained)
            except StorageError:
                # A newer version of AquaDash has other pretrained weights than the detector needs.
                detector = None
        self._detector = detector
        # Re-entrant, because tracing a function may need another cached one.
        self._lock = threading.RLock()
        self._known: dict[str, Any] = {}
        self._constant = tf.constant
        # Graphs hold only weak references to the variables, so the models are kept.
        self._model, self._both = model, both
        # Compiles the graph.
        self.answer_images(np.zeros((1, *self.image_shape), np.uint8))

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the last layer's input, float32 (n, features); raise a StorageError if the layer is not dense."""
        from aquadash.training.out_of_distribution import feature_reader

        return self._once("features", lambda: feature_reader(self._model))(images)

    @classmethod
    def load(
        cls,
        path: Path,
        config: ModelConfig,
        *,
        class_names: Sequence[str],
        detector: OutOfDistributionDetector | None = None,
    ) -> Self:
        """Load a run's saved model; the errors are those of :func:`aquadash.models.load_model`."""
        from aquadash.models import load_model

        model = load_model(path, config, num_classes=len(class_names))
        return cls(model, class_names=class_names, detector=detector)

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32 (n, classes), of uint8 images (n, *image_shape)."""
        probabilities = np.empty((len(images), len(self.class_names)), np.float32)
        # A graph without features: they take as long as the probabilities, and explanations do not need them.
        for part, y_prob in self._outputs("answer", self._model, images):
            probabilities[part] = y_prob.numpy()
        return probabilities

    def answer_images(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
        """Return the probabilities as :meth:`predict_images`, and the scores of the detector (above 1: no class)."""
        if self._detector is None:
            return self.predict_images(images), None
        probabilities = np.empty((len(images), len(self.class_names)), np.float32)
        ood_scores = np.empty(len(images), np.float64)
        for part, (y_prob, features) in self._outputs("answer with features", self._both, images):
            probabilities[part] = y_prob.numpy()
            ood_scores[part] = self._detector.ood_scores(features.numpy()) / self._detector.threshold
        return probabilities, ood_scores

    def _once(self, name: str, work: Callable[[], Any]) -> Any:
        """Return a cached value, computed once by one thread."""
        with self._lock:
            if name not in self._known:
                self._known[name] = work()
            return self._known[name]

    def _traced(self, network: Any) -> Any:
        """Compile a graph, which any number of threads may run."""
        import tensorflow as tf

        from aquadash.models import normalise

        function = tf.function(lambda images: network(normalise(images), training=False), jit_compile=False)
        return function.get_concrete_function(tf.TensorSpec((None, *self.image_shape), tf.uint8))

    def _outputs(self, name: str, network: Any, images: NDArray[np.uint8]) -> Iterator[tuple[slice, Any]]:
        """Run a network, its graph cached under a name, on images; yield the slice and output of each batch."""
        self._check(images)
        forward = self._once(name, lambda: self._traced(network))
        for start in range(0, len(images), self._most_at_once):
            part = slice(start, start + self._most_at_once)
            yield part, forward(self._constant(images[part]))

    def _check(self, images: NDArray[np.uint8]) -> None:
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, {self.image_shape})")
