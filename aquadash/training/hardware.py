"""What this computer can do: where a run trains and how exactly it calculates."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.config import TrainingConfig
from aquadash.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

#: Instructions, as Linux names them, that multiply bfloat16 numbers.
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})

_CPU_INFO = Path("/proc/cpuinfo")


def precision(training: TrainingConfig) -> str:
    """The Keras dtype policy that the setting ``training.precision`` stands for on this computer."""
    if training.precision != "auto":
        return training.precision
    return "mixed_bfloat16" if multiplies_bfloat16() else "float32"


@cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; False where it cannot be told."""
    try:
        text = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_BFLOAT16_FLAGS & set(flags.split()))


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
    return nullcontext() if training.device == "auto" else _on(training.device)


def _on(name: str) -> tf.device:
    import tensorflow as tf

    return tf.device(f"/{name.upper()}:0")
