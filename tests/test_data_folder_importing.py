"""An import is refused or kept whole, can be ended at any moment, and leaves nothing behind."""

from __future__ import annotations

import io
import itertools
import os
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquadash.data.folder import about, importing, reading
from aquadash.data.folder.importing import read
from aquadash.data.folder.listing import File
from aquadash.data.folder.splitting import SplitChoice
from aquadash.errors import DataError, StorageError
from tests.own_pictures import imported, in_archive, in_folder, of_classes, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return in_folder(tmp_path / "pets", of_classes({"cat": 6, "dog": 6}))


def left(home: Path) -> list[Path]:
    return list((home / "datasets").iterdir())


def test_what_is_read_is_a_data_set_without_a_name(folder: Path, home: Path) -> None:
    said: list[float] = []
    new = read(folder, origin="pets", size=48, progress=lambda text, share: said.append(share or 0.0))
    assert said == sorted(said) and about.all_kept() == {}
    assert (new.about.train, new.about.test, new.about.size, len(new.pictures)) == (10, 2, 48, 12)
    assert [path.parent for path in left(home)] == [about.folder()] and left(home) == [new.folder]
    made = new.keep("Pets")
    assert left(home) == [about.place_of("pets")] and about.all_kept() == {"pets": made}
    assert sorted(path.name for path in left(home)[0].iterdir()) == ["about.json", "images.npy", "pictures.json"]
    new.discard()
    assert about.all_kept() == {"pets": made}, "what was kept stays"
    with pytest.raises(DataError, match="not there any more"):
        new.keep("Again")


def test_the_bytes_of_an_archive_and_single_files_are_read_like_a_folder(folder: Path, tmp_path: Path) -> None:
    files = of_classes({"cat": 6, "dog": 6})
    archive = in_archive(tmp_path / "a.zip", files).read_bytes()
    single = [File(tuple(name.split("/")), lambda name=name: files[name]) for name in files]  # type: ignore[misc]
    found = [read(source, origin="pets", size=32) for source in (folder, archive, single)]
    assert len({new.about.fingerprint for new in found}) == 1
    assert all(sorted(path.name for path in new.folder.iterdir()) == ["images.npy", "pictures.json"] for new in found)


def test_a_split_that_the_files_come_in_can_be_drawn_anew(tmp_path: Path) -> None:
    files = of_classes({"cat": 10, "dog": 10}, prefix="train/") | of_classes({"cat": 4, "dog": 4}, prefix="test/")
    path = in_folder(tmp_path / "a", files)
    given, drawn = imported(path), imported(path, split=SplitChoice(use_given=False))
    assert given.about.split_given and given.report.given == ((10, 4), (10, 4)) and given.about.test == 8
    assert not drawn.about.split_given and drawn.report.given is None
    assert drawn.division.copies == 4, "cats that lie in both splits are copies now"


@pytest.mark.parametrize("word", ["Opening", "Reading", "Comparing", "Dividing"])
def test_a_reading_ends_with_its_progress(word: str, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_REPORT_EVERY", 0.0)

    class TabClosed(BaseException):
        pass

    def report(text: str, share: float | None) -> None:
        if text.startswith(word):
            raise TabClosed

    with pytest.raises(TabClosed):
        read(folder, origin="pets", size=32, progress=report)
    assert left(home) == []


def test_a_full_disk_is_named_and_nothing_left(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "_write", full)
    with pytest.raises(StorageError, match="No space left"):
        imported(folder)
    assert left(home) == []


def test_too_much_for_the_disk_is_refused_before_reading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_STORED", 12 * 64 * 64 * 3 - 1)
    with pytest.raises(DataError, match="Choose a smaller size"):
        imported(folder, size=64)
    imported(folder)


def test_a_size_that_is_not_offered_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="expected one of 32, 48"):
        imported(folder, size=33)


def test_a_problem_stands_in_the_way_and_is_reported(tmp_path: Path) -> None:
    new = imported(in_folder(tmp_path / "one", of_classes({"cat": 9})))
    with pytest.raises(DataError, match="only one class"):
        new.keep("One")
    assert about.all_kept() == {} and list(new.folder.iterdir()) == []


def small_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        for number, (method, kind) in enumerate(itertools.product(methods, ("PNG", "JPEG"))):
            name = f"{'cat' if number < 4 else 'dog'}/{number}.{kind.lower()}"
            archive.writestr(name, picture(number, size=(8, 8), kind=kind), method)
    return file.getvalue()


_SMALL = small_archive()
#: Where the headers are: most of a file's bytes are no fields.
_FIELDS = sorted(
    {
        start + byte
        for mark, length in ((b"PK\3\4", 40), (b"PK\1\2", 56), (b"PK\5\6", 22))
        for start in (found.start() for found in re.finditer(re.escape(mark), _SMALL))
        for byte in range(length)
    }
)
_VALUES = st.one_of(
    st.sampled_from([b"\0", b"\xff", b"\xff\xff", b"\xff" * 4, b"\1", b"\x09", b"\x08\0", b"/", b"..", b"PK\5\6"]),
    st.binary(min_size=1, max_size=8),
)
_DAMAGE = st.lists(
    st.tuples(st.one_of(st.sampled_from(_FIELDS), st.integers(0, len(_SMALL) - 1)), _VALUES), min_size=1, max_size=4
)


@settings(
    max_examples=int(os.environ.get("AQUADASH_FUZZ", "60")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damage=_DAMAGE, end=st.one_of(st.none(), st.integers(0, len(_SMALL))))
def test_a_damaged_archive_leaves_nothing(home: Path, damage: list[tuple[int, bytes]], end: int | None) -> None:
    content = bytearray(_SMALL)
    for at, value in damage:
        content[at : at + len(value)] = value
    try:
        new = read(bytes(content[:end]), origin="a.zip", size=32)
    except DataError as error:
        said = [str(error)]
    else:
        said = [one.reason for one in new.refused]
        new.discard()
    assert all(len(text) > 30 and not re.search(r"Error\b|Errno|codec|CRC|Bad ", text) for text in said)
    assert left(home) == []
