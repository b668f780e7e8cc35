"""A data set of own pictures goes through the worker and the commands that look at its run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aquadash import data
from aquadash.config import with_values
from aquadash.data.folder import drafts, store
from aquadash.data.folder.drafts import SplitChoice
from aquadash.engine import check_names
from aquadash.errors import UnknownNameError
from aquadash.presets import PRESETS
from aquadash.runs import RunStatus, open_store
from tests import job_rows
from tests.own_pictures import drafted, in_folder, of_classes, picture
from tests.test_cli import answer

pytestmark = pytest.mark.slow

#: Text of a stranger: it must not become markup or a path.
CLASSES = {"<b>cat</b>".replace("/", "-"): 12, "dog **big**": 12, "eel": 14}


def source_of(folder: Path, classes: dict[str, int], *, size: int) -> str:
    draft = drafted(in_folder(folder, of_classes(classes)), size=size)
    return drafts.use(draft, SplitChoice(), title="Mine").source


def trained(source: str, preset: str, **changes: object) -> str:
    runs = open_store()
    values = {"data.source": source, "training.epochs": 2, "training.patience": 0} | {
        name.replace("__", "."): value for name, value in changes.items()
    }
    config = with_values(PRESETS[preset].config, values)
    check_names(config)
    ended = job_rows.train(runs, runs.create(config, name=f"own {preset}").run_id)
    assert ended.status is RunStatus.FINISHED, ended.message
    return ended.run_id


def test_two_epochs_on_three_classes_and_what_looks_at_them(tmp_path: Path) -> None:
    source = source_of(tmp_path / "mine", CLASSES, size=48)
    run_id = trained(source, "notebook-fixed")
    dataset = data.load(source)
    run = open_store().get(run_id)
    assert run.dataset_fingerprint == dataset.fingerprint and run.class_names == dataset.class_names
    found = answer("evaluate", run_id)
    assert found["n"] == len(dataset.test) == 7 and found["classes"] == list(dataset.class_names)
    assert np.array(found["confusion_matrix"]).sum(axis=1).tolist() == np.bincount(dataset.test.labels).tolist()
    image = tmp_path / "new.png"
    image.write_bytes(picture(500, size=(200, 100)))
    (told,) = answer("predict", run_id, image)["predictions"]
    assert told["label"] in dataset.class_names and told["error"] is None
    assert answer("coach", run_id)
    # Its pictures are gone, its results are not.
    store.delete("mine")
    assert answer("evaluate", run_id)["accuracy"] == found["accuracy"]
    assert answer("predict", run_id, image)["predictions"][0]["label"] == told["label"]
    with pytest.raises(UnknownNameError, match="folder-mine"):
        check_names(run.config)


def test_a_pretrained_network_takes_other_sizes_and_numbers_of_classes(tmp_path: Path) -> None:
    source = source_of(tmp_path / "mine", {f"class {n}": 6 for n in range(7)}, size=48)
    run_id = trained(source, "backbone", training__epochs=1)
    predictions = open_store().predictions(run_id)
    assert predictions.probabilities.shape == (7, 7)
    assert np.allclose(predictions.probabilities.sum(axis=1), 1.0, atol=1e-3)
