"""Networks whose answers depend on a known part of the image, or on nothing that was learned, and pictures for them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.store import Run, RunStore

CLASSES = ("cornered", "plain", "other")
FIVE = ("beaver", "dolphin", "otter", "seal", "whale")
SIZE = 32
#: Side of the corner that matters.
CORNER = 8

RED, GREEN = 0, 1

#: The settings of a network that looks at a corner.
CORNERED = ModelConfig(
    name="cnn", filters=(3,), kernel_size=3, strides=1, activation="relu", pooling="none", dense_units=()
)


def corner_network(row: int, column: int) -> Any:
    """Build a network whose class "cornered" depends on the red of one corner; 0 is upper or left, -1 the other."""
    model = models.build(CORNERED, image_shape=(SIZE, SIZE, 3), num_classes=len(CLASSES))
    blur = np.zeros((3, 3, 3, 3), np.float32)
    for channel in range(3):
        blur[:, :, channel, channel] = 1 / 9
    weights = np.zeros((SIZE, SIZE, 3, len(CLASSES)), np.float32)
    weights[corner(row), corner(column), RED, 0] = 4 / CORNER**2
    # The bias keeps the dark noise of the pictures out.
    model.set_weights([blur, np.full(3, -0.12), weights.reshape(-1, len(CLASSES)), np.array([-1, 0, 0])])
    return model


def add_untrained(store: RunStore, run: Run, folder: Path) -> Run:
    """Give a run on the drawn animals the network that it asks for, which has learned nothing."""
    import keras

    keras.utils.set_random_seed(0)
    models.build(run.config.model, image_shape=(SIZE, SIZE, 3), num_classes=len(FIVE)).save(folder / "model.keras")
    store.add_artifact(run.run_id, folder / "model.keras")
    return run


def picture(row: int, column: int, *, decoy: int = GREEN) -> NDArray[np.uint8]:
    """Dark noise with a red square in one corner and a square of another colour in the opposite one."""
    image = np.random.default_rng(0).integers(0, 30, (SIZE, SIZE, 3), dtype=np.uint8)
    image[corner(row), corner(column), RED] = 250
    image[corner(-1 - row), corner(-1 - column), decoy] = 250
    return image


def corner(end: int, size: int = CORNER) -> slice:
    return slice(0, size) if end == 0 else slice(SIZE - size, SIZE)
