"""New training images for every epoch, drawn by a process of its own while the epoch before them trains."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import AugmentationPlan, draw_by_batch
from aquadash.data.progress import ProgressCallback
from aquadash.errors import AquaDashError
from aquadash.work import processes
from aquadash.work.standby import ChildProcess

#: Number of epochs whose images fit in the shared memory: while one is trained, the next is drawn.
SLOTS = 2

#: Seconds between progress reports while the training waits for images; a report also notices a stop request.
_WAIT_SECONDS = 0.25

#: Environment of the drawing process: the images are small, and the other cores are for training.
_ONE_THREAD = {name: "1" for name in ("OPENCV_FOR_THREADS_NUM", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}

#: Priority of drawing while the training computes; once the training waits, drawing has its priority. docs/decisions.md
#: has the measurements.
_NICENESS = 19

#: Positions in ``SharedImages.numbers``: the fraction drawn of an epoch, and the epoch that the training waits for or
#: waited for last.
_FRACTION, _AWAITED = range(2)

#: Seconds to wait for the exit status of a process that has closed its pipe.
_END_SECONDS = 5.0


@dataclass(frozen=True)
class SharedImages:
    """Views of the memory that both processes share."""

    #: float64, shape (2,), at ``_FRACTION`` and ``_AWAITED``.
    numbers: NDArray[np.float64]
    #: uint8, shape (n, height, width, 3).
    originals: NDArray[np.uint8]
    #: uint8, shape (SLOTS, factor * n, height, width, 3): the drawn images, by epoch modulo ``SLOTS``.
    slots: NDArray[np.uint8]

    @staticmethod
    def size(shape: tuple[int, ...], factor: int) -> int:
        """Return the bytes for originals of that shape."""
        return 16 + int(np.prod(shape)) * (1 + SLOTS * factor)

    @classmethod
    def at(cls, file: int, shape: tuple[int, ...], factor: int) -> SharedImages:
        """Map an open file, for originals of that shape."""
        memory = mmap.mmap(file, cls.size(shape, factor))
        count = int(np.prod(shape))
        every = np.frombuffer(memory, np.uint8)[16:]
        drawn = (SLOTS, factor * shape[0], *shape[1:])
        return cls(np.frombuffer(memory, np.float64, 2), every[:count].reshape(shape), every[count:].reshape(drawn))


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
        """Starts the process, which needs about a second until it can draw."""
        self._seed_of, self._last_epoch, self._progress = seed_of, last_epoch, progress
        self._requested: int | None = None
        self._drawn: int | None = None
        file = _nameless_file()
        try:
            os.ftruncate(file, SharedImages.size(images.shape, plan.factor))
            self._shared = SharedImages.at(file, images.shape, plan.factor)
            self._shared.originals[...] = images
            self._child = ChildProcess.start(
                "aquadash.training.drawing", str(file), keep=(file,), variables=_ONE_THREAD
            )
        finally:
            os.close(file)
        self._child.send((images.shape, plan))

    def epoch(self, epoch: int) -> NDArray[np.uint8]:
        """Wait for the images of an epoch, uint8 (factor * n, height, width, 3), and request the next epoch's.

        The result is read-only and valid until the next call.
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
        self._shared.numbers[_AWAITED] = epoch
        while self._drawn != epoch:
            while not self._child.pipe.poll(_WAIT_SECONDS):
                self._progress("drawing new training images", float(self._shared.numbers[_FRACTION]))
            try:
                answer = self._child.pipe.recv()
            except (EOFError, OSError):
                status = self._child.process.wait(_END_SECONDS) or 0
                ended = f"was killed (signal {-status})" if status < 0 else f"ended (status {status})"
                raise AquaDashError(
                    f"The process that draws new training images {ended}; the computer may have run out of memory. "
                    "Resume the run, or draw the images only once, before training (augmentation.mode=copies)."
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


def _main(pipe: Connection, file: int) -> None:
    """Run the process: draw the requested epochs and answer each with its number or an error message."""
    processes.end_with_parent()
    shape, plan = pipe.recv()
    shared = SharedImages.at(file, shape, plan.factor)
    os.close(file)
    behind = ThreadPoolExecutor(1, "drawing-behind", initializer=_step_back)
    behind.submit(os.getpid).result()  # Starts the thread now: later there may not be enough memory for one.
    while True:
        epoch, seed = pipe.recv()
        answer: int | str = epoch
        shared.numbers[_FRACTION] = 0.0
        steps = draw_by_batch(shared.originals, plan, seed=seed, out=shared.slots[epoch % SLOTS])
        try:
            # Each step draws a batch, here at the training's priority or in the thread of low priority.
            while step := (
                next(steps, None) if shared.numbers[_AWAITED] == epoch else behind.submit(next, steps, None).result()
            ):
                shared.numbers[_FRACTION] = step[1]
        except AquaDashError as error:
            answer = str(error)
        except MemoryError:
            answer = "There was not enough memory to draw new training images. Choose fewer copies."
        except Exception as error:
            answer = f"New training images could not be drawn: {type(error).__name__}: {error}"[:500]
        pipe.send(answer)


def _step_back() -> None:
    """Lower the priority, on Linux that of this thread only, elsewhere that of the process."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


if __name__ == "__main__":
    # The pipe breaks when the training ends.
    with contextlib.suppress(EOFError, ConnectionError):
        _main(Connection(int(sys.argv[1])), int(sys.argv[2]))
