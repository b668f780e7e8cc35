"""Tests of imports, which are kept whole or leave nothing, and of the checks of their pictures."""

import io
import itertools
import re
import resource
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aquadash.data.folder import about, importing
from aquadash.data.folder.importing import NewDataSet, read
from aquadash.data.folder.listing import File
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import Finding
from aquadash.errors import DataError, StorageError
from tests.support.encoded_pictures import saved
from tests.support.fuzzing import tries
from tests.support.own_pictures import imported, in_archive, in_folder, of_classes, picture


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
    data_sets = [read(source, origin="pets", size=32) for source in (folder, archive, single)]
    assert len({new.about.fingerprint for new in data_sets}) == 1
    assert all(
        sorted(path.name for path in new.folder.iterdir()) == ["images.npy", "pictures.json"] for new in data_sets
    )


@pytest.mark.parametrize("word", ["Opening", "Reading", "Comparing", "Dividing"])
def test_a_reading_ends_with_its_progress(word: str, folder: Path, home: Path) -> None:
    class TabClosed(BaseException):
        pass

    def report(text: str, share: float | None) -> None:
        if text.startswith(word):
            raise TabClosed

    with pytest.raises(TabClosed):
        read(folder, origin="pets", size=32, progress=report)
    assert left(home) == []


def test_a_failed_write_is_named_and_nothing_left(folder: Path, home: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StorageError, match="File too large"):
            imported(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left(home) == []


def test_too_much_for_the_disk_and_other_sizes_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="expected one of 32, 48"):
        imported(folder, size=33)
    monkeypatch.setattr(importing, "MAX_STORED", 12 * 64 * 64 * 3 - 1)
    with pytest.raises(DataError, match="Choose a smaller size"):
        imported(folder, size=64)
    imported(folder)


def small_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        for number, (method, kind) in enumerate(itertools.product(methods, ("PNG", "JPEG"))):
            name = f"{'cat' if number < 4 else 'dog'}/{number}.{kind.lower()}"
            archive.writestr(name, picture(number, size=(8, 8), kind=kind), method)
    return file.getvalue()


_SMALL = small_archive()
#: The positions of the headers, since most bytes of a file are no fields.
_FIELDS = [
    match.start() + byte
    for mark, length in ((b"PK\3\4", 40), (b"PK\1\2", 56), (b"PK\5\6", 22))
    for match in re.finditer(re.escape(mark), _SMALL)
    for byte in range(length)
]
_VALUES = st.one_of(
    st.sampled_from([b"\xff" * 4, b"\x09", b"\x08\0", b"..", b"PK\5\6"]), st.binary(min_size=1, max_size=8)
)
_PLACES = st.one_of(st.sampled_from(_FIELDS), st.integers(0, len(_SMALL) - 1))
_DAMAGE = st.lists(st.tuples(_PLACES, _VALUES), min_size=1, max_size=4)


@tries(60)
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


def findings_of(new: NewDataSet) -> dict[str, Finding]:
    return {finding.kind: finding for finding in new.report.findings}


def names_of(new: NewDataSet, finding: Finding) -> list[str]:
    return [new.pictures[row].name for row in finding.rows]


def jpeg_of(content: bytes, *, mirrored: bool = False) -> bytes:
    image = Image.open(io.BytesIO(content))
    return saved(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image, "JPEG", quality=90)


def test_good_pictures_are_found_good(tmp_path: Path) -> None:
    new = imported(in_folder(tmp_path / "a", of_classes({"cat": 50, "dog": 55})))
    assert new.report.findings == () and new.report.usable
    assert new.report.counts == (50, 55) and new.report.given is None


@pytest.mark.parametrize(
    ("counts", "kind", "word"),
    [
        ({"cat": 9}, "classes", "only one class"),
        ({f"c{n}": 1 for n in range(101)}, "classes", "101 classes"),
        ({"cat": 20, "dog": 2}, "too few", "fewer than 3 pictures that differ"),
    ],
)
def test_an_unlearnable_set_is_a_problem(tmp_path: Path, counts: dict[str, int], kind: str, word: str) -> None:
    new = imported(in_folder(tmp_path / "a", of_classes(counts)))
    assert not new.report.usable
    assert new.report.findings[0].severity == "problem"
    assert word in findings_of(new)[kind].title and findings_of(new)[kind].advice
    with pytest.raises(DataError, match=word):
        new.keep("One")
    assert about.all_kept() == {} and list(new.folder.iterdir()) == []


def test_few_pictures_and_imbalance_are_told_by_class(tmp_path: Path) -> None:
    new = imported(in_folder(tmp_path / "a", of_classes({"cat": 60, "dog": 12, "eel": 5})))
    few = [finding for finding in new.report.findings if finding.kind == "few"]
    assert [(finding.severity, finding.names) for finding in few] == [("warning", ("eel: 5",)), ("note", ("dog: 12",))]
    imbalance = findings_of(new)["imbalance"]
    assert (imbalance.severity, imbalance.names) == ("warning", ("cat: 60", "eel: 5"))
    assert "12.0 times" in imbalance.title


def test_copies_are_found_in_and_across_classes_and_mirrored(tmp_path: Path) -> None:
    files = of_classes({"cat": 30, "dog": 30})
    files |= {"cat/same.png": picture(3), "dog/other.png": picture(4), "dog/edit.jpg": jpeg_of(picture(40))}
    files |= {"dog/turned.jpg": jpeg_of(picture(41), mirrored=True)}
    new = imported(in_folder(tmp_path / "a", files))
    assert names_of(new, findings_of(new)["duplicates"]) == ["cat/3.png", "cat/same.png"]
    across = findings_of(new)["duplicates across classes"]
    assert across.severity == "warning" and names_of(new, across) == ["cat/4.png", "dog/other.png"]
    near = findings_of(new)["near duplicates"]
    assert near.count == 2
    assert set(names_of(new, near)) == {"dog/10.png", "dog/edit.jpg", "dog/11.png", "dog/turned.jpg"}


def test_copies_and_gaps_of_a_given_split(tmp_path: Path) -> None:
    files = of_classes({"cat": 20, "dog": 20}, prefix="train/") | of_classes({"cat": 5}, prefix="test/", first_seed=90)
    files["test/cat/leak.jpg"] = jpeg_of(picture(7))
    new = imported(in_folder(tmp_path / "a", files))
    assert new.report.given == ((20, 6), (20, 0))
    leak = findings_of(new)["duplicates across splits"]
    assert leak.severity == "warning" and sorted(names_of(new, leak)) == ["cat/7.png", "cat/leak.jpg"]
    lacking = findings_of(new)["too few"]
    assert lacking.names == ("dog",) and "for the test" in lacking.title
    assert lacking.severity == "problem" and "drawn at random" in lacking.advice
    drawn = imported(tmp_path / "a", split=SplitChoice(use_given=False))
    assert drawn.report.usable and drawn.report.given is None and not drawn.about.split_given


def test_looks_that_mislead_are_found(tmp_path: Path) -> None:
    files = of_classes({"cat": 20, "dog": 20})
    files |= {f"dog/grey{n}.png": picture(100 + n, grey=True) for n in range(15)}
    files |= {"cat/tiny.png": picture(200, size=(20, 24)), "cat/long.png": picture(201, size=(300, 60))}
    files["cat/blank.png"] = saved(Image.new("RGB", (50, 50), (77, 77, 77)), "PNG")
    new = imported(in_folder(tmp_path / "a", files))
    kinds = findings_of(new)
    assert kinds["grey"].severity == "warning" and kinds["grey"].count == 15
    assert {name.split("/")[0] for name in names_of(new, kinds["grey"])} == {"dog"}
    assert names_of(new, kinds["tiny"]) == ["cat/tiny.png"] and kinds["tiny"].severity == "note"
    assert names_of(new, kinds["long"]) == ["cat/long.png"]
    assert names_of(new, kinds["blank"]) == ["cat/blank.png"] and kinds["blank"].severity == "warning"
