"""The same done with many runs, one after the other, so that one that cannot be changed does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aquadash.errors import NotAllowedError, RunError, UnknownNameError


@dataclass(frozen=True)
class BulkResult:
    """What became of it.

    Attributes:
        done: The ids with which it worked, in their order.
        failed: Why not, by id, for the others.
    """

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def for_each(
    run_ids: Sequence[str],
    action: Callable[[str], object],
    *,
    progress: Callable[[float], object] | None = None,
) -> BulkResult:
    """Do something with each run.

    Args:
        run_ids: Which; each once.
        action: Is called with the id.
        progress: Told how much is done, 0 to 1.

    Raises:
        StorageError: The store itself failed, so that the others would fail as well.
    """
    result = BulkResult()
    wanted = list(dict.fromkeys(run_ids))
    for number, run_id in enumerate(wanted, start=1):
        try:
            action(run_id)
            result.done.append(run_id)
        except (NotAllowedError, RunError, UnknownNameError) as error:
            result.failed[run_id] = str(error)
        if progress is not None:
            progress(number / len(wanted))
    return result
