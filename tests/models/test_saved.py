"""Files of networks: the same network comes back; damaged, hostile or other programs' files are refused."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.models import MODELS, ChannelStatistics, load_model
from aquadash.models.network_file import parameter_count, stored_weights
from aquadash.models.transfer import with_flip

Config = dict[str, Any]

STATISTICS = ChannelStatistics((0.1, 0.5, 0.7), (0.3, 0.2, 0.1))
IMAGES = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)


def trained(config: ModelConfig, precision: str = "float32", *, moved: bool = True) -> Any:
    """A network as a training leaves it: other weights than a fresh one has, the statistics of its images."""
    keras.utils.clear_session()
    network = models.build(config, image_shape=(32, 32, 3), num_classes=5, statistics=STATISTICS, precision=precision)
    models.thaw(network, config)
    random = np.random.default_rng(1)
    network.set_weights([weights + random.uniform(-0.02, 0.02, weights.shape) for weights in network.get_weights()])
    return with_flip(network, moved=moved) if config.test_time_flip else network


OWN: Config = {"name": "cnn", "filters": (8, 16), "dense_units": (16,), "activation": "relu"}
DEEP: Config = {
    **OWN,
    "batch_normalization": True,
    "residual": True,
    "convolutions": 3,
    "activation": "gelu",
    "pooling": "average",
    "summary": "average",
    "l1": 0.1,
    "normalization": "symmetric",
}
SMALL = [
    *({"name": name} for name, entry in MODELS.items() if entry.family != "applications"),
    {**OWN, "normalization": "standardize", "summary": "max", "pooling": "none", "dense_units": ()},
    DEEP,
]
#: `make test` runs the two networks that build fastest; the others take seconds each.
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
def test_every_network_is_the_same_from_its_file(values: Config, precision: str, mirror: str, tmp_path: Path) -> None:
    path, config = tmp_path / "model.keras", ModelConfig(**values, test_time_flip=mirror != "none")
    saved = trained(config, precision, moved=mirror == "a pixel aside")
    answers = np.asarray(saved(IMAGES))
    assert answers.shape == (3, 5) and answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    saved.save(path)
    assert sum(stored_weights(path, lambda one: int(one.size)).values()) == saved.count_params(), "every weight by name"
    loaded = load_model(path, config, num_classes=5)
    shown, expected = ([row.name for row in models.summarize(each).layers] for each in (loaded, saved))
    assert shown == expected
    by_keras = keras.saving.load_model(path, safe_mode=True)
    for network in (loaded, by_keras):
        np.testing.assert_array_equal(np.asarray(network(IMAGES)), answers)


def test_one_that_was_trained_in_bfloat16_can_be_had_in_float32(tmp_path: Path) -> None:
    config = ModelConfig(**DEEP, test_time_flip=True)
    network, exact = trained(config, "mixed_bfloat16"), trained(config)
    exact.set_weights(network.get_weights())
    network.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", config, num_classes=5, precision="float32")
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(exact(IMAGES)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "gone"}, "'gone'"),
        ({**OWN, "filters": (8, 17)}, "layers/conv2d_1/vars/0 has the shape (2, 2, 8, 16); expected (2, 2, 8, 17)"),
        ({**OWN, "filters": (1024,) * 6, "kernel_size": 11}, "The convolutions would have"),
    ],
)
def test_a_file_of_another_network_says_what_was_expected(settings: Config, said: str, tmp_path: Path) -> None:
    trained(ModelConfig(**OWN)).save(tmp_path / "model.keras")
    with pytest.raises(StorageError, match="the run's settings") as refused:
        load_model(tmp_path / "model.keras", ModelConfig(**settings), num_classes=5)
    assert said in str(refused.value)


def change(path: Path, of_description: Callable[[str], str], of_weights: Callable[[h5py.File], None]) -> None:
    """Alter a ``.keras`` file by hand."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    weights = path.with_suffix(".h5")
    weights.write_bytes(contents.pop("model.weights.h5"))
    with h5py.File(weights, "a") as file:
        of_weights(file)
    contents["config.json"] = of_description(contents["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.write(weights, "model.weights.h5")


def test_a_file_altered_by_hand_answers_as_the_settings_say(tmp_path: Path) -> None:
    path, config = tmp_path / "model.keras", ModelConfig(**OWN)
    network = trained(config)
    network.save(path)
    change(path, lambda text: text.replace('"relu"', '"tanh"'), lambda file: None)
    loaded = load_model(path, config, num_classes=5)
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(network(IMAGES)))


def test_weights_that_are_not_in_the_description_are_compared_before_they_are_read(tmp_path: Path) -> None:
    def claim_much(file: h5py.File) -> None:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (500_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")

    path, config = tmp_path / "model.keras", ModelConfig(**OWN)
    trained(config).save(path)
    change(path, lambda text: text.replace('"class_name": "Dense"', '"class_name": "Other"'), claim_much)
    with pytest.raises(StorageError, match=r"dense/vars/0 has the shape \(500000000,\)"):
        load_model(path, config, num_classes=5)


def test_a_network_that_gives_too_much_for_an_image_is_not_opened(tmp_path: Path) -> None:
    config = ModelConfig(name="cnn", filters=(4,), strides=1, pooling="none", summary="average", dense_units=())
    models.build(config, image_shape=(4096, 4096, 3), num_classes=5).save(tmp_path / "model.keras")
    with pytest.raises(StorageError, match=r"for one image of 4096 x 4096 pixels, one of them 67,108,864; at most"):
        load_model(tmp_path / "model.keras", config, num_classes=5)


def layer(kind: str, **config: Any) -> Config:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


def sequential(*layers: Config, shape: tuple[object, ...] = (8, 8, 3)) -> Config:
    takes = layer("InputLayer", batch_shape=[None, *shape])
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "made", "layers": [takes, *layers]}}


def nested(deep: int) -> Config:
    model = sequential(layer("Dense"))
    for _ in range(deep):
        model = sequential(model)
    return model


def claim_100_gb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (25_000_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")


def pad(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/0", data=np.zeros(100_000, np.uint8))


def nest_8_000_groups(group: h5py.Group) -> None:
    for _ in range(8_000):
        group = group.create_group("layers")


def write(
    path: Path, description: Config | str, weights: Callable[[h5py.File], object] | None = None, *more: str
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


DENSE = sequential(layer("Dense"))

#: Hostile settings of a network, and the error that each gets.
HOSTILE: dict[str, tuple[Config | str, str]] = {
    "weights of 100 GB": (DENSE, "claims 100,000,000,000 bytes"),
    "8,000 nested groups": (DENSE, "claims 0 bytes of weights in a file of 8,"),
    "one file too many": (sequential(), "it has the members ['assets/code.py'"),
    "long description": (sequential(layer("x" * 5_000_000)), "described in 10,000"),
    "a long name": (sequential(layer("x" * 1_000)), "it has a layer of the name layers/xxx"),
    "models within models": (nested(100), "it has a layer of the name layers/sequential/layers/seq"),
    "many layers": (sequential(*[layer("Dense")] * 4_000), "it has 4,001 layers"),
    "nested too deep for JSON": ('{"a":' * 100_000, "cannot be loaded"),
    "no model": ("[1, 2]", "cannot be loaded"),
    "padding": (sequential(), "claims 0 bytes of weights in a file of"),
    "a size that is a text": (sequential(shape=("8", 8, 3)), "images of the shape ('8', 8, 3)"),
    "grey images": (sequential(shape=(8, 8, 1)), "images of the shape (8, 8, 1)"),
    "a long list": (sequential(layer("Rescaling", scale=[1.0] * 100_000, offset=0.0)), "rescales 100000 channels"),
    "lists in lists": (sequential(layer("Rescaling", scale=[[1.0]] * 3, offset=0.0)), "cannot be loaded"),
}

WEIGHTS = {"weights of 100 GB": claim_100_gb, "padding": pad, "8,000 nested groups": nest_8_000_groups}

_LOOK = """
import json, sys, time
from pathlib import Path
from aquadash.errors import StorageError
from aquadash.models.network_file import check_network
found = []
for path in sys.argv[1:]:
    started = time.perf_counter()
    try:
        said = str(check_network(Path(path)))
    except StorageError as error:
        said = str(error)
    found.append([said, time.perf_counter() - started])
print(json.dumps([found, "tensorflow" in sys.modules, "keras" in sys.modules]))
"""


def test_hostile_files_are_refused_at_once_without_tensorflow(tmp_path: Path) -> None:
    paths = []
    for number, (name, (description, _)) in enumerate(HOSTILE.items()):
        more = ["assets/code.py"] if "too many" in name else []
        paths.append(write(tmp_path / f"{number}.keras", description, WEIGHTS.get(name), *more))
    told = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, paths)], check=True, capture_output=True, text=True, timeout=120
    )
    loaded, *imported = json.loads(told.stdout)
    assert imported == [False, False]
    for (name, (_, expected)), (said, seconds) in zip(HOSTILE.items(), loaded, strict=True):
        assert expected in said, (name, said)
        assert seconds < 2, (name, seconds)


def test_a_network_whose_weights_are_those_of_other_files_is_refused(tmp_path: Path) -> None:
    secret, other = tmp_path / "codes.json", tmp_path / "other.h5"
    secret.write_bytes(b"secret" * 4)
    with h5py.File(other, "w") as file:
        file["layers/dense/vars/0"] = file["codes"] = np.arange(6.0)
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:] = h5py.VirtualSource(other, "codes", (6,))
    place = "layers/dense/vars/0"
    kinds = {
        "lies in another file": lambda file: file.create_dataset(place, (6,), "f4", external=[(secret, 0, 24)]),
        "0 lies in another file": lambda file: file.create_virtual_dataset(place, layout),
        "is a link": lambda file: file.update({"layers": h5py.ExternalLink(other, "layers")}),
        "0 is a link": lambda file: file.update({place: h5py.SoftLink("/layers")}),
    }
    for said, make in kinds.items():
        with pytest.raises(StorageError, match=said):
            stored_weights(write(tmp_path / "model.keras", DENSE, make), lambda one: one[()])


def test_the_count_agrees_with_keras_and_a_damaged_file_says_so(tmp_path: Path) -> None:
    config = ModelConfig(name="cnn", filters=(4,), batch_normalization=True, dense_units=(8,), dropout=0.5)
    model = models.build(config, image_shape=(8, 8, 3), num_classes=5)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert parameter_count(tmp_path / "model.keras") == model.count_params()
    with pytest.raises(StorageError):
        parameter_count(tmp_path / "missing.keras")
    for content in (b"", b"PK\x03\x04 torn", b"no archive"):
        (tmp_path / "broken.keras").write_bytes(content)
        with pytest.raises(StorageError, match="damaged"):
            parameter_count(tmp_path / "broken.keras")
