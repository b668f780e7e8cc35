"""New training images for every epoch, drawn by a process of its own while the epoch before them trains."""

from __future__ import annotations

import json
import mmap
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
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
        file = _nameless_file()
        try:
            size = SharedImages.size(images.shape, plan.factor)
            os.ftruncate(file, size)
            self._shared = SharedImages.at(mmap.mmap(file, size), images.shape, plan.factor)
            self._shared.originals[...] = images
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aquadash.training.drawing_process", str(file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(file,),
                cwd=settings.PROJECT_ROOT,
                env={**os.environ, **_ONE_THREAD},
            )
        finally:
            os.close(file)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="drawing-answers", daemon=True)
        self._reader.start()
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
        self._wait(epoch)
        if epoch < self._last_epoch:
            self._request(epoch + 1)
        drawn = self._shared.slots[epoch % SLOTS]
        drawn.flags.writeable = False
        return drawn

    def ready(self) -> None:
        """Wait until the images that are being drawn ahead are there."""
        if self._requested is not None:
            self._wait(self._requested)
            # Told once; the next call of epoch() must not wait for it again.
            self._answers.put({"epoch": self._requested})

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # It has ended already.
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_END_SECONDS)
        self._process.stdout.close()

    def _request(self, epoch: int) -> None:
        self._requested = epoch
        self._send({"epoch": epoch, "seed": self._seed_of(epoch), "slot": epoch % SLOTS})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except OSError:
            pass  # It has ended; whoever waits for its answer hears why.

    def _wait(self, epoch: int) -> None:
        told: tuple[str, float | None] = ("drawing new training images", None)
        hurried = False
        while True:
            try:
                answer = self._answers.get(timeout=_WAIT_SECONDS if hurried else 0)
            except queue.Empty:
                if hurried:
                    self._progress(*told)
                else:
                    self._send({"hurry": epoch})
                    hurried = True
                continue
            if answer is None:
                raise AquaDashError(self._how_it_ended())
            if "error" in answer:
                raise AquaDashError(answer["error"])
            if "progress" in answer:
                told = (answer["progress"], answer["fraction"])
            elif answer["epoch"] == epoch:
                return

    def _read(self) -> None:
        """Keep the process from ever waiting for a reader."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def _how_it_ended(self) -> str:
        self._answers.put(None)
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
