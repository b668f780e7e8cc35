"""What decides a result besides the settings: device, precision, processor and versions."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aquadash
from aquadash.config import TrainingConfig
from aquadash.errors import ConfigError

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.store import Run

#: Instructions, as Linux names them, that multiply bfloat16 numbers.
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})

_CPU_INFO = Path("/proc/cpuinfo")

_REPORTED_VERSIONS = (
    "tensorflow", "keras", "numpy", "imaug", "imagecorruptions-imaug", "scikit-image", "opencv-python-headless",
    "scipy", "pillow", "numba", "scikit-learn", "mlflow-skinny",
)  # fmt: skip


def precision(training: TrainingConfig) -> str:
    """The Keras dtype policy that the setting ``training.precision`` stands for on this computer."""
    if training.precision != "auto":
        return training.precision
    return "mixed_bfloat16" if multiplies_bfloat16() else "float32"


@cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; False where it cannot be told."""
    flags = next((line for line in _cpu_info() if line.startswith("flags")), "")
    return bool(_BFLOAT16_FLAGS & set(flags.split()))


def _cpu_info() -> list[str]:
    """What Linux tells of each core, in lines; nothing where it cannot be told."""
    try:
        return _CPU_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def last_digits(training: TrainingConfig) -> str:
    """Names what decides the last digits of a result besides settings and images: libraries, device and processor."""
    import tensorflow as tf

    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.list_physical_devices("GPU")]
    told = ("vendor_id", "model", "cache size", "flags", "CPU", "Features")
    processor = sorted({line for line in _cpu_info() if line.startswith(told)}) or platform.processor()
    versions = [library_version(name) for name in ("tensorflow", "keras")]
    return f"{training.device} {cards} {processor} {os.cpu_count()} {versions}"


def device(training: TrainingConfig) -> AbstractContextManager[object]:
    """A context in which TensorFlow works where the setting ``training.device`` says.

    Raises:
        ConfigError: It says ``gpu``, and TensorFlow finds none.
    """
    import tensorflow as tf

    if training.device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise ConfigError(
            "training.device is 'gpu', but TensorFlow finds no graphics card on this computer. Choose 'auto' or 'cpu'."
        )
    return nullcontext() if training.device == "auto" else tf.device(f"/{training.device.upper()}:0")


def describe_environment(run: Run, dataset: Dataset) -> dict[str, Any]:
    """What else decides a result: versions, seed, images and device."""
    import tensorflow as tf

    devices = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices()]
    return {
        "aquadash": aquadash.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpu_count": os.cpu_count(),
        "versions": {name: library_version(name) for name in _REPORTED_VERSIONS},
        "devices": devices,
        "precision": precision(run.config.training),
        "seed": run.config.seed,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
    }


def library_version(package: str) -> str:
    """The installed version of a package, or that it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
