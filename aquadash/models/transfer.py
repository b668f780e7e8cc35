"""Networks in two parts, a pretrained body and a new head; flip averaging; and the features of any network."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.models.lazy import keras, layers

BODY = "body"
HEAD = "head"

#: Kinds of the operations that move the mirror image by a pixel in :func:`with_flip`.
_MOVES = {"Pad", "Cropping2D"}


@dataclass(frozen=True)
class Parts:
    """The two parts of a pretrained network; they share their weights with the whole."""

    #: Images as float32 in [0, 1], (n, height, width, channels), to features (n, features).
    body: keras.Model
    #: Features to class probabilities (n, classes).
    head: keras.Model


def compose(body: keras.Model, config: ModelConfig, num_classes: int) -> keras.Model:
    """Put a new head on a body."""
    regularizer = keras.regularizers.L2(config.l2) if config.l2 else None
    features = keras.Input(body.output_shape[1:], name="features")
    x = layers.Dropout(config.dropout)(features)
    for units in config.dense_units:
        x = layers.Dense(units, activation=config.dense_activation, kernel_regularizer=regularizer)(x)
        x = layers.Dropout(config.dropout)(x)
    outputs = layers.Dense(num_classes, activation="softmax", kernel_regularizer=regularizer, dtype="float32")(x)
    head = keras.Model(features, outputs, name=HEAD)
    inputs = keras.Input(body.input_shape[1:])
    return keras.Model(inputs, head(body(inputs)), name=f"{config.name}_transfer")


def parts(model: keras.Model) -> Parts | None:
    """Return body and head of a network that :func:`compose` made; None for any other."""
    named = {layer.name: layer for layer in model.layers}
    if BODY not in named or HEAD not in named:
        return None
    return Parts(named[BODY], named[HEAD])


def thaw_body(body: keras.Model, fine_tuning: str, *, last_frozen: str) -> None:
    """Let all layers of a body learn, those after ``last_frozen`` or none; batch normalisation never does."""
    # A few hundred batches of other images give worse means and deviations than the pretraining did; a frozen
    # BatchNormalization runs in inference mode (https://keras.io/guides/transfer_learning/).
    body.trainable = fine_tuning != "head"
    learns = fine_tuning == "all"
    for layer in body.layers:
        layer.trainable = learns and not isinstance(layer, keras.layers.BatchNormalization)
        learns = learns or (fine_tuning == "top" and layer.name == last_frozen)


def with_flip(model: keras.Model, *, moved: bool = True) -> keras.Model:
    """Return a network that averages its outputs for an image and for its mirror image, ``moved`` by one pixel."""
    # Strided layers sample other pixels when the image moves by one (R. Zhang 2019, "Making Convolutional Networks
    # Shift-Invariant Again", https://arxiv.org/abs/1904.11486), so the average is over more at the same cost.
    inputs = keras.Input(model.input_shape[1:])
    mirrored = keras.ops.flip(inputs, axis=2)
    if moved:
        padded = keras.ops.pad(mirrored, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="reflect")
        mirrored = keras.layers.Cropping2D(((1, 0), (1, 0)))(padded)
    answers = [model(inputs), model(mirrored)]
    return keras.Model(inputs, keras.layers.Average(dtype="float32")(answers), name=f"{model.name}_with_flip")


def without_flip(model: keras.Model) -> keras.Model:
    """Return the network inside a result of :func:`with_flip`; any other network itself."""
    # The structure decides, so that models of version 0.6 are recognised, too, which do not move the mirror image.
    operations = list(getattr(model, "operations", ()))
    nested = [operation for operation in operations if hasattr(operation, "layers")]
    kinds = {type(operation).__name__ for operation in operations if operation not in nested}
    if len(nested) != 1 or kinds - _MOVES != {"InputLayer", "Flip", "Average"}:
        return model
    network: keras.Model = nested[0]
    return network


def mirror_image(model: keras.Model) -> keras.Model:
    """Return a model from images to the mirror images that a result of :func:`with_flip` averages over."""
    mirrored = [operation.output for operation in model.operations if type(operation).__name__ in {"Flip", *_MOVES}]
    return keras.Model(model.inputs, mirrored[-1])


def with_features(model: keras.Model) -> keras.Model:
    """Return a network with a second output, the last layer's input; with flip averaging, that of the image itself."""
    inputs = keras.Input(model.input_shape[1:])
    once = without_flip(model)
    if once is not model:
        inner = with_features(once)
        answer, features = inner(inputs)
        mirrored, _ = inner(mirror_image(model)(inputs))
        return keras.Model(inputs, [keras.layers.Average(dtype="float32")([answer, mirrored]), features])
    pieces = parts(model)
    whole = pieces.head if pieces else model
    last = whole.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        raise StorageError(
            f"The model's last layer is {type(last).__name__}; expected a dense layer that gives the "
            "class probabilities."
        )
    both = keras.Model(whole.inputs, [last.output, last.input])
    return keras.Model(inputs, both(pieces.body(inputs))) if pieces else both
