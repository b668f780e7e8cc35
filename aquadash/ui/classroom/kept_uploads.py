"""How much of what a class uploads is kept on the server: of each person and of all.

Streamlit keeps whatever is sent to its address for uploads, whether a page has asked for it or not, until the page's
session ends or the file is deleted. What it keeps is asked of it; whose it is and what is on its way is noted here.
"""

from __future__ import annotations

import threading
from collections import Counter

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from aquadash.lab.limits import Limits
from aquadash.people import Person


class KeptUploads:
    """The uploads of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Ids of people by those of their pages' sessions.
        self._owners: dict[str, str] = {}
        self._coming: Counter[str] = Counter()

    def reserve(self, person: Person, size: int) -> None:
        """Make room for an upload that is about to come.

        Args:
            person: Whose.
            size: In bytes.

        Raises:
            NotAllowedError: With what is kept it is beyond a limit of the class; with what to do.
        """
        person_id = person.person_id
        with self._lock:
            kept = _kept()
            self._owners = {session: owner for session, owner in self._owners.items() if session in kept}
            own = sum(kept[session] for session, owner in self._owners.items() if owner == person_id)
            Limits(person).check_kept_uploads(
                size, own=own + self._coming[person_id], together=sum(kept.values()) + self._coming.total()
            )
            self._coming[person_id] += size

    def arrived(self, person_id: str, size: int, session: str) -> None:
        """Note that an upload for which room was made is there, or failed: from now on it is counted by what is kept.

        Args:
            person_id: Whose.
            size: As above.
            session: The id of the page's session that it was sent for.
        """
        with self._lock:
            self._coming[person_id] -= size
            self._owners[session] = person_id


def _kept() -> dict[str, int]:
    """The bytes that Streamlit keeps, by the ids of pages' sessions.

    It has a limit for a file and none for all, and no public way to ask for their sum (streamlit/streamlit#3401).
    """
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):
        return {}
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(manager.file_storage.items())
    }
