"""A network's answer together with what its last layer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquadash.errors import StorageError
from aquadash.models import transfer

if TYPE_CHECKING:
    import keras


def with_features(model: keras.Model) -> keras.Model:
    """Any network of :mod:`aquadash.models`, loaded from a file or not, with a second output; it shares the weights.

    Of a network that answers with the mean over an image and its mirror image, the features are of the image itself.

    Returns:
        Images in [0, 1] to class probabilities (n, classes) and features (n, features).

    Raises:
        StorageError: The network does not end with a dense layer.
    """
    import keras

    inputs = keras.Input(model.input_shape[1:])
    if isinstance(model.layers[-1], keras.layers.Average):
        nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
        if len(nested) == 1:
            inner = with_features(nested[0])
            answer, features = inner(inputs)
            mirrored, _ = inner(keras.ops.flip(inputs, axis=2))
            return keras.Model(inputs, [keras.layers.Average(dtype="float32")([answer, mirrored]), features])
    pieces = transfer.parts(model)
    whole = pieces.head if pieces else model
    last = whole.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        raise StorageError(
            f"The model ends with a layer of the kind {type(last).__name__}; expected a dense layer that gives the "
            "probabilities of the classes."
        )
    both = keras.Model(whole.inputs, [last.output, last.input])
    return keras.Model(inputs, both(pieces.body(inputs))) if pieces else both
