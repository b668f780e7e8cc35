"""The table of data sources and the one way to load from it.

Beside the sources that come with AquaDash it holds the data sets that people have made of their own pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Protocol

from cachetools import LRUCache

from aquadash.data import cifar100, synthetic
from aquadash.data.dataset import Dataset
from aquadash.data.folder import about, store
from aquadash.data.folder.about import PREFIX, About
from aquadash.data.progress import ProgressCallback, in_turn, silent
from aquadash.errors import DataError, UnknownNameError

#: How many loaded data sets a process keeps.
_KEEP = 4


class Loader(Protocol):
    """Makes a data set; DataError where that cannot be done."""

    def __call__(self, *, progress: ProgressCallback | None = None) -> Dataset: ...


def _always_the_same() -> str | None:
    return "built in"


@dataclass(frozen=True)
class Source:
    """Where images can come from."""

    #: As in a configuration's ``data.source``.
    name: str
    title: str
    #: A description, in a sentence.
    summary: str
    #: True if its images are drawings by this program rather than photographs.
    drawn: bool
    #: Loads it afresh; :func:`load` keeps the result.
    load: Loader
    #: A text that changes when what ``load`` would read does, None while there is nothing to read yet.
    key: Callable[[], str | None] = _always_the_same
    #: Side in pixels and number of its training images; None where only loading shows them.
    side: int | None = None
    train: int | None = None
    #: Whether each class has as many training images as any other.
    balanced: bool = False


#: The sources that are always there.
BUILT_IN: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="synthetic",
            title="Synthetic drawings",
            summary="Five sea and river animals drawn by AquaDash itself, 2,500 training images and 500 test images; "
            "nothing to download.",
            drawn=True,
            load=synthetic.load,
            side=32,
            train=2500,
            balanced=True,
        ),
        Source(
            name="cifar100",
            title="CIFAR-100 aquatic mammals",
            summary="Real photographs of the same five animals, 2,500 training images and 500 test images; 169 MB are "
            "downloaded once.",
            drawn=False,
            load=cifar100.load,
            key=cifar100.cache_key,
            side=32,
            train=2500,
            balanced=True,
        ),
    )
}


class _Sources(Mapping[str, Source]):
    """The sources of this moment by name: the built-in ones, and then the kept data sets of own pictures."""

    def __getitem__(self, name: str) -> Source:
        if name in BUILT_IN:
            return BUILT_IN[name]
        kept = about.of_source(name)
        if kept is None:
            raise KeyError(name)
        return _own_source(kept)

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from (kept.source for kept in about.all_kept().values())

    def __len__(self) -> int:
        return len(BUILT_IN) + len(about.all_kept())


SOURCES: Mapping[str, Source] = _Sources()


def is_here(source: str) -> bool:
    """Whether a source's images can be loaded without a download; False for one that is not known, too."""
    known = SOURCES.get(source)
    return known is not None and known.key() is not None


def title_of(source: str) -> str:
    """The title of a source; the name of one that has been deleted."""
    known = SOURCES.get(source)
    return source if known is None else known.title


def _own_source(kept: About) -> Source:
    def key() -> str | None:
        found = about.all_kept().get(kept.name)
        # The fingerprint covers neither the files' names nor what they came from.
        return None if found is None else f"{found.fingerprint}-{found.title}-{found.created}"

    return Source(
        name=kept.source,
        title=kept.title,
        summary=f"Own pictures: {len(kept.class_names)} classes, {kept.train:,} training images and "
        f"{kept.test:,} test images, {kept.size} x {kept.size} pixels.",
        drawn=False,
        load=partial(store.load, kept.name),
        key=key,
        side=kept.size,
        train=kept.train,
    )


_loaded: LRUCache[tuple[str, str], Dataset] = LRUCache(_KEEP)
_loaded_lock = Lock()
_source_locks: dict[str, Lock] = {}


def load(source: str, *, progress: ProgressCallback | None = None) -> Dataset:
    """Load a data set, or return the one this process has loaded already. Safe to call from many threads.

    The result is shared: its arrays are read-only.

    Args:
        source: A name in :data:`SOURCES`.
        progress: Called with what happens while it is loaded.

    Raises:
        UnknownNameError: There is no such source.
        DataError: The data is missing, damaged or not what it claims to be.
    """
    try:
        entry = SOURCES[source]
    except KeyError:
        if source.startswith(PREFIX):
            raise DataError(
                f"The data set {source[:80]!r} of own pictures is not on this computer. Import its "
                "pictures again under the same name."
            ) from None
        raise UnknownNameError.of("data source", source, SOURCES) from None
    with _loaded_lock:
        source_lock = _source_locks.setdefault(source, Lock())
    # One thread loads while the others wait for its result.
    with in_turn(source_lock, f"Waiting while {entry.title} is loaded", progress or silent):
        key = entry.key()
        with _loaded_lock:
            kept = None if key is None else _loaded.get((source, key))
        if kept is not None:
            return kept
        dataset = entry.load(progress=progress)
        for split in (dataset.train, dataset.test):
            split.images.flags.writeable = False
            split.labels.flags.writeable = False
        # A download that loading made has changed the key.
        key = key if key is not None else entry.key()
        if key is not None:
            with _loaded_lock:
                _loaded[source, key] = dataset
        return dataset
