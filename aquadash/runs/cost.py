"""What a run cost: time, and the size of its network."""

from __future__ import annotations

import io
import statistics
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.errors import RunError
from aquadash.runs.types import EpochRecord

if TYPE_CHECKING:
    from aquadash.runs.store import RunStore

#: The member of a ``.keras`` file that holds the weights, and how large it may be: the file may come from anywhere.
_WEIGHTS = "model.weights.h5"
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Cost:
    """The price of a run; None is unknown.

    Attributes:
        epochs: How many it trained for.
        seconds: Training time, all epochs together, validation included.
        seconds_per_epoch: The median over the epochs, so that a first one that was busy with compiling does not count.
        parameters: How many numbers the network holds, frozen ones too.
        megabytes: The size of its file, in 10^6 bytes.
    """

    epochs: int | None = None
    seconds: float | None = None
    seconds_per_epoch: float | None = None
    parameters: int | None = None
    megabytes: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Plain values for JSON."""
        return asdict(self)


def cost_of(store: RunStore, run_id: str, history: Sequence[EpochRecord]) -> Cost:
    """Work a run's price out from its history and its stored network, without TensorFlow.

    Args:
        store: Where the run is.
        run_id: Its id.
        history: Its epochs.

    Raises:
        StorageError: The store cannot be read.
    """
    seconds = [record.seconds for record in history]
    parameters: int | None = None
    megabytes: float | None = None
    try:
        path = store.model_path(run_id)
        parameters, megabytes = parameter_count(path), path.stat().st_size / 1e6
    except (RunError, OSError):
        # A run without a network, or with a damaged one, has still cost its time.
        pass
    return Cost(
        epochs=len(history) or None,
        seconds=sum(seconds) if seconds else None,
        seconds_per_epoch=statistics.median(seconds) if seconds else None,
        parameters=parameters,
        megabytes=megabytes,
    )


def parameter_count(path: Path) -> int:
    """How many numbers the network in a ``.keras`` file holds, without the optimizer's and the random generators'.

    Raises:
        RunError: The file is damaged or no such file.
    """
    import h5py

    total = 0

    def visit(name: str, node: h5py.HLObject) -> None:
        nonlocal total
        if isinstance(node, h5py.Dataset) and not name.startswith("optimizer") and "seed_generator" not in name:
            total += int(node.size or 0)

    try:
        with zipfile.ZipFile(path) as archive:
            if (size := archive.getinfo(_WEIGHTS).file_size) > _MOST_BYTES:
                raise ValueError(f"its weights have {size:,} bytes")
            with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as file:
                file.visititems(visit)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise RunError(f"The network in {path.name} cannot be read ({error}). Repeat the run.") from error
    return total
