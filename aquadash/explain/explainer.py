"""A trained model with explanations of its answers, in this process or another."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import ExplainError, look_up
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.explain import network
from aquadash.explain.methods import METHODS
from aquadash.explain.results import Activation, ConvolutionFilters, Explanation
from aquadash.models import transfer
from aquadash.models.lazy import tf
from aquadash.predict import Predictor
from aquadash.predict.remote import RemotePredictor
from aquadash.training.answer_process import report_progress

#: Called with the fraction that is done, 0 to 1. May raise to stop.
ProgressCallback = Callable[[float], None]

#: The most numbers of all layers' outputs for a batch, 130 MB; gradients need all of them at once.
_NUMBERS_AT_ONCE = 32_000_000

#: The largest batch; larger ones are no faster.
_MAX_AT_ONCE = 256


class Explainer(Predictor):
    """A model with its explanations, for several threads; a model without convolutions raises an ``ExplainError``."""

    def __init__(
        self, model: Any, *, class_names: Sequence[str], detector: OutOfDistributionDetector | None = None
    ) -> None:
        """Take over a model; arguments and errors are those of a predictor."""
        super().__init__(model, class_names=class_names, detector=detector)
        self._whole = model
        self._network = transfer.without_flip(model)
        self._mirror_image = None if self._network is model else transfer.mirror_image(model)

    @property
    def inside(self) -> network.Inside:
        """The layers that explanations use."""
        inside: network.Inside = self._once("inside", lambda: network.look_inside(self._network, self.image_shape))
        return inside

    @cached_property
    def batch_size(self) -> int:
        """The number of images in a batch, by the size of the model."""
        return int(np.clip(_NUMBERS_AT_ONCE // self.inside.numbers, 1, _MAX_AT_ONCE))

    def explain_many(
        self,
        images: NDArray[np.uint8],
        classes: Sequence[int] | None = None,
        *,
        method: str = "grad-cam",
        progress: ProgressCallback = lambda fraction: None,
    ) -> tuple[Explanation, ...]:
        """Explain images, uint8 (n, *image_shape), for a class or the likeliest one, by a method of ``METHODS``."""
        entry = look_up("explanation method", method, METHODS)
        probabilities = self.predict_images(images)
        if not np.isfinite(probabilities).all():
            raise ExplainError(
                "The model's answer is not a number: its training has diverged, and there is nothing to explain. Train "
                "it again with a smaller learning rate."
            )
        chosen = probabilities.argmax(axis=1) if classes is None else np.asarray(classes, dtype=np.int64)
        if not len(images):
            return ()
        maps = entry.compute(self, images, chosen.astype(np.int32), progress)
        progress(1.0)
        return tuple(
            Explanation(
                method=method,
                class_index=int(index),
                class_name=self.class_names[index],
                probability=float(probabilities[position, index]),
                image=images[position],
                map=values,
                facts=facts,
            )
            for position, (index, (values, facts)) in enumerate(zip(chosen, maps, strict=True))
        )

    def filters(self, *, most: int = 64) -> ConvolutionFilters:
        """Return the first convolution's filters as small pictures, the first ``most`` of them."""
        with self._lock:
            return network.filters(self._network, self.inside, self.image_shape, most=most)

    def activations(self, image: NDArray[np.uint8]) -> tuple[Activation, ...]:
        """Return the outputs of evenly chosen layers for an image, from the first convolution to the last map."""
        self._check(image[None])
        with self._lock:
            return network.activations(self._network, self.inside, image)

    def class_maps(
        self, images: NDArray[np.uint8], classes: NDArray[np.int32], *, by_place: bool, progress: ProgressCallback
    ) -> NDArray[np.float32]:
        """Return the last feature maps, weighted by the gradient at each place or by its mean over each map."""
        graph = self._once("maps", self._trace_class_maps)
        maps = np.empty((len(images), *self.image_shape[:2]), np.float32)
        for part in self.parts(len(images), progress):
            both = graph(self._constant(images[part]), self._constant(classes[part]))
            maps[part] = both[int(by_place)].numpy()
        return maps

    def pixel_gradients(self, pixels: NDArray[np.float32], classes: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the gradient of each image's class probability by its pixels, 0 to 1; at most a batch of images."""
        graph = self._once("pixels", self._trace_pixel_gradients)
        return cast(NDArray[np.float32], graph(self._constant(pixels), self._constant(classes)).numpy())

    def parts(self, number: int, progress: ProgressCallback) -> Iterator[slice]:
        """Yield the batches of so many images as slices; report the progress before each."""
        for start in range(0, number, self.batch_size):
            progress(start / number)
            yield slice(start, min(start + self.batch_size, number))

    def _trace_class_maps(self) -> Any:
        """Trace the function from images and classes to maps weighted by mean gradients, and by those of each place."""
        from aquadash.models import normalise

        # ``inside`` calls the model, which must not happen while it is traced.
        shown = self.inside.maps

        def class_maps(images: Any, classes: Any) -> Any:
            pixels, count = normalise(images), tf.shape(images)[0]
            if self._mirror_image:
                # Score and map are means over the image and its mirror image, whose shift by a pixel is ignored.
                pixels = tf.concat([pixels, self._mirror_image(pixels)], axis=0)
                classes = tf.tile(classes, [2])
            maps: list[Any] = []

            def keep(layer: Any, _: Any, output: Any) -> None:
                if layer is shown:
                    tape.watch(output)
                    maps[:] = [output]

            with (
                tf.GradientTape(watch_accessed_variables=False) as tape,
                network.listening(self._network, keep),
                network.before_softmax(self._network),
            ):
                scores = tf.cast(self._network(pixels, training=False), tf.float32)
                chosen = tf.gather(scores, classes, axis=1, batch_dims=1)
            gradients = tf.cast(tape.gradient(chosen, maps[0]), tf.float32)
            outputs = tf.cast(maps[0], tf.float32)
            return [sized(weights * outputs, count) for weights in (mean(gradients), gradients)]

        def mean(gradients: Any) -> Any:
            return tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)

        def sized(weighted: Any, count: Any) -> Any:
            summed = tf.nn.relu(tf.reduce_sum(weighted, axis=3, keepdims=True))
            enlarged = tf.image.resize(summed, self.image_shape[:2])[..., 0]
            return 0.5 * (enlarged[:count] + tf.reverse(enlarged[count:], [2])) if self._mirror_image else enlarged

        return self._trace(class_maps, tf.uint8)

    def _trace_pixel_gradients(self) -> Any:
        def pixel_gradients(pixels: Any, classes: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(pixels)
                answers = tf.cast(self._whole(pixels, training=False), tf.float32)
                chosen = tf.gather(answers, classes, axis=1, batch_dims=1)
            return tape.gradient(chosen, pixels)

        return self._trace(pixel_gradients, tf.float32)

    def _trace(self, function: Callable[[Any, Any], Any], dtype: Any) -> Any:
        """Trace a function of images of that type and classes."""
        images, classes = tf.TensorSpec((None, *self.image_shape), dtype), tf.TensorSpec((None,), tf.int32)
        return tf.function(function, jit_compile=False).get_concrete_function(images, classes)


class _ReportingExplainer(Explainer):
    """An explainer in the other process, which reports its progress to this one."""

    def explain_many(self, *args: Any, **options: Any) -> tuple[Explanation, ...]:
        return super().explain_many(*args, **options, progress=report_progress)


class RemoteExplainer(RemotePredictor):
    """An :class:`~aquadash.explain.explainer.Explainer` that works in another process."""

    kind = _ReportingExplainer

    @cached_property
    def map_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the last convolutional feature map; errors as for :attr:`Explainer.inside`."""
        return cast(tuple[int, int, int], self._get("inside", "map_shape"))

    def explain_many(
        self,
        images: NDArray[np.uint8],
        classes: Sequence[int] | None = None,
        *,
        method: str = "grad-cam",
        progress: ProgressCallback | None = None,
    ) -> tuple[Explanation, ...]:
        """As :meth:`Explainer.explain_many`; an exception of the progress ends the work."""
        explanations = self._call("explain_many", images, classes, method=method, progress=progress)
        return cast(tuple[Explanation, ...], explanations)

    def filters(self, *, most: int = 64) -> ConvolutionFilters:
        """As :meth:`Explainer.filters`."""
        return cast(ConvolutionFilters, self._call("filters", most=most))

    def activations(self, image: NDArray[np.uint8]) -> tuple[Activation, ...]:
        """As :meth:`Explainer.activations`."""
        return cast(tuple[Activation, ...], self._call("activations", image))
