"""What people write on a run: its name, a note, tags, a pin, and whether it is archived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aquadash.errors import RunError
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.types import Run, clean_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from aquadash.jobs.table import Jobs

_NOTE_LIMIT = 4000
_TAG_LIMIT = 40
_TAG = re.compile(r"\w(?:[\w.-]*\w)?")


class RunLabels:
    """The part of the run store that writes what people say of runs."""

    _client: MlflowClient
    jobs: Jobs

    def _set(self, run_id: str, what: str, values: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def get(self, run_id: str) -> Run:
        raise NotImplementedError

    def rename(self, run_id: str, name: str) -> None:
        """Give the run another name, at most 120 characters; control characters are dropped."""
        cleaned = clean_name(name)
        if not cleaned:
            raise RunError("A run needs a name of at least one visible character.")
        self._set(run_id, "rename the run", {tag.NAME: cleaned})

    def set_note(self, run_id: str, text: str) -> None:
        """Keep a note with the run, at most 4,000 characters."""
        if len(text) > _NOTE_LIMIT:
            raise RunError(f"The note has {len(text)} characters; at most {_NOTE_LIMIT} fit. Please shorten it.")
        self._set(run_id, "keep the note", {tag.NOTE: text})

    def add_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Give the run tags; those that it has stay.

        Raises:
            RunError: One of them cannot be a tag.
        """
        cleaned = [clean_tag(text) for text in tags]
        self._set(run_id, "tag the run", {tag.LABEL + name: "1" for name in cleaned})

    def remove_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Take tags from the run; those that it has not are passed over."""
        wanted = {tag.LABEL + clean_tag(text) for text in tags}
        with storage_errors("remove the tag"):
            there = wanted & set(self._client.get_run(run_id).data.tags)
            for name in sorted(there):
                self._client.delete_tag(run_id, name)
        self.jobs.run_changed(run_id)

    def set_pinned(self, run_id: str, pinned: bool = True, *, for_all: bool = True) -> None:
        """Let the run stand first in tables, or no longer: in everybody's, or in its owner's alone."""
        if pinned and not for_all and self.get(run_id).pinned:
            return  # for everybody, by a teacher
        value = ("1" if for_all else tag.PINNED_BY_OWNER) if pinned else ""
        self._set(run_id, "pin the run", {tag.PINNED: value})

    def set_archived(self, run_id: str, archived: bool = True) -> None:
        """Leave the run out of tables and menus unless asked, or no longer. Nothing of it is lost."""
        self._set(run_id, "archive the run", {tag.ARCHIVED: "1" if archived else ""})

    def set_hidden(self, run_id: str, hidden: bool = True) -> None:
        """Keep the run from all students but its owner, or no longer."""
        self._set(run_id, "hide the run", {tag.HIDDEN: "1" if hidden else ""})


def clean_tag(text: str) -> str:
    """A tag as it is kept: small letters, hyphens for blanks, at most 40 characters.

    Raises:
        RunError: Other characters than letters, digits, hyphens, dots and underscores are in it, or it is too long.
    """
    cleaned = re.sub(r"\s+", "-", text.strip()).lower()
    if len(cleaned) > _TAG_LIMIT:
        raise RunError(f"The tag {text[:20]!r}... has {len(cleaned)} characters; at most {_TAG_LIMIT} fit.")
    if not _TAG.fullmatch(cleaned):
        raise RunError(
            f"{text[:_TAG_LIMIT]!r} cannot be a tag. Use letters and digits, with hyphens, dots or underscores between "
            "them: too-dark."
        )
    return cleaned
