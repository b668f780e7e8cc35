"""New training images for every epoch, drawn by a process of its own while the epoch before them trains."""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.augment import AugmentationPlan
from aquadash.data.progress import ProgressCallback
from aquadash.errors import AquaDashError

#: How many epochs' images there is room for: while one is trained, the next is drawn.
SLOTS = 2

#: How often whoever waits for images hears of it, in seconds; a stop request is noticed then.
_WAIT_SECONDS = 0.25

#: The images are small and the processors are for training.
_ONE_THREAD = {name: "1" for name in ("OPENCV_FOR_THREADS_NUM", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}

#: How long the process may take to end by itself.
_END_SECONDS = 5.0


@dataclass(frozen=True)
class SharedImages:
    """Views of the memory that both processes see.

    Attributes:
        originals: uint8, shape (n, height, width, 3).
        slots: uint8, shape (SLOTS, factor * n, height, width, 3): the drawn images of an epoch each.
    """

    originals: NDArray[np.uint8]
    slots: NDArray[np.uint8]

    @staticmethod
    def size(shape: tuple[int, ...], factor: int) -> int:
        """Bytes for originals of that shape; at least 1."""
        return max(1, int(np.prod(shape)) * (1 + SLOTS * factor))

    @classmethod
    def at(cls, memory: mmap.mmap, shape: tuple[int, ...], factor: int) -> SharedImages:
        """The views for originals of that shape."""
        count = int(np.prod(shape))
        every = np.frombuffer(memory, np.uint8, count * (1 + SLOTS * factor))
        drawn = (SLOTS, factor * shape[0], *shape[1:])
        return cls(every[:count].reshape(shape), every[count:].reshape(drawn))


class DrawingProcess:
    """Draws each epoch's images while the epoch before it trains."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        plan: AugmentationPlan,
        *,
        seed_of: Callable[[int], int],
        last_epoch: int,
        progress: ProgressCallback,
    ) -> None:
        """Starts the process, which needs about a second until it can draw.

        Args:
            images: The originals, uint8, shape (n, height, width, 3).
            plan: What to draw.
            seed_of: An epoch's seed.
            last_epoch: Nothing is drawn for later ones.
            progress: Called some times a second while :meth:`epoch` waits; what it raises ends the waiting.
        """
        self._seed_of, self._last_epoch, self._progress = seed_of, last_epoch, progress
        self._requested: int | None = None
        self._drawn = False
        self._connection, theirs = multiprocessing.Pipe()
        file = _nameless_file()
        try:
            size = SharedImages.size(images.shape, plan.factor)
            os.ftruncate(file, size)
            self._shared = SharedImages.at(mmap.mmap(file, size), images.shape, plan.factor)
            self._shared.originals[...] = images
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aquadash.training.drawing_process", str(file), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(file, theirs.fileno()),
                cwd=settings.PROJECT_ROOT,
                env={**os.environ, **_ONE_THREAD},
            )
        finally:
            os.close(file)
            theirs.close()
        self._send({"shape": images.shape, "plan": plan})

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def epoch(self, epoch: int) -> NDArray[np.uint8]:
        """The images of an epoch; waits until they are drawn, and has the next epoch's drawn meanwhile.

        Returns:
            uint8, shape (factor * n, height, width, 3), not to be written to; valid until the next call.

        Raises:
            AquaDashError: They cannot be drawn.
        """
        if self._requested != epoch:
            self._request(epoch)
        self.ready()
        if epoch < self._last_epoch:
            self._request(epoch + 1)
        drawn = self._shared.slots[epoch % SLOTS]
        drawn.flags.writeable = False
        return drawn

    def ready(self) -> None:
        """Wait until the images that were asked for last are there: those that are being drawn ahead.

        Raises:
            AquaDashError: They cannot be drawn.
        """
        if self._requested is None or self._drawn:
            return
        told: tuple[str, float | None] = ("drawing new training images", None)
        if not self._connection.poll():
            self._send({"hurry": self._requested})
        while not self._drawn:
            try:
                answer = self._connection.recv() if self._connection.poll(_WAIT_SECONDS) else {}
            except (EOFError, OSError):
                raise AquaDashError(self._how_it_ended()) from None
            if "error" in answer:
                raise AquaDashError(answer["error"])
            if "epoch" in answer:
                self._drawn = answer["epoch"] == self._requested
                continue
            told = answer.get("progress", told)
            self._progress(*told)

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _request(self, epoch: int) -> None:
        self._requested, self._drawn = epoch, False
        self._send({"epoch": epoch, "seed": self._seed_of(epoch), "slot": epoch % SLOTS})

    def _send(self, message: dict[str, Any]) -> None:
        # It may have ended; whoever waits for its answer hears why.
        with contextlib.suppress(OSError):
            self._connection.send(message)

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            status = 0
        killed = f"was killed (signal {-status})" if status < 0 else f"ended (status {status})"
        return (
            f"The process that draws new training images {killed}; the computer may have run out of memory. Resume the "
            "run, or have the images drawn once, before training (augmentation.mode=copies)."
        )


def _nameless_file() -> int:
    """A file in memory without a name, which vanishes with the last process that has it; on disk where need be."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aquadash-drawing")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
