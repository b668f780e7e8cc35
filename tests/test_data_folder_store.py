"""Data sets of own pictures are kept, found everywhere, deleted and brought back, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data.folder import about, drafts, store
from aquadash.data.folder.about import About
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import Kept
from aquadash.engine import check_names
from aquadash.errors import DataError, StorageError, UnknownNameError
from tests.own_pictures import drafted, in_folder, of_classes


@pytest.fixture
def draft(tmp_path: Path) -> drafts.Draft:
    return drafted(in_folder(tmp_path / "a", of_classes({"cat": 10, "dog": 15, "eel": 12})))


def kept(draft: drafts.Draft, title: str = "Pets", **options: object) -> About:
    return drafts.use(draft, SplitChoice(seed=1), title=title, **options)  # type: ignore[arg-type]


def test_a_kept_data_set_is_a_source_like_any_other(draft: drafts.Draft) -> None:
    made = kept(draft, "Über Pets!")
    assert made.source == "folder-uber-pets" and list(data.SOURCES)[-1] == made.source
    assert data.title_of(made.source) == "Über Pets!" and data.is_here(made.source)
    dataset = data.load(made.source)
    assert dataset.class_names == ("cat", "dog", "eel") and dataset.image_shape == (32, 32, 3) and not dataset.drawn
    assert np.bincount(dataset.train.labels).tolist() == [8, 12, 10]
    assert np.bincount(dataset.test.labels).tolist() == [2, 3, 2]
    assert dataset.fingerprint == made.fingerprint
    by_name = {picture.name: row for row, picture in enumerate(draft.pictures)}
    for split in (dataset.train, dataset.test):
        for image, label, name in zip(split.images, split.labels, split.file_names, strict=True):
            assert np.array_equal(image, draft.images[by_name[name]])
            assert name.startswith(dataset.class_names[label])
    assert data.load(made.source) is dataset
    check_names(with_values(RunConfig(), {"data.source": made.source}))


def test_what_is_known_of_a_data_set_outlasts_a_power_cut(
    draft: drafts.Draft, outlasts_a_power_cut: Callable[[Path], bool]
) -> None:
    place = about.place_of(kept(draft).name)
    assert all(outlasts_a_power_cut(place / name) for name in ("about.json", "pictures.json"))


def test_titles_that_differ_in_what_a_name_cannot_hold_get_names_that_differ(draft: drafts.Draft, home: Path) -> None:
    titles = ("Кошки 2", "Собаки 2", "\u0642\u0637\u0637", "Pets 🐱", "Pets 🐶", "a" * 59 + "b", "a" * 60)
    names = [kept(draft, title).name for title in titles]
    assert len(set(names)) == len(titles) == len(about.all_kept()) and all(name.isascii() for name in names)
    assert [data.title_of(f"folder-{name}") for name in names] == [*titles]
    assert kept(draft, "“Pets”, 2…").name == "pets-2", "punctuation may go"
    os.rename(home / "datasets" / names[0], home / "datasets" / "2")
    assert kept(draft, "Кошки 2", overwrite=True).name == "2", "it was named before names were like this"
    with pytest.raises(DataError, match="called '“Pets”, 2…' already"):
        kept(draft, "Pets 2")


def test_the_same_pictures_and_seed_give_the_same_fingerprint(draft: drafts.Draft) -> None:
    one, same = kept(draft, "One"), kept(draft, "Two")
    other = drafts.use(draft, SplitChoice(seed=2), title="Three")
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_what_was_found_is_kept_beside_it(draft: drafts.Draft) -> None:
    report, refused = store.report_of(kept(draft).name)
    assert report == draft.report and refused == ()
    pictures = Kept.read(about.place_of("pets") / "pictures.json").pictures
    assert pictures != draft.pictures and set(pictures) == set(draft.pictures)


def test_no_data_set_is_written_over_unless_that_is_asked_for(draft: drafts.Draft) -> None:
    first = kept(draft)
    with pytest.raises(DataError, match="already"):
        kept(draft, "pets")
    changed = drafts.use(draft, SplitChoice(seed=5), title="pets", overwrite=True)
    assert about.about("pets").fingerprint == changed.fingerprint != first.fingerprint
    assert data.load("folder-pets").fingerprint == changed.fingerprint
    store.delete("pets")
    assert store.restore(store.deleted()[1][0]).fingerprint == first.fingerprint


@pytest.mark.parametrize("title", ["", "   ", "x" * 61, "\n"])
def test_titles_that_cannot_be_used_are_refused(title: str) -> None:
    with pytest.raises(DataError, match="expected"):
        about.name_for(title)


def test_a_title_is_text_and_never_a_path(draft: drafts.Draft, home: Path) -> None:
    made = kept(draft, "../../<b>etc</b>")
    assert made.name == "b-etc-b" and made.title == "../../<b>etc</b>"
    assert (home / "datasets" / "b-etc-b").is_dir()


def test_deleting_can_be_undone(draft: drafts.Draft) -> None:
    made = kept(draft)
    before = data.load(made.source)
    key = store.delete("pets")
    assert made.source not in data.SOURCES and not data.is_here(made.source)
    assert data.title_of(made.source) == made.source
    with pytest.raises(DataError, match="Bring it back on the Data page"):
        data.load(made.source)
    with pytest.raises(UnknownNameError):
        check_names(with_values(RunConfig(), {"data.source": made.source}))
    # What somebody is looking at stays readable.
    assert before.train.images.sum() > 0
    assert store.restore(key) == made
    assert data.load(made.source).fingerprint == made.fingerprint
    with pytest.raises(DataError, match="not there any more"):
        store.restore(key)


def test_a_deleted_one_takes_the_place_of_another_and_no_deleted_one_is_lost_by_that(draft: drafts.Draft) -> None:
    seeds = range(6)
    made = [drafts.use(draft, SplitChoice(seed=seed), title="pets", overwrite=True) for seed in seeds]
    *others, oldest = [key for key, _ in store.deleted()]
    with pytest.raises(DataError, match="Delete that one first"):
        store.restore(oldest)
    assert store.restore(oldest, replace=True) == made[0] == about.about("pets")
    newest, *left = [key for key, _ in store.deleted()]
    assert left == others and store.restore(newest, replace=True) == made[-1]
    with pytest.raises(DataError, match="not there any more"):
        store.restore("../pets.1")


def test_only_the_last_deleted_ones_are_kept(draft: drafts.Draft) -> None:
    keys = []
    for _ in range(7):
        kept(draft)
        keys.append(store.delete("pets"))
    assert [key for key, _ in store.deleted()] == keys[:1:-1]


def test_a_damaged_data_set_is_said_to_be_so_and_hurts_no_other(draft: drafts.Draft, home: Path) -> None:
    for title in ("one", "two", "three", "four", "five", "six"):
        kept(draft, title)
    folder = home / "datasets"
    (folder / "one" / "about.json").write_text("{")
    for name, changed in (("five", {"title": 2024}), ("six", {"train": 0})):
        path = folder / name / "about.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    (folder / "two" / "images.npy").write_bytes(b"nonsense")
    values = json.loads((folder / "three" / "pictures.json").read_text())
    values["pictures"][0]["label"] = 99
    (folder / "three" / "pictures.json").write_text(json.dumps(values))
    # Nothing is unpickled.
    np.save(folder / "four" / "images.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert list(about.all_kept()) == ["four", "three", "two"]
    for name in ("two", "three", "four"):
        with pytest.raises(DataError, match=r"is damaged .* import its pictures again"):
            store.load(name)


def test_a_write_that_fails_leaves_nothing(draft: drafts.Draft, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(StorageError, match="No space left"):
        kept(draft)
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [".drafts"]
