"""Tests of data sets of own pictures: read, checked, divided, kept, replaced, deleted and restored as a whole."""

import io
import json
import os
import re
import resource
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data import stratified_split
from aquadash.data.duplicates import Copy
from aquadash.data.folder import about, importing, splitting, store
from aquadash.data.folder.about import About
from aquadash.data.folder.importing import NewDataSet, read
from aquadash.data.folder.listing import File
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import Finding, Kept, Picture
from aquadash.data.framing import fit
from aquadash.data.images import decode
from aquadash.errors import DataError, StorageError, UnknownNameError
from aquadash.work.queue import check_names
from tests.support.encoded_pictures import saved
from tests.support.faults import tries
from tests.support.own_pictures import imported, in_archive, in_folder, of_classes, picture

FILES = of_classes({"cat": 10, "dog": 15, "eel": 12})


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return in_folder(tmp_path / "pets", FILES)


def left(home: Path) -> list[Path]:
    return list((home / "datasets").iterdir())


def test_what_is_read_is_a_data_set_without_a_name(pictures: Path, home: Path) -> None:
    said: list[float] = []
    new = read(pictures, origin="pets", size=48, progress=lambda text, share: said.append(share or 0.0))
    assert said == sorted(said) and about.all_kept() == {}
    assert (new.about.train, new.about.test, new.about.size, len(new.pictures)) == (30, 7, 48, 37)
    assert [path.parent for path in left(home)] == [about.folder()] and left(home) == [new.folder]
    made = new.keep("Pets")
    assert left(home) == [about.place_of("pets")] and about.all_kept() == {"pets": made}
    assert sorted(path.name for path in left(home)[0].iterdir()) == ["about.json", "images.npy", "pictures.json"]
    new.discard()
    assert about.all_kept() == {"pets": made}, "what was kept stays"
    with pytest.raises(DataError, match="not there any more"):
        new.keep("Again")


def test_the_bytes_of_an_archive_and_single_files_are_read_like_a_folder(pictures: Path, tmp_path: Path) -> None:
    archive = in_archive(tmp_path / "a.zip", FILES).read_bytes()
    single = [File(tuple(name.split("/")), lambda name=name: FILES[name]) for name in FILES]  # type: ignore[misc]
    data_sets = [read(source, origin="pets", size=32) for source in (pictures, archive, single)]
    assert len({new.about.fingerprint for new in data_sets}) == 1
    assert all(
        sorted(path.name for path in new.folder.iterdir()) == ["images.npy", "pictures.json"] for new in data_sets
    )


@pytest.mark.parametrize("word", ["Opening", "Reading", "Comparing", "Dividing"])
def test_a_reading_ends_with_its_progress(word: str, pictures: Path, home: Path) -> None:
    def report(text: str, share: float | None) -> None:
        if text.startswith(word):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(pictures, origin="pets", size=32, progress=report)
    assert left(home) == []


def test_a_failed_write_is_named_and_nothing_left(pictures: Path, home: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StorageError, match="File too large"):
            imported(pictures)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left(home) == []


def test_too_much_for_the_disk_and_other_sizes_and_shares_are_refused(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fraction in (0.04, 0.6, float("nan")):
        with pytest.raises(DataError, match="fraction of test pictures"):
            SplitChoice(fraction)
    with pytest.raises(DataError, match="expected one of 32, 48"):
        imported(pictures, size=33)
    monkeypatch.setattr(importing, "MAX_STORED", 37 * 64 * 64 * 3 - 1)
    with pytest.raises(DataError, match="Choose a smaller size"):
        imported(pictures, size=64)
    imported(pictures)


def small_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            # Pictures of one pixel, so that most bytes are fields of the archive.
            archive.writestr(f"{'cat' if number < 4 else 'dog'}/{number}.png", picture(number, size=(1, 1)))
    return file.getvalue()


_SMALL = small_archive()
_VALUES = st.sampled_from([b"\xff" * 4, b"\x09", b"\x08\0", b"..", b"PK\5\6"]) | st.binary(min_size=1, max_size=8)
_DAMAGE = st.lists(st.tuples(st.integers(0, len(_SMALL) - 1), _VALUES), min_size=1, max_size=4)


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
    good = imported(in_folder(tmp_path / "good", of_classes({"cat": 50, "dog": 55}))).report
    assert good.findings == () and good.usable and good.counts == (50, 55) and good.given is None
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


def kept(pictures: Path, title: str = "Pets", *, seed: int = 1, replacing: bool = False) -> About:
    return imported(pictures, split=SplitChoice(seed=seed)).keep(title, replacing=replacing)


def test_a_kept_data_set_is_a_source_like_any_other(pictures: Path) -> None:
    made = kept(pictures, "Über Pets!")
    assert made.source == "folder-uber-pets" and list(data.SOURCES)[-1] == made.source
    assert data.title_of(made.source) == "Über Pets!" and data.is_here(made.source)
    dataset = data.load(made.source)
    assert dataset.class_names == ("cat", "dog", "eel") and dataset.image_shape == (32, 32, 3) and not dataset.drawn
    assert np.bincount(dataset.train.labels).tolist() == [8, 12, 10]
    assert np.bincount(dataset.test.labels).tolist() == [2, 3, 2]
    assert dataset.fingerprint == made.fingerprint
    for split in (dataset.train, dataset.test):
        for image, label, name in zip(split.images, split.labels, split.file_names, strict=True):
            assert np.array_equal(image, fit(decode((pictures / name).read_bytes(), name=name).rgb, size=(32, 32)))
            assert name.startswith(dataset.class_names[label])
    assert data.load(made.source) is dataset
    check_names(with_values(RunConfig(), {"data.source": made.source}))


def test_titles_that_differ_in_what_a_name_cannot_hold_get_names_that_differ(pictures: Path, home: Path) -> None:
    titles = ("Кошки 2", "Собаки 2", "\u0642\u0637\u0637", "Pets 🐱", "Pets 🐶", "a" * 59 + "b", "a" * 60)
    names = [kept(pictures, title).name for title in titles]
    assert len(set(names)) == len(titles) == len(about.all_kept()) and all(name.isascii() for name in names)
    assert [data.title_of(f"folder-{name}") for name in names] == [*titles]
    assert kept(pictures, "“Pets”, 2…").name == "pets-2", "punctuation may go"
    assert kept(pictures, "../../<b>etc</b>").name == "b-etc-b" and (home / "datasets" / "b-etc-b").is_dir()
    os.rename(home / "datasets" / names[0], home / "datasets" / "2")
    assert kept(pictures, "Кошки 2", replacing=True).name == "2", "it was named before names were like this"
    with pytest.raises(DataError, match="called '“Pets”, 2…' already"):
        kept(pictures, "Pets 2")
    for title in ("", " \n", "x" * 61):
        with pytest.raises(DataError, match="expected 1 to 60"):
            about.name_for(title)


def test_what_was_found_is_kept_beside_it_and_outlasts_a_power_cut(
    pictures: Path, outlasts_a_power_cut: Callable[[Path], bool]
) -> None:
    new = imported(pictures)
    place = about.place_of(new.keep("Pets").name)
    report, refused = store.report_of("pets")
    assert report == new.report and refused == ()
    stored = Kept.read(place / "pictures.json").pictures
    assert stored != new.pictures and set(stored) == set(new.pictures)
    assert all(outlasts_a_power_cut(place / name) for name in ("about.json", "pictures.json"))


def test_no_data_set_is_written_over_unless_that_is_asked_for(pictures: Path) -> None:
    first = kept(pictures)
    with pytest.raises(DataError, match="already"):
        kept(pictures, "pets")
    assert kept(pictures, "pets", replacing=True).fingerprint == first.fingerprint, "same pictures, same seed"
    changed = kept(pictures, "pets", seed=5, replacing=True)
    assert data.load("folder-pets").fingerprint == changed.fingerprint != first.fingerprint
    assert [path.name for path in about.folder().glob("[!.]*")] == ["pets"]


def test_what_is_deleted_is_gone_but_stays_readable_to_whoever_looks_at_it(pictures: Path, home: Path) -> None:
    made = kept(pictures)
    before = data.load(made.source)
    store.delete("pets")
    assert list((home / "datasets").iterdir()) == []
    assert made.source not in data.SOURCES and not data.is_here(made.source)
    assert data.title_of(made.source) == made.source
    with pytest.raises(DataError, match="Import its pictures again"):
        data.load(made.source)
    with pytest.raises(UnknownNameError):
        check_names(with_values(RunConfig(), {"data.source": made.source}))
    assert before.train.images.sum() > 0


def test_a_failure_or_a_kill_in_the_middle_of_a_replacement_loses_no_data_set(
    pictures: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(pictures)
    rename = os.rename

    def replace_pets(error: BaseException) -> None:
        """Replace the data set, but raise an error where the new one is moved to its place."""
        new = imported(pictures)

        def refuse(source: Path, target: Path) -> None:
            if source == new.folder:
                raise error
            rename(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", refuse)
            try:
                new.keep("Pets", replacing=True)
            finally:
                new.discard()

    with pytest.raises(StorageError, match="busy"):
        replace_pets(OSError(16, "Device or resource busy"))
    assert about.all_kept() == {"pets": made} and list((home / "datasets").iterdir()) == [about.place_of("pets")]

    with pytest.raises(KeyboardInterrupt):
        replace_pets(KeyboardInterrupt())
    store.recover()
    assert about.all_kept() == {}, "another process may be replacing it at this moment"
    (aside,) = about.folder().glob(".replaced-pets-*")
    aside.rename(aside.with_name(".replaced-pets-1"))  # It has lain there since 1970.
    store.recover()
    assert about.all_kept() == {"pets": made}


def test_a_damaged_data_set_is_said_to_be_so_and_hurts_no_other(pictures: Path, home: Path) -> None:
    for title in ("one", "two", "three", "four", "five"):
        kept(pictures, title)
    folder = home / "datasets"
    (folder / "one" / "about.json").write_text("{")
    path = folder / "five" / "about.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"train": 0}))
    (folder / "two" / "images.npy").write_bytes(b"nonsense")
    values = json.loads((folder / "three" / "pictures.json").read_text())
    values["pictures"][0]["label"] = 99
    (folder / "three" / "pictures.json").write_text(json.dumps(values))
    # An array of objects would have to be unpickled.
    np.save(folder / "four" / "images.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert list(about.all_kept()) == ["four", "three", "two"]
    for name in ("two", "three", "four"):
        with pytest.raises(DataError, match=r"is damaged .* import its pictures again"):
            store.load(name)


def rows_of(*labels: int, parts: str = "") -> list[Picture]:
    names = {"-": None, "r": "train", "e": "test"}
    return [
        Picture(label, names[part], f"{row}.png", f"{row:064x}", 50, 50, "PNG", 50.0, 50.0)  # type: ignore[arg-type]
        for row, (label, part) in enumerate(zip(labels, parts or "-" * len(labels), strict=True))
    ]


def divided(
    them: list[Picture],
    *near: tuple[int, int],
    split_given: bool = False,
    choice: SplitChoice = splitting.DEFAULT_SPLIT,
    distance: float = 0.1,
) -> splitting.Division:
    pairs = [Copy(*pair, False, distance) for pair in near]
    classes = max(one.label for one in them) + 1
    return splitting.divide(them, pairs, num_classes=classes, split_given=split_given, choice=choice)


@pytest.mark.parametrize("seed", [0, 7])
def test_pictures_unlike_each_other_are_drawn_as_validation_images_are(seed: int) -> None:
    labels = [0] * 30 + [1] * 11 + [2] * 5
    division = divided(rows_of(*labels), choice=SplitChoice(0.2, seed))
    train, test = stratified_split(labels, fraction=0.2, seed=seed)
    assert np.array_equal(division.train, train) and np.array_equal(division.test, test)


def test_pictures_that_look_alike_go_to_one_side() -> None:
    them = rows_of(*[0] * 40, *[1] * 40)
    near = [(row, row + 1) for row in range(0, 80, 2)]
    for seed in range(10):
        division = divided(them, *near, choice=SplitChoice(0.25, seed))
        test = set(division.test.tolist())
        assert all((one in test) == (other in test) for one, other in near)
        assert [sum(them[row].label == label for row in test) for label in (0, 1)] == [10, 10]


def test_a_class_of_one_scene_is_divided_and_each_keeps_two_to_learn_from_and_one_to_test() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    division = divided(rows_of(*labels.tolist()), *[(0, row) for row in range(1, 10)])
    assert np.bincount(labels[division.test]).tolist() == [2, 2] and len(division.train) == 16
    division = divided(rows_of(0, 0, 0, 1, 1, 1), choice=SplitChoice(0.5))
    assert len(division.test) == 2 and len(division.train) == 4


def test_a_given_split_is_kept_without_the_training_pictures_that_the_test_holds() -> None:
    them = rows_of(0, 0, 0, 1, 1, 1, 0, 1, parts="rrrrrree")
    division = divided(them, (0, 6), (3, 4), split_given=True)
    assert division.train.tolist() == [1, 2, 3, 4, 5] and division.test.tolist() == [6, 7] and division.leaks == 1
    kept = divided(them, (0, 6), split_given=True, choice=SplitChoice(drop_leaks=False))
    assert kept.train.tolist() == [0, 1, 2, 3, 4, 5] and kept.leaks == 0
    # Nearly equal pictures are grouped through pairs; pictures that are less alike are not.
    chain = ((0, 1), (1, 2), (2, 6))
    assert divided(them, *chain, split_given=True, distance=0.01).train.tolist() == [3, 4, 5]
    assert divided(them, *chain, split_given=True).train.tolist() == [0, 1, 3, 4, 5]
    redrawn = divided(them)
    assert len(redrawn.train) + len(redrawn.test) == 8 and redrawn.test.tolist() != [6, 7]


def test_exact_copies_in_both_splits_are_kept_once_where_the_split_is_drawn() -> None:
    them = rows_of(0, 0, 0, 1, 1, 1, 0, 1, parts="rrrrrree")
    them[6] = replace(them[6], sha256=them[0].sha256)
    assert divided(them, (0, 6), split_given=True).copies == 0, "in a split that is given, it is a leak"
    division = divided([replace(one, part=None) for one in them], (0, 6))
    assert division.copies == 1 and sorted([*division.train, *division.test]) == [0, 1, 2, 3, 4, 5, 7]
