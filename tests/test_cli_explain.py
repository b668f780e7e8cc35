"""``python -m aquadash explain``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquadash.config import RunConfig
from aquadash.runs import Run, RunStatus, RunStore, Worker, open_store
from tests.explained_models import CLASSES, SIZE, corner_network, picture
from tests.test_cli import answer, call, refusal


def cornered_run(store: RunStore, folder: Path, *, row: int = 0, column: int = 0) -> Run:
    """A finished run whose network looks at one corner."""
    run = store.create(RunConfig(), name="cornered")
    store.start(run.run_id, Worker("here", 1))
    store.set_dataset(run.run_id, class_names=CLASSES, fingerprint="0" * 64)
    corner_network(row, column).save(folder / "model.keras")
    store.add_artifact(run.run_id, folder / "model.keras")
    store.set_status(run.run_id, RunStatus.FINISHED)
    return store.get(run.run_id)


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Run, Path]:
    run = cornered_run(open_store(), tmp_path, row=-1, column=0)
    Image.fromarray(picture(-1, 0)).save(tmp_path / "sea.png")
    return run, tmp_path / "sea.png"


@pytest.mark.slow
def test_explain_says_where_and_writes_a_picture(asked: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = asked
    out = tmp_path / "why.png"

    values = answer("explain", run.name, image, "--out", out)

    assert (values["run_id"], values["label"], values["method"]) == (run.run_id, "cornered", "grad-cam")
    assert sum(values["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    (found,) = values["explanations"]
    assert found["class"] == "cornered" and found["where"] == "brightest at the lower left"
    assert np.shape(found["map"]) == (SIZE, SIZE) and np.max(found["map"]) == pytest.approx(1)
    assert found["strongest_pixel"]["row"] > SIZE / 2 > found["strongest_pixel"]["column"]
    with Image.open(out) as written:
        pixels = np.asarray(written)
    assert written.format == "PNG" and written.width > 2 * 12 * SIZE
    # The image comes first, enlarged without smoothing: its red corner is as red as it was.
    assert pixels[16 + 12 * SIZE - 40, 40].tolist()[0] == 250


@pytest.mark.slow
def test_explain_takes_classes_and_methods(asked: tuple[Run, Path]) -> None:
    run, image = asked
    options = ("--class", "plain", "--class", "cornered", "--method", "occlusion")
    values = answer("explain", run.run_id[:8], image, *options)
    against, for_it = values["explanations"]
    assert (against["class"], for_it["class"]) == ("plain", "cornered")
    assert against["where"].endswith("most against the class at the lower left")
    assert for_it["where"].startswith("most for the class at the lower left")

    done = call("explain", run.name, image)
    assert "Grad-CAM for cornered" in done.stdout and "brightest at the lower left" in done.stdout


def test_explain_refuses_what_cannot_be_explained(asked: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = asked
    assert "Did you mean 'occlusion'" in refusal("explain", run.name, image, "--method", "oclusion")
    assert "no class called 'cat'" in refusal("explain", run.name, image, "--class", "cat")
    assert "ends in .png" in refusal("explain", run.name, image, "--out", tmp_path / "a.txt")
    assert "cannot be found" in refusal("explain", run.name, tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"not an image")
    assert "bad.png" in refusal("explain", run.name, tmp_path / "bad.png")
    without = open_store().create(RunConfig(), name="empty")
    assert "no trained model yet" in refusal("explain", without.name, image)
