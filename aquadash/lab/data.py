"""The data sets that a person may look at, use, add and delete."""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Semaphore
from weakref import WeakValueDictionary

from aquadash import data
from aquadash.data import Dataset, ProgressCallback, Source, cifar100
from aquadash.data.cifar100 import FetchResult
from aquadash.data.folder import about, importing, store
from aquadash.data.folder.about import About
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.listing import File
from aquadash.data.folder.splitting import DEFAULT_SPLIT, SplitChoice
from aquadash.data.folder.types import CheckReport, LeftOut
from aquadash.data.progress import in_turn, silent
from aquadash.errors import DataError, NotAllowedError
from aquadash.lab import Part
from aquadash.lab.rights import Action
from aquadash.people import Resource

#: At most two imports of own pictures are read at the same time in this process.
_reading = Semaphore(2)
#: Seconds that the reading of a student's pictures may take.
MAX_SECONDS = 300.0
#: The last reading of each student, by their id. It may take 4 GB of the disk.
_latest: WeakValueDictionary[str, NewDataSet] = WeakValueDictionary()


class DataSets(Part):
    """``Lab.data``: see there."""

    def sources(self) -> dict[str, Source]:
        """Return the usable data sets by their name in ``data.source``, own pictures last."""
        own = {kept.source: kept.resource for kept in about.all_kept().values()}
        return {
            name: data.SOURCES[name]
            for name in data.SOURCES
            if name not in own or self._rights.allow(Action.OPEN_PICTURES, own[name])
        }

    def require(self, source: str, *, load: bool = False) -> None:
        """Refuse a data set that the person may not use, or with ``load`` not download; a missing one passes."""
        if reason := self._refusal(source, load):
            raise NotAllowedError(reason)

    def job_refusal(self, source: str, action: Action, resource: Resource | None = None) -> str:
        """Return why the person may not start a job that reads a data set, in words; empty if they may.

        Such a job needs two rights: the action (on ``resource``), and the pictures. An imported run names any data set,
        so owning the run says nothing about its pictures.
        """
        return self._rights.refusal(action, resource) or self._refusal(source, load=True)

    def require_for_job(self, source: str, action: Action, resource: Resource | None = None) -> None:
        """Refuse a job that :meth:`job_refusal` has a reason against."""
        if reason := self.job_refusal(source, action, resource):
            raise NotAllowedError(reason)

    def load(self, source: str, *, progress: ProgressCallback | None = None) -> Dataset:
        """Load a data set with all of its images; a ``DataError`` says what is missing or damaged."""
        self.require(source, load=True)
        return data.load(source, progress=progress)

    def fetch(self, progress: ProgressCallback | None = None) -> FetchResult:
        """Find the archive of CIFAR-100, or download it; a ``DataError`` says why that fails."""
        if cifar100.locate() is None:
            self._rights.require(Action.ADD_FOR_ALL)
        return cifar100.fetch(progress)

    # -- own pictures that are kept ----------------------------------------------------------------------------------

    def own(self, source: str) -> About:
        """Describe a data set of own pictures. Its source, or the part of it after ``folder-``, names it."""
        kept = about.about(source.removeprefix(about.PREFIX))
        self._rights.require(Action.OPEN_PICTURES, kept.resource)
        return kept

    def report(self, source: str) -> tuple[CheckReport, tuple[LeftOut, ...]]:
        """Return the findings of the check and the unreadable files of a data set of own pictures."""
        return store.report_of(self.own(source).name)

    def delete(self, source: str) -> None:
        """Delete a data set of own pictures for good. Runs that were trained on it keep their results."""
        kept = about.about(source.removeprefix(about.PREFIX))
        self._rights.require(Action.DELETE_PICTURES, kept.resource)
        store.delete(kept.name)

    def _refusal(self, source: str, load: bool) -> str:
        kept = about.of_source(source)
        if kept is not None:
            return self._rights.refusal(Action.OPEN_PICTURES, kept.resource)
        needs_download = load and source in data.SOURCES and not data.is_here(source)
        return self._rights.refusal(Action.ADD_FOR_ALL) if needs_download else ""

    # -- own pictures on their way in --------------------------------------------------------------------------------

    def read(
        self,
        source: Path | bytes | Sequence[File],
        *,
        origin: str,
        size: int,
        split: SplitChoice = DEFAULT_SPLIT,
        progress: ProgressCallback = silent,
    ) -> NewDataSet:
        """Read, check and split own pictures; :meth:`keep` stores the result, or the caller discards it.

        A student has one new data set at a time: their next reading discards it.

        Args:
            source: An archive or folder of this computer; or uploads: the bytes of an archive, or files.
            size: Side that the pictures are brought to, in pixels.
            progress: Called with the step and the done fraction, 0 to 1; an exception that it raises ends the reading.

        Raises:
            DataError: The pictures cannot be read, or the size is none of those offered.
        """
        self._rights.require(Action.READ_FOLDER if isinstance(source, Path) else Action.UPLOAD)
        if not isinstance(source, Path):
            uploaded = len(source) if isinstance(source, bytes) else sum(len(file.read()) for file in source)
            self._limits.check_upload(uploaded)
        limited = self._limits.in_force
        with in_turn(_reading, "Waiting for other imports", progress):
            within = _within(MAX_SECONDS, progress) if limited else progress
            new = importing.read(source, origin=origin, size=size, split=split, progress=within)
        if limited:
            if before := _latest.pop(self._person.person_id, None):
                before.discard()
            _latest[self._person.person_id] = new
        return new

    def keep(self, new: NewDataSet, *, title: str, replace: bool = False) -> About:
        """Store the result of :meth:`read` as a data set; its name is derived from the title.

        With ``replace`` it takes the place of a data set of that title, which is deleted.

        Raises:
            DataError: A problem stands in the way, the title is taken, or the pictures are not there any more.
        """
        self._rights.require(Action.UPLOAD)
        kept = about.all_kept()
        replaced = kept.get(about.name_for(title)) if replace else None
        if replaced is not None:
            self._rights.require(Action.DELETE_PICTURES, replaced.resource)
            # Titles that differ in punctuation alone have one name.
            if about.clean_title(replaced.title).casefold() != about.clean_title(title).casefold():
                raise DataError(f"That would take the place of {replaced.title!r}. Use that name, or choose another.")
        else:
            self._limits.check_data_sets(sum(one.owner == self._person.person_id for one in kept.values()))
        return new.keep(title, replacing=replace, owner=self._person)


def _within(seconds: float, progress: ProgressCallback) -> ProgressCallback:
    """A callback that ends an operation once it has taken so many seconds."""
    end = time.monotonic() + seconds

    def checked(text: str, fraction: float | None) -> None:
        if time.monotonic() > end:
            raise NotAllowedError(
                f"Reading these pictures takes more than {seconds / 60:.0f} minutes, which keeps others of the class "
                "waiting. Send fewer or smaller pictures, or ask your teacher to import them."
            )
        progress(text, fraction)

    return checked
