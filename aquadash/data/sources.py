"""The data sources (those of AquaDash and data sets of people's own pictures), and the cache of loaded ones."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock

from cachetools import LRUCache

from aquadash.data import cifar100, synthetic
from aquadash.data.dataset import Dataset
from aquadash.data.folder import about, store
from aquadash.data.folder.about import PREFIX, About
from aquadash.data.progress import ProgressCallback, in_turn, silent
from aquadash.errors import DataError, UnknownNameError

#: The number of loaded data sets that a process keeps.
_KEEP = 4


@dataclass(frozen=True)
class Source:
    """An origin of images."""

    #: The name in a configuration's ``data.source``.
    name: str
    title: str
    #: A description, in a sentence.
    summary: str
    #: Whether its images are drawings by this program.
    drawn: bool
    #: The function that loads it or raises a ``DataError``; it takes ``progress``. :func:`load` caches the result.
    load: Callable[..., Dataset]
    #: Returns a text that changes with the content that ``load`` reads; None if it must be downloaded first.
    key: Callable[[], str | None] = lambda: "built in"
    #: The side of its images in pixels; None if only loading shows it.
    side: int | None = None
    #: The number of its training images; None if only loading shows it.
    train: int | None = None
    #: Whether each class has as many training images as any other.
    balanced: bool = False


#: The sources of AquaDash.
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
    """The built-in sources and then the present data sets of own pictures, by name."""

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
    """Return whether a source can be loaded without a download; False for an unknown one."""
    known = SOURCES.get(source)
    return known is not None and known.key() is not None


def title_of(source: str) -> str:
    """Return the title of a source; the name of a deleted one."""
    known = SOURCES.get(source)
    return source if known is None else known.title


def _own_source(kept: About) -> Source:
    def key() -> str | None:
        present = about.all_kept().get(kept.name)
        # The fingerprint depends neither on the names of the files nor on their origin.
        return None if present is None else f"{present.fingerprint}-{present.title}-{present.created}"

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
    """Return a data set by its name in :data:`SOURCES`; its cached arrays are shared between threads and read-only.

    Raises:
        UnknownNameError: There is no such source.
        DataError: The data is missing or damaged.
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
