"""What is wrong with pictures is found before anything is trained on them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquadash.data.duplicates import find_copies, groups
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import Finding
from aquadash.data.images import decode
from tests.encoded_pictures import saved
from tests.own_pictures import imported, in_folder, of_classes, picture


def found(new: NewDataSet) -> dict[str, Finding]:
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
    assert word in found(new)[kind].title and found(new)[kind].advice


def test_copies_do_not_make_a_class_large_enough(tmp_path: Path) -> None:
    files = of_classes({"cat": 20}) | {f"dog/{n}.png": picture(99) for n in range(5)}
    new = imported(in_folder(tmp_path / "a", files))
    assert found(new)["too few"].names == ("dog",)


def test_few_pictures_and_imbalance_are_told_by_class(tmp_path: Path) -> None:
    new = imported(in_folder(tmp_path / "a", of_classes({"cat": 60, "dog": 12, "eel": 5})))
    few = [finding for finding in new.report.findings if finding.kind == "few"]
    assert [(finding.severity, finding.names) for finding in few] == [("warning", ("eel: 5",)), ("note", ("dog: 12",))]
    assert found(new)["imbalance"].severity == "warning"
    assert found(new)["imbalance"].names == ("cat: 60", "eel: 5") and "12.0 times" in found(new)["imbalance"].title


def test_copies_are_found_in_and_across_classes_and_mirrored(tmp_path: Path) -> None:
    files = of_classes({"cat": 30, "dog": 30})
    files |= {"cat/same.png": picture(3), "dog/other.png": picture(4), "dog/edit.jpg": jpeg_of(picture(40))}
    files |= {"dog/turned.jpg": jpeg_of(picture(41), mirrored=True)}
    new = imported(in_folder(tmp_path / "a", files))
    assert names_of(new, found(new)["duplicates"]) == ["cat/3.png", "cat/same.png"]
    across = found(new)["duplicates across classes"]
    assert across.severity == "warning" and names_of(new, across) == ["cat/4.png", "dog/other.png"]
    near = found(new)["near duplicates"]
    assert near.count == 2 and set(names_of(new, near)) == {
        "dog/10.png", "dog/edit.jpg", "dog/11.png", "dog/turned.jpg",
    }  # fmt: skip


def test_copies_across_a_given_split_are_a_warning(tmp_path: Path) -> None:
    files = of_classes({"cat": 20, "dog": 20}, prefix="train/")
    files |= of_classes({"cat": 5, "dog": 5}, prefix="test/", first_seed=100) | {
        "test/cat/leak.jpg": jpeg_of(picture(7))
    }
    new = imported(in_folder(tmp_path / "a", files))
    assert new.report.given == ((20, 6), (20, 5))
    leak = found(new)["duplicates across splits"]
    assert leak.severity == "warning" and sorted(names_of(new, leak)) == ["cat/7.png", "cat/leak.jpg"]


def test_a_class_that_the_test_lacks_is_a_problem(tmp_path: Path) -> None:
    files = of_classes({"cat": 20, "dog": 20}, prefix="train/") | of_classes({"cat": 5}, prefix="test/", first_seed=90)
    new = imported(in_folder(tmp_path / "a", files))
    finding = found(new)["too few"]
    assert finding.names == ("dog",) and "for the test" in finding.title
    assert finding.severity == "problem" and "drawn at random" in finding.advice
    drawn = SplitChoice(use_given=False)
    assert imported(tmp_path / "a", split=drawn).report.usable


def test_looks_that_mislead_are_found(tmp_path: Path) -> None:
    files = of_classes({"cat": 20, "dog": 20})
    files |= {f"dog/grey{n}.png": picture(100 + n, grey=True) for n in range(15)}
    files |= {"cat/tiny.png": picture(200, size=(20, 24)), "cat/long.png": picture(201, size=(300, 60))}
    files["cat/blank.png"] = saved(Image.new("RGB", (50, 50), (77, 77, 77)), "PNG")
    new = imported(in_folder(tmp_path / "a", files))
    kinds = found(new)
    assert kinds["grey"].severity == "warning" and kinds["grey"].count == 15
    assert {name.split("/")[0] for name in names_of(new, kinds["grey"])} == {"dog"}
    assert names_of(new, kinds["tiny"]) == ["cat/tiny.png"] and kinds["tiny"].severity == "note"
    assert names_of(new, kinds["long"]) == ["cat/long.png"]
    assert names_of(new, kinds["blank"]) == ["cat/blank.png"] and kinds["blank"].severity == "warning"


def test_any_number_of_copies_is_one_group() -> None:
    files = of_classes({"cat": 3}) | {f"dog/{n}.jpg": jpeg_of(picture(60)) + bytes([n]) for n in range(12)}
    images = np.stack([decode(content, name=name).rgb for name, content in files.items()])
    near = find_copies([str(row) for row in range(len(images))], images)
    assert groups(len(images), near).tolist() == [0, 1, 2, *[3] * 12]
    assert len(near) <= 3 * 12
