"""Augmented training images, drawn by a process of its own: once, or for each epoch while the one before it trains."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import AugmentationPlan, draw_by_batch
from aquadash.data.progress import ProgressCallback
from aquadash.errors import AquaDashError
from aquadash.work import processes
from aquadash.work.standby import CAN_FORK, ChildProcess

#: Number of epochs whose images fit in the shared memory: while one is trained, the next is drawn.
SLOTS = 2

#: Seconds between progress reports while the training waits for images; a report also notices a stop request.
_WAIT_SECONDS = 0.25

#: Priority of drawing while the training computes; once the training waits, drawing has its priority. docs/decisions.md
#: has the measurements.
_NICENESS = 19

#: Positions of the shared numbers: the fraction drawn of an epoch, and the epoch that the training waits for or
#: waited for last.
_FRACTION, _AWAITED = range(2)

#: Seconds to wait for the exit status of a process that has closed its pipe.
_END_SECONDS = 5.0


def _shared_arrays(file: int, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Map an open file: numbers, at ``_FRACTION`` and ``_AWAITED``, and drawn images, by epoch modulo ``SLOTS``."""
    os.ftruncate(file, size := 16 + SLOTS * math.prod(shape))
    memory = mmap.mmap(file, size)
    return np.frombuffer(memory, np.float64, 2), np.frombuffer(memory, np.uint8, offset=16).reshape(SLOTS, *shape)


class DrawingProcess:
    """Draws the images of epochs up to ``last_epoch``, each while the epoch before it trains."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        plan: AugmentationPlan,
        *,
        seed_of: Callable[[int], int],
        last_epoch: int,
        progress: ProgressCallback,
    ) -> None:
        """Start the process: by a fork, which can draw at once, or as a module, which imports for a second first."""
        self._seed_of, self._last_epoch, self._progress = seed_of, last_epoch, progress
        self._requested: int | None = None
        self._drawn: int | None = None
        file = _nameless_file()
        try:
            self._numbers, self._slots = _shared_arrays(file, (plan.factor * len(images), *images.shape[1:]))
            if CAN_FORK:
                self._child = ChildProcess.fork_this(_serve, file, images, plan)
            else:
                self._child = ChildProcess.start("aquadash.training.drawing", keep=(file,), variables={})
                self._child.send((file, images, plan))
        finally:
            os.close(file)
        if not last_epoch:
            self._request(0)

    def epoch(self, epoch: int) -> NDArray[np.uint8]:
        """Wait for the images of an epoch, uint8 (factor * n, height, width, 3), and request the next epoch's.

        The result is read-only and valid until the next call.
        """
        if self._requested != epoch:
            self._request(epoch)
        self._wait(epoch)
        if epoch < self._last_epoch:
            self._request(epoch + 1)
        drawn = self._slots[epoch % SLOTS]
        drawn.flags.writeable = False
        return drawn

    def ready(self) -> None:
        """Wait until the next epoch's images are drawn."""
        if self._requested is not None:
            self._wait(self._requested)

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def _request(self, epoch: int) -> None:
        self._requested, self._drawn = epoch, None
        self._child.send((epoch, self._seed_of(epoch)))

    def _wait(self, epoch: int) -> None:
        self._numbers[_AWAITED] = epoch
        while self._drawn != epoch:
            while not self._child.pipe.poll(_WAIT_SECONDS):
                self._progress("drawing training images", float(self._numbers[_FRACTION]))
            try:
                answer = self._child.pipe.recv()
            except (EOFError, OSError):
                status = self._child.process.wait(_END_SECONDS) or 0
                ended = f"was killed (signal {-status})" if status < 0 else f"ended (status {status})"
                raise AquaDashError(
                    f"The process that draws the training images {ended}; the computer may have run out of memory. "
                    "Resume the run, or choose fewer copies."
                ) from None
            if isinstance(answer, str):
                raise AquaDashError(answer)
            self._drawn = answer


def _nameless_file() -> int:
    """Open a file without a name, in memory if possible, which is deleted when the last process closes it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aquadash-drawing")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _serve(pipe: Connection, file: int, images: NDArray[np.uint8], plan: AugmentationPlan) -> None:
    """Draw the requested epochs and answer each with its number or an error message."""
    import cv2  # It takes 0.1 s, and the pages that list settings do not draw.

    processes.end_with_parent()
    # The images are small, and the other cores are for training.
    cv2.setNumThreads(0)
    numbers, slots = _shared_arrays(file, (plan.factor * len(images), *images.shape[1:]))
    os.close(file)
    behind = ThreadPoolExecutor(1, "drawing-behind", initializer=_step_back)
    behind.submit(os.getpid).result()  # Starts the thread now: later there may not be enough memory for one.
    while True:
        epoch, seed = pipe.recv()
        answer: int | str = epoch
        numbers[_FRACTION] = 0.0
        steps = draw_by_batch(images, plan, seed=seed, out=slots[epoch % SLOTS])
        try:
            # Each step draws a batch, here at the training's priority or in the thread of low priority.
            while step := (
                next(steps, None) if numbers[_AWAITED] == epoch else behind.submit(next, steps, None).result()
            ):
                numbers[_FRACTION] = step[1]
        except AquaDashError as error:
            answer = str(error)
        except MemoryError:
            answer = "There was not enough memory to draw the training images. Choose fewer copies."
        except Exception as error:
            answer = f"The training images could not be drawn: {type(error).__name__}: {error}"[:500]
        pipe.send(answer)


def _step_back() -> None:
    """Lower the priority, on Linux that of this thread only, elsewhere that of the process."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


if __name__ == "__main__":
    # The pipe breaks when the training ends.
    with contextlib.suppress(EOFError, ConnectionError):
        inherited = Connection(int(sys.argv[1]))
        _serve(inherited, *inherited.recv())
