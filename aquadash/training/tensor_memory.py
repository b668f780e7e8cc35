"""How much memory TensorFlow's numbers take."""

from __future__ import annotations

import tensorflow as tf


class TensorMemory:
    """How much more memory TensorFlow's numbers take inside the ``with`` block than before it, at most.

    Counted by TensorFlow itself: what the process takes tells little, for memory once taken is kept for later.

    Attributes:
        growth: In bytes; None where this build of TensorFlow does not count them.
    """

    def __init__(self) -> None:
        self.growth: int | None = None
        # Where TensorFlow puts an operation now, as in "/job:localhost/replica:0/task:0/device:CPU:0".
        self._device = tf.constant(0).device.rpartition("device:")[2]

    def __enter__(self) -> TensorMemory:
        self._before = self._counted("current")
        if self._before is not None:
            tf.config.experimental.reset_memory_stats(self._device)
        return self

    def __exit__(self, *_: object) -> None:
        peak = self._counted("peak")
        self.growth = None if peak is None or self._before is None else max(0, peak - self._before)

    def _counted(self, what: str) -> int | None:
        try:
            return int(tf.config.experimental.get_memory_info(self._device)[what])
        except ValueError:
            return None
