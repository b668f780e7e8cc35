"""Commands on data and augmentation: ``data``, ``pipelines`` and ``augment``."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from aquadash import data
from aquadash.augment import PIPELINES, Branch, PipelineSpec, library, measure, op, pipeline
from tests.cli.test_cli import answer, call, refusal
from tests.support.own_pictures import in_archive, in_folder, of_classes


def test_an_archive_is_imported_shown_listed_and_deleted(tmp_path: Path, home: Path) -> None:
    files = of_classes({"cat": 10, "dog": 15}) | {"cat/bad.png": b"nothing"}
    archive = in_archive(tmp_path / "My Pets.zip", files)
    said = call("data", "import", archive, "--check").stdout
    assert "counts: 10, 15\n" in said and "warning   1 file could not be read" in said and "cat/bad.png is" in said
    assert list((home / "datasets").iterdir()) == []
    made = answer("data", "import", archive)
    assert made["source"] == "folder-my-pets" and (made["train"], made["test"]) == (20, 5)
    assert made["refused"][0]["name"] == "cat/bad.png" and made["pictures"] == 25
    assert {finding["kind"] for finding in made["report"]["findings"]} == {"broken", "few"}
    assert "already" in refusal("data", "import", archive)
    assert [path.name for path in (home / "datasets").iterdir()] == ["my-pets"]
    told = answer("data", "info", "--source", "folder-my-pets")
    assert told["classes"] == ["cat", "dog"] and told["train_per_class"] == [8, 12]
    assert told["image_shape"] == [32, 32, 3] and told["fingerprint"] == made["fingerprint"]
    assert answer("data", "check", "folder-my-pets")["report"] == made["report"]
    listed = {one["source"]: one for one in answer("data", "list")["sources"]}
    assert list(listed) == ["synthetic", "cifar100", "folder-my-pets"] and listed["folder-my-pets"]["own"]
    assert answer("data", "delete", "folder-my-pets")["deleted"]
    assert list((home / "datasets").iterdir()) == []


def test_the_options_of_an_import(tmp_path: Path) -> None:
    files = of_classes({"cat": 10, "dog": 10}, prefix="train/")
    files |= of_classes({"cat": 4, "dog": 4}, prefix="test/", first_seed=50)
    folder = in_folder(tmp_path / "pets", files | {"test/dog/leak.png": files["train/dog/0.png"]})
    divided = answer("data", "import", folder, "--name", "Given", "--size", "48")
    assert (divided["train"], divided["test"], divided["size"], divided["split_given"]) == (19, 9, 48, True)
    leaky = answer("data", "import", folder, "--name", "Given", "--replace", "--keep-leaks")
    assert (leaky["train"], leaky["test"]) == (20, 9)
    drawn = answer("data", "import", folder, "--name", "Drawn", "--redraw", "--test-fraction", "0.5", "--seed", "3")
    assert not drawn["split_given"] and abs(drawn["train"] - drawn["test"]) <= 2


def test_a_folder_and_files_whose_names_are_no_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/pets\xff"))
    in_folder(folder, of_classes({"cat": 9, "dog\udcfe": 9}) | {"stray\udcfd.png": b""})
    made = answer("data", "import", folder)
    assert made["origin"] == "pets\N{REPLACEMENT CHARACTER}"
    assert made["class_names"] == ["cat", "dog\N{REPLACEMENT CHARACTER}"]


MINE = PipelineSpec("x", "Mine", "Flips.", (Branch("One", (op("Sometimes", then_list=op("Fliplr")),)),))


def test_a_file_is_checked_saved_shown_listed_and_deleted(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(MINE.to_json())
    assert answer("pipelines", "check", file) == {"title": "Mine", "factor": 1, "valid": True}
    assert library().saved == ()
    assert answer("pipelines", "save", file, "--title", "Über Flip")["name"] == "uber-flip"
    assert "already" in refusal("pipelines", "save", file, "--title", "Über Flip")
    assert pipeline("uber-flip").branches == MINE.branches
    assert answer("pipelines", "show", "uber-flip")["branches"] == json.loads(MINE.to_json())["branches"]
    assert "Flip left-right" in call("pipelines", "show", "uber-flip").stdout
    file.write_text(call("pipelines", "show", "notebook-4", "--json").stdout)
    call("pipelines", "save", file, "--title", "Copy")
    assert pipeline("copy").branches == PIPELINES["notebook-4"].branches, "what show prints can be saved again"
    replaced = answer("pipelines", "save", file, "--title", "Other", "--replace", "copy")
    assert replaced == {"name": "other", "title": "Other", "factor": 1, "replaced": "copy"}
    (home / "pipelines" / "other.json").write_text("{")
    assert "not valid JSON" in answer("pipelines", "list")["damaged"]["other.json"]
    (home / "pipelines" / "other.json").unlink()
    assert "'copy'" in refusal("pipelines", "show", "copy")
    compile(call("pipelines", "code", "uber-flip").stdout, "pipeline.py", "exec")
    listed = {entry["name"]: entry for entry in answer("pipelines", "list")["pipelines"]}
    assert list(listed) == [*PIPELINES, "uber-flip"]
    assert listed["uber-flip"]["saved"] and not listed["notebook"]["saved"] and listed["notebook"]["factor"] == 5
    assert answer("pipelines", "delete", "uber-flip")["deleted"]
    assert library().saved == ()


def test_augment_makes_five_of_one_with_the_numbers_of_the_backend(tmp_path: Path) -> None:
    out = tmp_path / "images"
    values = answer("augment", "--pipeline", "notebook", "--count", 4, "--seed", 3, "--out", out, "--numbers")
    chosen = data.load("synthetic").train.take(slice(4))
    classes = np.bincount(chosen.labels, minlength=5)
    assert (values["originals"], values["images"], values["labels_per_class"]) == (4, 20, (5 * classes).tolist())
    assert len(values["files"]) == len(list(out.iterdir())) == 20
    assert Image.open(values["files"][0]).size == (32, 32)
    for branch, expected in zip(
        values["numbers"]["branches"], measure(chosen.images, PIPELINES["notebook"], seed=3, timed=False), strict=True
    ):
        assert branch | {"images_per_second": None} == json.loads(json.dumps(asdict(expected)))
    text = call("augment", "--pipeline", "notebook", "--count", 1, "--numbers").stdout
    for word in ("Original", "Flipped and blurred", "Relit through clouds", "images per second", "clipped"):
        assert word in text
    assert "originals: 1\nimages: 5\n" in text
