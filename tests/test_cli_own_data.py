"""``data import`` and what goes with it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aquadash.cli import cli
from aquadash.data.folder import about
from aquadash.errors import AquaDashError, DataError
from tests.own_pictures import in_archive, in_folder, of_classes


def call(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def answer(*arguments: object) -> dict[str, Any]:
    values = json.loads(call(*arguments, "--json"))
    assert isinstance(values, dict)
    return values


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = of_classes({"cat": 10, "dog": 15}) | {"cat/bad.png": b"nothing"}
    return in_archive(tmp_path / "My Pets.zip", files)


def test_an_archive_is_imported_shown_listed_deleted_and_restored(archive: Path, home: Path) -> None:
    made = answer("data", "import", archive)
    assert made["source"] == "folder-my-pets" and (made["train"], made["test"]) == (20, 5)
    assert made["refused"][0]["name"] == "cat/bad.png" and made["pictures"] == 25
    assert {finding["kind"] for finding in made["report"]["findings"]} == {"broken", "few"}
    assert list((home / "datasets" / ".drafts").iterdir()) == []
    told = answer("data", "info", "--source", "folder-my-pets")
    assert told["classes"] == ["cat", "dog"] and told["train_per_class"] == [8, 12]
    assert told["image_shape"] == [32, 32, 3] and told["fingerprint"] == made["fingerprint"]
    assert answer("data", "check", "folder-my-pets")["report"] == made["report"]
    listed = {one["source"]: one for one in answer("data", "list")["sources"]}
    assert list(listed) == ["synthetic", "cifar100", "folder-my-pets"] and listed["folder-my-pets"]["own"]
    key = answer("data", "delete", "folder-my-pets")["key"]
    assert about.all_kept() == {} and answer("data", "list")["deleted"] == [key]
    assert answer("data", "restore", key)["source"] == "folder-my-pets"


def test_the_options_of_an_import(tmp_path: Path) -> None:
    files = of_classes({"cat": 10, "dog": 10}, prefix="train/")
    files |= of_classes({"cat": 4, "dog": 4}, prefix="test/", first_seed=50) | {
        "test/dog/leak.png": files["train/dog/0.png"]
    }
    folder = in_folder(tmp_path / "pets", files)
    given = answer("data", "import", folder, "--name", "Given", "--size", "48")
    assert (given["train"], given["test"], given["size"], given["split_given"]) == (19, 9, 48, True)
    leaky = answer("data", "import", folder, "--name", "Given", "--replace", "--keep-leaks")
    assert (leaky["train"], leaky["test"]) == (20, 9)
    drawn = answer("data", "import", folder, "--name", "Drawn", "--redraw", "--test-fraction", "0.5", "--seed", "3")
    assert not drawn["split_given"] and abs(drawn["train"] - drawn["test"]) <= 2
    assert set(about.all_kept()) == {"given", "drawn"}


def test_a_check_keeps_nothing(archive: Path, home: Path) -> None:
    said = call("data", "import", archive, "--check")
    assert "cat          10" in said and "warning: 1 file could not be read" in said and "not read: cat/bad.png" in said
    assert about.all_kept() == {} and list((home / "datasets" / ".drafts").iterdir()) == []


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"cat": 9}, (), "only one class"),
        ({"cat": 9, "dog": 1}, (), "1 class with fewer than 3 pictures that differ: dog"),
        ({"cat": 9, "dog": 9}, ("--size", 33), "expected one of 32"),
        ({"cat": 9, "dog": 9}, ("--test-fraction", 0.9), "share of test pictures"),
        ({"cat": 9, "dog": 9}, ("--name", "x" * 61), "expected 1 to 60"),
    ],
)
def test_what_cannot_be_imported_is_said_and_leaves_nothing(
    tmp_path: Path, home: Path, files: dict[str, int], options: tuple[object, ...], message: str
) -> None:
    folder = in_folder(tmp_path / "pets", of_classes(files))
    with pytest.raises(AquaDashError, match=message):
        call("data", "import", folder, *options)
    drafts = home / "datasets" / ".drafts"
    assert about.all_kept() == {} and (not drafts.exists() or list(drafts.iterdir()) == [])


@pytest.mark.parametrize("name", ["missing.zip", "x" * 5000])
def test_a_path_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(AquaDashError, match=r"cannot be found.*ZIP file or a folder"):
        call("data", "import", tmp_path / name)


def test_a_folder_and_files_whose_names_are_no_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/pets\xff"))
    in_folder(folder, of_classes({"cat": 9, "dog\udcfe": 9}) | {"stray\udcfd.png": b""})
    made = answer("data", "import", folder)
    assert made["origin"] == "pets\N{REPLACEMENT CHARACTER}"
    assert made["class_names"] == ["cat", "dog\N{REPLACEMENT CHARACTER}"]


def test_a_name_is_not_taken_twice(archive: Path) -> None:
    call("data", "import", archive)
    with pytest.raises(DataError, match="already"):
        call("data", "import", archive)
