"""Device, precision, processor and versions, on which the last digits of a result depend."""

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
from aquadash.models.lazy import tf

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.store import Run

#: Linux's names of the instructions that multiply bfloat16 numbers.
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})

CPU_INFO = Path("/proc/cpuinfo")

_REPORTED_VERSIONS = (
    "tensorflow keras numpy imaug imagecorruptions-imaug scikit-image opencv-python-headless scipy pillow numba "
    "scikit-learn"
).split()


def precision(training: TrainingConfig) -> str:
    """Return the Keras dtype policy for the setting ``training.precision`` on this computer."""
    if training.precision != "auto":
        return training.precision
    return "mixed_bfloat16" if multiplies_bfloat16() else "float32"


@cache
def multiplies_bfloat16() -> bool:
    """Return whether the processor has instructions for bfloat16; False outside of Linux."""
    flags = next((line for line in _cpu_info() if line.startswith("flags")), "")
    return bool(_BFLOAT16_FLAGS & set(flags.split()))


def _cpu_info() -> list[str]:
    """Read Linux's description of the cores, in lines; empty on other systems."""
    try:
        return CPU_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def last_digits(training: TrainingConfig) -> str:
    """Describe libraries, device and processor: with the same text, results agree to the last digit."""
    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.list_physical_devices("GPU")]
    prefixes = ("vendor_id", "model", "cache size", "flags", "CPU", "Features")
    processor = sorted({line for line in _cpu_info() if line.startswith(prefixes)}) or platform.processor()
    versions = [library_version(name) for name in ("tensorflow", "keras")]
    return f"{training.device} {cards} {processor} {os.cpu_count()} {versions}"


def device(training: TrainingConfig) -> AbstractContextManager[object]:
    """Return a context for the device of the setting ``training.device``; a ConfigError says that there is no GPU."""
    if training.device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise ConfigError(
            "training.device is 'gpu', but TensorFlow finds no graphics card on this computer. Choose 'auto' or 'cpu'."
        )
    return nullcontext() if training.device == "auto" else tf.device(f"/{training.device.upper()}:0")


def describe_environment(run: Run, dataset: Dataset) -> dict[str, Any]:
    """Describe versions, seed, images and device as plain values for JSON."""
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
    """Return the installed version of a package, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
