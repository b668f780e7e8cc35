"""The data sets, as somebody may look at, use, add and delete them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aquadash import data
from aquadash.data import Dataset, ProgressCallback, Source, cifar100
from aquadash.data.cifar100 import FetchResult
from aquadash.data.folder import about, drafts, store
from aquadash.data.folder.about import About
from aquadash.data.folder.drafts import Draft, Request, SplitChoice
from aquadash.data.folder.types import CheckReport, LeftOut
from aquadash.errors import DataError, NotAllowedError
from aquadash.lab.part import Part
from aquadash.lab.rights import Action
from aquadash.people import Resource

#: Imports of own pictures that a student may have under way, each of which may take 4 GB of the disk.
_DRAFTS = 2


class DataSets(Part):
    """``Lab.data``: see there.

    Own pictures come in as a draft: it is begun, read by a job, looked at, and made a data set or discarded. It is
    whose it was begun by.
    """

    def sources(self) -> dict[str, Source]:
        """The data sets that the person may use by the name in ``data.source``: those that come along, then the kept
        ones of own pictures."""
        own = {kept.source: kept.resource for kept in about.all_kept().values()}
        return {
            name: data.SOURCES[name]
            for name in data.SOURCES
            if name not in own or self._rights.allow(Action.OPEN_PICTURES, own[name])
        }

    def require(self, source: str, *, load: bool = False) -> None:
        """Refuse a data set that the person may not use; one that is not there passes.

        Args:
            source: As in ``data.source``.
            load: It is to be loaded, so that it would be fetched first where it is not here.

        Raises:
            NotAllowedError: It is another student's, or would be fetched and the person may not have that done.
        """
        if reason := self._refusal(source, load):
            raise NotAllowedError(reason)

    def job_refusal(self, source: str, action: Action, resource: Resource | None = None) -> str:
        """Return why the person may not start a job that reads a data set, in words; empty if they may.

        Such a job needs two rights: the action on what it works on, and the pictures. An imported run names any data
        set, so owning the run says nothing about its pictures.

        Args:
            source: As in ``data.source``.
            action: What the job does.
            resource: What it does it with; None for actions that are done with nothing.
        """
        return self._rights.refusal(action, resource) or self._refusal(source, load=True)

    def require_for_job(self, source: str, action: Action, resource: Resource | None = None) -> None:
        """Refuse what :meth:`job_refusal` has a reason for; arguments as there.

        Raises:
            NotAllowedError: With that reason.
        """
        if reason := self.job_refusal(source, action, resource):
            raise NotAllowedError(reason)

    def load(self, source: str, *, progress: ProgressCallback | None = None) -> Dataset:
        """A data set, with all of its images; see :func:`aquadash.data.load`.

        Raises:
            UnknownNameError: There is no such source.
            NotAllowedError: As :meth:`require`.
            DataError: The data is missing, damaged or not what it claims to be.
        """
        self.require(source, load=True)
        return data.load(source, progress=progress)

    def fetch(self, progress: ProgressCallback | None = None) -> FetchResult:
        """Find the archive of CIFAR-100, or download it.

        Raises:
            NotAllowedError: It is not here, and a student asks.
            DataError: It is neither here nor can it be downloaded.
        """
        if cifar100.locate() is None:
            self._rights.require(Action.ADD_FOR_ALL)
        return cifar100.fetch(progress)

    # -- own pictures that are kept ----------------------------------------------------------------------------------

    def own(self, source: str) -> About:
        """What is known of a data set of own pictures, by its source or the rest of that after ``folder-``.

        Raises:
            UnknownNameError: There is none of that name.
            NotAllowedError: It is another student's.
        """
        kept = about.about(source.removeprefix(about.PREFIX))
        self._rights.require(Action.OPEN_PICTURES, kept.resource)
        return kept

    def report(self, source: str) -> tuple[CheckReport, tuple[LeftOut, ...]]:
        """What the check found when a data set was made, and the files that could not be read; errors as :meth:`own`.

        Raises:
            DataError: The data set is damaged.
        """
        return store.report_of(self.own(source).name)

    def delete(self, source: str) -> str:
        """Delete a data set of own pictures. Runs that were trained on it keep their results.

        Returns:
            What :meth:`restore` takes to bring it back; the last few deleted ones are kept for that.

        Raises:
            UnknownNameError: There is none of that name.
            NotAllowedError: It is not the person's own.
            StorageError: It cannot be moved.
        """
        kept = about.about(source.removeprefix(about.PREFIX))
        self._rights.require(Action.DELETE_PICTURES, kept.resource)
        return store.delete(kept.name)

    def deleted(self) -> list[str]:
        """What :meth:`restore` takes and the person may bring back, the last deleted first."""
        return [key for key, resource in store.deleted() if self._rights.allow(Action.DELETE_PICTURES, resource)]

    def restore(self, key: str) -> About:
        """Bring back what :meth:`delete` has put away; a data set that has its name now is put away for it.

        Raises:
            DataError: It is not there any more, or something damaged has its name now.
            NotAllowedError: It was not the person's own, or what has its name now is not.
            StorageError: It cannot be moved.
        """
        resource, there = dict(store.deleted()).get(key), about.all_kept().get(key.rpartition(".")[0])
        if resource is not None:
            self._rights.require(Action.DELETE_PICTURES, resource)
            if there is not None:
                self._rights.require(Action.DELETE_PICTURES, there.resource)
            else:
                self._check_number()
        return store.restore(key, replace=there is not None)

    def _refusal(self, source: str, load: bool) -> str:
        kept = about.of_source(source)
        if kept is not None:
            return self._rights.refusal(Action.OPEN_PICTURES, kept.resource)
        fetched = load and source in data.SOURCES and not data.is_here(source)
        return self._rights.refusal(Action.ADD_FOR_ALL) if fetched else ""

    def _check_number(self) -> None:
        own = sum(kept.owner == self._person.person_id for kept in about.all_kept().values())
        self._limits.check_number("data_sets", own)

    # -- own pictures on their way in --------------------------------------------------------------------------------

    def begin(self, request: Request, *, write: Callable[[Path], object] | None = None) -> str:
        """Make a draft of own pictures, for :meth:`read` to have read. Of a student's drafts the latest two stay.

        Args:
            request: What to read; ``path`` does not count where ``write`` is given, and ``owner`` not at all.
            write: Writes the uploaded archive to the path that it is given.

        Returns:
            The draft's id, which nobody can guess.

        Raises:
            DataError: The size is none of those offered.
            NotAllowedError: Students upload, and no more than the class's limit.
            StorageError: It cannot be written.
        """
        self._rights.require(Action.UPLOAD if write is not None else Action.READ_FOLDER)
        request = replace(request, owner=self._person.person_id)
        if write is None:
            return drafts.begin(request)
        draft_id = drafts.begin(request, write=self._limits.within_upload(write))
        if self._limits.in_force:
            drafts.discard_earlier(draft_id, most=_DRAFTS - 1)
        return draft_id

    def begin_again(self, draft_id: str, *, size: int | None = None) -> str:
        """A new draft of the same pictures; the old one goes.

        Args:
            draft_id: The old one.
            size: Side of its pictures in pixels; None for the same.

        Raises:
            DataError: There is no such draft, or no such size.
            NotAllowedError: Somebody else has begun it.
        """
        self._require_draft(draft_id)
        return drafts.again(draft_id, size=size or drafts.request_of(draft_id).size)

    def read(self, draft_id: str) -> None:
        """Have a draft read by a job.

        Raises:
            DataError: There is no such draft.
            NotAllowedError: Somebody else has begun it.
            RunError: No process can be started.
        """
        self._require_draft(draft_id)
        drafts.start(draft_id)

    def is_read(self, draft_id: str) -> bool:
        """Whether the pictures of a draft have been read to their end; errors as for :meth:`begin_again`."""
        self._require_draft(draft_id)
        return drafts.is_read(draft_id)

    def draft(self, draft_id: str) -> Draft:
        """The pictures of a draft that was read.

        Raises:
            DataError: There is no such draft, or it was not read to its end.
            NotAllowedError: Somebody else has begun it.
        """
        self._require_draft(draft_id)
        return drafts.opened(draft_id)

    def keep(self, draft: Draft, choice: SplitChoice, *, title: str, replace: bool = False) -> About:
        """Make a data set of a draft; the draft stays until it is discarded.

        Args:
            draft: What :meth:`draft` returned.
            choice: How its pictures are divided.
            title: What people call it; its name follows from it.
            replace: Take the place of a data set of that title, which can be brought back like a deleted one.

        Raises:
            DataError: A problem stands in the way, a class would have too few pictures, or the title is taken.
            NotAllowedError: The person may keep no more, or not replace that one.
            StorageError: It cannot be written.
        """
        self._rights.require(Action.UPLOAD)
        kept = about.all_kept()
        there = kept.get(about.name_for(title)) if replace else None
        if there is not None:
            self._rights.require(Action.DELETE_PICTURES, there.resource)
            # Titles that differ in punctuation alone have one name.
            if about.clean_title(there.title).casefold() != about.clean_title(title).casefold():
                raise DataError(f"That would take the place of {there.title!r}. Use that name, or choose another.")
        else:
            self._check_number()
        return drafts.use(draft, choice, title=title, overwrite=replace, owner=self._person)

    def discard(self, draft_id: str) -> None:
        """Throw a draft away, whatever it is doing; no error where there is none.

        Raises:
            NotAllowedError: Somebody else has begun it.
        """
        with contextlib.suppress(DataError):
            self._require_draft(draft_id)
        drafts.discard(draft_id)

    def _require_draft(self, draft_id: str) -> None:
        """Refuse a draft that somebody else has begun.

        Raises:
            DataError: There is no such draft.
            NotAllowedError: Somebody else has begun it, or nobody knows any more who.
        """
        owner, person = drafts.owner_of(draft_id), self._person
        if not person.leads and not (person.person_id and owner == person.person_id):
            raise NotAllowedError("This import was begun by somebody else. Add your own pictures.")
