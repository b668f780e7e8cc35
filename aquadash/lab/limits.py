"""The limits of a class. The lab checks them before it makes or accepts anything."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquadash.config import RunConfig, with_values
from aquadash.errors import NotAllowedError
from aquadash.people import Person, Role

if TYPE_CHECKING:
    from aquadash.classroom.limits import ClassLimits


@dataclass(frozen=True)
class Limits:
    """The limits of one person. Each check refuses with the limit and what to do."""

    person: Person

    @property
    def in_force(self) -> ClassLimits | None:
        """The limits that hold for the person now; None for teachers and the owner, who have none."""
        if self.person.role is not Role.STUDENT:
            return None
        # Imported here: an app without a class does not load this module.
        from aquadash.classroom.limits import in_force

        return in_force()

    @property
    def seed(self) -> int:
        """The seed of the person's runs: of a student their own, the same every day; 0 for others."""
        return zlib.crc32(self.person.person_id.encode()) % 1_000_000 if self.person.role is Role.STUDENT else 0

    @property
    def may_search(self) -> bool:
        """Whether the person may start searches."""
        limits = self.in_force
        return limits is None or limits.searches

    def fitted(self, config: RunConfig) -> RunConfig:
        """Return a preset's settings for the person: a student has their own seed, and at most the class's epochs."""
        if self.person.role is not Role.STUDENT:
            return config
        return with_values(config, {"seed": self.seed, "training.epochs": self.within_epochs(config.training.epochs)})

    def within_epochs(self, epochs: int) -> int:
        """Return the epochs, lowered to the most that a run of the person may have."""
        limits = self.in_force
        return epochs if limits is None or limits.epochs is None else min(epochs, limits.epochs)

    def check_training(self, epochs: int, *, waiting: int, more: int = 1) -> None:
        """Refuse a training of so many epochs, or ``more`` runs beside the ``waiting`` ones of the person."""
        limits = self.in_force
        if limits is None:
            return
        if limits.epochs is not None and epochs > limits.epochs:
            raise NotAllowedError(
                f"This training has {epochs} epochs; in this class a run may have {limits.epochs} at most. Choose "
                "fewer epochs, or ask your teacher for more."
            )
        if limits.waiting_runs is None or waiting + more <= limits.waiting_runs:
            return
        if not limits.waiting_runs:
            raise NotAllowedError("The teacher lets nobody start a training just now. Ask your teacher.")
        once = f", and this would add {more}" if more > 1 else ""
        raise NotAllowedError(
            f"You have {waiting} {'run' if waiting == 1 else 'runs'} waiting{once}; at most {limits.waiting_runs} may "
            "wait at the same time. Wait until one has started, or stop one that you no longer want."
        )

    def check_upload(self, size: int) -> None:
        """Refuse an upload of so many bytes."""
        limits = self.in_force
        if limits is None or limits.upload_megabytes is None or size <= limits.upload_megabytes * 1_000_000:
            return
        raise NotAllowedError(
            f"The upload has {size / 1e6:.1f} MB; in this class at most {limits.upload_megabytes} MB are taken. Send "
            "fewer or smaller pictures, or ask your teacher for more."
        )

    def check_data_sets(self, have: int) -> None:
        """Refuse to keep one more data set of own pictures than ``have``."""
        limits = self.in_force
        if limits is not None and limits.data_sets is not None and have >= limits.data_sets:
            raise NotAllowedError(
                f"You keep {have} data sets already; in this class one may keep {limits.data_sets}. Delete one first, "
                "or ask your teacher for more."
            )
