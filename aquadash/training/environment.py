"""What decides a result besides the settings: versions, processor, device."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from aquadash.runs.types import Run

if TYPE_CHECKING:
    from aquadash.data import Dataset

_REPORTED_VERSIONS = ("tensorflow", "keras", "numpy", "imaug", "scikit-learn", "mlflow-skinny")


def describe_environment(run: Run, dataset: Dataset) -> dict[str, Any]:
    """What else decides a result: versions, seed, images and device."""
    import tensorflow as tf

    from aquadash.training import hardware

    devices = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices()]
    return {
        "aquadash": library_version("aquadash"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpu_count": os.cpu_count(),
        "versions": {name: library_version(name) for name in _REPORTED_VERSIONS},
        "devices": devices,
        "precision": hardware.precision(run.config.training),
        "seed": run.config.seed,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
    }


def library_version(package: str) -> str:
    """The installed version of a package, or that it is not installed."""
    if package == "aquadash":
        import aquadash

        return aquadash.__version__
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
