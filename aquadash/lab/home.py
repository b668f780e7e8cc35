"""The home: whether it has runs of an earlier version, and how they are brought over."""

from pathlib import Path

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from aquadash.lab.part import Part
from aquadash.lab.rights import Action
from aquadash.store import open_store
from aquadash.store.upgrade import Upgrade, upgrade


class Home(Part):
    """``Lab.home``: see there."""

    def may_upgrade(self) -> bool:
        """Return whether the home has runs of an earlier version that the person may bring over."""
        return self._person.leads and settings.has_old_runs()

    def upgrade(self, source: Path | None = None, *, progress: ProgressCallback = silent) -> Upgrade:
        """Bring over the runs, searches and waiting jobs of version 0.6.0 or 0.7. The old files stay as they are.

        Args:
            source: The folder that was AQUADASH_HOME then; None for the present one.
            progress: Called with the step and the done fraction, 0 to 1.
        """
        self._rights.require(Action.ADD_FOR_ALL)
        with self._changing():
            return upgrade(open_store(), source, progress=progress)
