"""A stored network is its run's settings and weights; what else its file may say is refused or read as plain data."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.models import MODELS, ChannelStatistics, load_model
from aquadash.models.transfer import with_flip

Config = dict[str, Any]


def layer(kind: str, **config: Any) -> Config:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


def sequential(*layers: Config, shape: tuple[object, ...] = (8, 8, 3)) -> Config:
    takes = layer("InputLayer", batch_shape=[None, *shape])
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "made", "layers": [takes, *layers]}}


def rescaling(scale: object) -> Config:
    return sequential(layer("Rescaling", scale=scale, offset=0.0))


def claim_100_gb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (25_000_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")


def pad(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/0", data=np.zeros(100_000, np.uint8))


def write(
    path: Path, description: Config | str, weights: Callable[[h5py.File], None] | None = None, *more: str
) -> Path:
    text = description if isinstance(description, str) else json.dumps(description)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        if weights is not None:
            weights(file)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", *more):
            archive.writestr(name, "{}")
        archive.writestr("config.json", text)
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


#: What somebody may send, and what is said of it.
HOSTILE: dict[str, tuple[Config | str, str]] = {
    "weights of 100 GB": (sequential(), "claims 100,000,000,000 bytes"),
    "one file too many": (sequential(), "it has the members ['assets/code.py'"),
    "long description": (sequential(layer("x" * 5_000_000)), "described in 10,000"),
    "nested too deep for JSON": ('{"a":' * 100_000, "cannot be loaded"),
    "no model": ("[1, 2]", "cannot be loaded"),
    "a layer that is none": (sequential(layer("Dense") | {"config": None}), "cannot be loaded"),
    "padding": (sequential(), "claims 0 bytes of weights in a file of"),
    "images of no size": (sequential(shape=(8, None, 3)), "images of the shape (8, None, 3)"),
    "a size that is a text": (sequential(shape=("8", 8, 3)), "images of the shape ('8', 8, 3)"),
    "grey images": (sequential(shape=(8, 8, 1)), "images of the shape (8, 8, 1)"),
    "a list that stretches": (rescaling([1.0] * 100_000), "rescales 100000 channels"),
    "lists in lists": (rescaling([[1.0]] * 3), "cannot be loaded"),
    "4,000 digits": (rescaling(int("7" * 4_000)), "cannot be loaded"),
}

_LOOK = """
import json, sys, time
from pathlib import Path
from aquadash.errors import StorageError
from aquadash.models import check_model_file
found = []
for path in sys.argv[1:]:
    started = time.perf_counter()
    try:
        said = str(check_model_file(Path(path)))
    except StorageError as error:
        said = str(error)
    found.append([said, time.perf_counter() - started])
print(json.dumps([found, "tensorflow" in sys.modules, "keras" in sys.modules]))
"""


def test_hostile_files_are_refused_at_once_without_tensorflow(tmp_path: Path) -> None:
    paths = [
        write(
            tmp_path / f"{number}.keras",
            description,
            claim_100_gb if "100 GB" in name else pad if name == "padding" else None,
            *(["assets/code.py"] if "too many" in name else []),
        )
        for number, (name, (description, _)) in enumerate(HOSTILE.items())
    ]
    told = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, paths)], check=True, capture_output=True, text=True, timeout=120
    )
    found, *imported = json.loads(told.stdout)
    assert imported == [False, False]
    for (name, (_, expected)), (said, seconds) in zip(HOSTILE.items(), found, strict=True):
        assert expected in said, (name, said)
        assert seconds < 2, (name, seconds)


STATISTICS = ChannelStatistics((0.1, 0.5, 0.7), (0.3, 0.2, 0.1))
IMAGES = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)


def trained(config: ModelConfig, precision: str = "float32", *, moved: bool = True) -> Any:
    """A network as a training leaves it: other weights than a fresh one has, the statistics of its images."""
    import keras

    keras.utils.clear_session()
    network = models.build(config, image_shape=(32, 32, 3), num_classes=5, statistics=STATISTICS, precision=precision)
    models.thaw(network, config)
    random = np.random.default_rng(1)
    network.set_weights([weights + random.uniform(-0.02, 0.02, weights.shape) for weights in network.get_weights()])
    return with_flip(network, moved=moved) if config.test_time_flip else network


def names_of(network: Any) -> list[str]:
    return [row.name for row in models.summarize(network).layers]


OWN: Config = {"name": "cnn", "filters": (8, 16), "dense_units": (16,), "activation": "relu"}
DEEP: Config = {
    **OWN, "batch_normalization": True, "residual": True, "convolutions": 3, "activation": "gelu", "pooling": "average",
    "summary": "average", "l1": 0.1, "normalization": "symmetric",
}  # fmt: skip
SMALL = [
    *({"name": name} for name, entry in MODELS.items() if entry.family != "applications"),
    {**OWN, "normalization": "standardize", "summary": "max", "pooling": "none", "dense_units": ()},
    DEEP,
]
#: Of two that are made in a moment `make test` tells enough; the others take seconds each.
LARGE = [
    pytest.param(
        {"name": name, "input_size": 75, "dense_units": (16,)},
        "mixed_bfloat16",
        "a pixel aside",
        marks=() if name in ("vgg16", "mobilenetv2") else pytest.mark.soak,
    )
    for name, entry in MODELS.items()
    if entry.family == "applications"
]


@pytest.mark.usefixtures("narrow_bodies")
@pytest.mark.parametrize(
    ("values", "precision", "mirror"),
    [
        *((values, "mixed_bfloat16", "none") for values in SMALL),
        *((values, "float32", "a pixel aside") for values in SMALL),
        (DEEP, "float32", "in place, as up to version 0.6"),
        ({"name": "backbone_wide"}, "mixed_bfloat16", "a pixel aside"),
        *LARGE,
    ],
    ids=str,
)
def test_every_network_that_can_be_trained_gives_probabilities_and_the_same_from_its_file(
    values: Config, precision: str, mirror: str, tmp_path: Path
) -> None:
    import keras

    path, config = tmp_path / "model.keras", ModelConfig(**values, test_time_flip=mirror != "none")
    saved = trained(config, precision, moved=mirror == "a pixel aside")
    answers = np.asarray(saved(IMAGES))
    assert answers.shape == (3, 5) and answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    saved.save(path)
    found = load_model(path, config, num_classes=5)
    assert names_of(found) == names_of(saved), "those that pages show"
    by_keras = keras.saving.load_model(path, safe_mode=True)
    for network in (found, by_keras):
        np.testing.assert_array_equal(np.asarray(network(IMAGES)), answers)


def test_one_that_was_trained_in_bfloat16_can_be_had_in_float32(tmp_path: Path) -> None:
    config = ModelConfig(**DEEP, test_time_flip=True)
    network, exact = trained(config, "mixed_bfloat16"), trained(config)
    exact.set_weights(network.get_weights())
    network.save(tmp_path / "model.keras")
    found = load_model(tmp_path / "model.keras", config, num_classes=5, precision="float32")
    np.testing.assert_array_equal(np.asarray(found(IMAGES)), np.asarray(exact(IMAGES)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "gone"}, "'gone'"),
        ({**OWN, "filters": (8, 17)}, "is {'filters': 16}, by the settings {'filters': 17}"),
        ({**OWN, "activation": "tanh"}, "is {'activation': 'relu'}, by the settings {'activation': 'tanh'}"),
        ({**OWN, "dense_units": (16, 16)}, "by the settings"),
        ({**OWN, "filters": (1024,) * 6, "kernel_size": 11}, "The convolutions would have"),
    ],
)  # fmt: skip
def test_a_file_of_another_network_says_what_it_has_and_what_was_expected(
    settings: Config, said: str, tmp_path: Path
) -> None:
    trained(ModelConfig(**OWN)).save(tmp_path / "model.keras")
    with pytest.raises(StorageError, match="the run's settings make") as refused:
        load_model(tmp_path / "model.keras", ModelConfig(**settings), num_classes=5)
    assert said in str(refused.value)


def test_a_network_that_gives_too_much_for_an_image_is_not_opened(tmp_path: Path) -> None:
    config = ModelConfig(name="cnn", filters=(4,), strides=1, pooling="none", summary="average", dense_units=())
    models.build(config, image_shape=(4096, 4096, 3), num_classes=5).save(tmp_path / "model.keras")
    with pytest.raises(StorageError, match=r"for one image of 4096 x 4096 pixels, one of them 67,108,864; at most"):
        load_model(tmp_path / "model.keras", config, num_classes=5)


def test_an_activation_that_is_an_object_of_its_own_is_known_by_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    def own(config: object, *, image_shape: tuple[int, int, int], num_classes: int, slope: float, **_: object) -> Any:
        shared = keras.layers.LeakyReLU(negative_slope=slope)
        inputs = keras.Input(image_shape)
        hidden = keras.layers.Dense(4, activation=shared)(keras.layers.GlobalAveragePooling2D()(inputs))
        return keras.Model(inputs, keras.layers.Dense(num_classes, activation=shared)(hidden))

    path = tmp_path / "model.keras"
    own(None, image_shape=(8, 8, 3), num_classes=5, slope=0.1).save(path)
    monkeypatch.setattr("aquadash.models.saved.build", partial(own, slope=0.1))
    load_model(path, ModelConfig(), num_classes=5)
    monkeypatch.setattr("aquadash.models.saved.build", partial(own, slope=0.2))
    with pytest.raises(StorageError, match=r"'negative_slope': 0\.2"):
        load_model(path, ModelConfig(), num_classes=5)
