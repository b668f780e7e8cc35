"""Who has made anything that is kept: runs, searches, data sets and pipelines."""

from __future__ import annotations

from aquadash.augment import owners, saved_pipelines
from aquadash.data.folder.about import all_kept
from aquadash.data.folder.store import all_deleted
from aquadash.runs import open_store
from aquadash.search.store import any_stored, open_search_store


def makers() -> set[str]:
    """The ids of those people; what can be brought back from a bin counts, too.

    Asked in the name of the teacher or of the machine's owner, who see everything.

    Raises:
        StorageError: A store cannot be read.
    """
    store = open_store()
    found = {run.owner for deleted in (False, True) for run in store.list_runs(deleted=deleted)}
    if any_stored():
        found |= {head.thing.owner for head in open_search_store().heads()}
    found |= {kept.owner for kept in all_kept().values()} | {thing.owner for _, thing in all_deleted()}
    return found | {owners.thing_of(path, "").owner for path in saved_pipelines.folder().rglob("*.json")}
