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
from aquadash.work.child import ChildProcess, open_pipe

#: How many epochs' images there is room for: while one is trained, the next is drawn.
SLOTS = 2

#: How often whoever waits for images hears of it, in seconds; a stop request is noticed then.
_WAIT_SECONDS = 0.25

#: The images are small and the processors are for training.
_ONE_THREAD = {name: "1" for name in ("OPENCV_FOR_THREADS_NUM", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}

#: While the training computes, drawing takes only what it leaves: at 5, epochs of the report's network were up to a
#: fifth longer on two cores. Where other programs take both cores nothing is left, so drawing goes on at the training's
#: priority once that waits: epochs then took 1.13 times as long as with fixed copies, and 4.3 times without it.
_NICENESS = 19

#: The numbers that both processes share: the fraction drawn of an epoch, and the epoch that the training waits for, or
#: waited for last.
_FRACTION, _AWAITED = range(2)

#: How long a process that has ended may take to say how.
_END_SECONDS = 5.0


@dataclass(frozen=True)
class SharedImages:
    """Views of the memory that both processes see."""

    #: float64, shape (2,), at ``_FRACTION`` and ``_AWAITED``.
    numbers: NDArray[np.float64]
    #: uint8, shape (n, height, width, 3).
    originals: NDArray[np.uint8]
    #: uint8, shape (SLOTS, factor * n, height, width, 3): the drawn images of an epoch each.
    slots: NDArray[np.uint8]

    @staticmethod
    def size(shape: tuple[int, ...], factor: int) -> int:
        """Bytes for originals of that shape."""
        return 16 + int(np.prod(shape)) * (1 + SLOTS * factor)

    @classmethod
    def at(cls, file: int, shape: tuple[int, ...], factor: int) -> SharedImages:
        """The views of an open file's memory, for originals of that shape."""
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
            self._child = ChildProcess("aquadash.training.drawing", str(file), keep=(file,), variables=_ONE_THREAD)
        finally:
            os.close(file)
        self._child.send((images.shape, plan))

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.pid

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

    def close(self) -> None:
        """End the process, which has nothing to lose."""
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
                raise AquaDashError(self._how_it_ended()) from None
            if isinstance(answer, str):
                raise AquaDashError(answer)
            self._drawn = answer

    def _how_it_ended(self) -> str:
        status = self._child.exit_status(_END_SECONDS) or 0
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


def _main(pipe: Connection, file: int) -> None:
    """Be the process: draw the epochs that are asked for, each answered with its number, or why it cannot be drawn."""
    shape, plan = pipe.recv()
    shared = SharedImages.at(file, shape, plan.factor)
    os.close(file)
    behind = ThreadPoolExecutor(1, "drawing-behind", initializer=_step_back)
    behind.submit(os.getpid).result()  # Its thread exists from its first task on; later, memory may not do for one.
    while True:
        epoch, seed = pipe.recv()
        answer: int | str = epoch
        shared.numbers[_FRACTION] = 0.0
        steps = draw_by_batch(shared.originals, plan, seed=seed, out=shared.slots[epoch % SLOTS])
        try:
            # A batch a step: this thread has the training's priority.
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
    """Leave the processor to others; Linux counts the priority of each thread, other systems that of the process."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


if __name__ == "__main__":
    # The training ends while it is spoken to.
    with contextlib.suppress(EOFError, ConnectionError):
        _main(open_pipe(sys.argv[1]), int(sys.argv[2]))
