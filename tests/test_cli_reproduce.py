"""``reproduce``: a real run, trained twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash import data
from aquadash.config import with_values
from aquadash.data.folder import drafts
from aquadash.runs import RunStatus, open_store
from tests.job_rows import train
from tests.own_pictures import drafted, in_folder, of_classes
from tests.stored_runs import add_run
from tests.test_cli import answer, refusal


@pytest.mark.slow
def test_a_repeat_is_identical_in_metrics_weights_and_predictions(
    home: Path, quiet_worker: None, tmp_path: Path
) -> None:
    pictures = in_folder(tmp_path / "mine", of_classes({name: 40 for name in ("cat", "dog", "eel")}))
    source = drafts.use(drafted(pictures), drafts.SplitChoice(), title="Mine").source
    settings = ("training.epochs=2", "augmentation.pipeline=notebook-1", f"data.source={source}")
    short = ("--preset", "notebook-fixed", *(word for setting in settings for word in ("--set", setting)))
    first = answer("train", *short, "--name", "once")
    found = answer("reproduce", "once")
    assert found["run_id"] == first["run_id"] != found["repeat_id"]
    assert found["identical"] is True and found["max_difference"] == 0.0 and found["reasons"] == []
    counts = {part["name"]: part["count"] for part in found["parts"]}
    assert counts["weights"] > 1_000_000 and counts["metrics by epoch"] == 10
    assert counts["predictions of the test images"] == len(data.load(source).test) * (3 + 2)
    assert open_store().get(found["repeat_id"]).repeats == first["run_id"]

    other = open_store().create(with_values(open_store().get(first["run_id"]).config, {"seed": 1}), name="other").run_id
    assert train(open_store(), other).status is RunStatus.FINISHED
    against = answer("reproduce", "once", "--against", "other")
    assert against["repeat_id"] == other and against["identical"] is False
    assert against["max_difference"] > 0 and any("seed" in reason for reason in against["reasons"])


def test_what_cannot_be_repeated_is_refused(home: Path) -> None:
    assert "nothing" in refusal("reproduce", "nothing")
    add_run(open_store(), name="mine")
    open_store().set_status(open_store().resolve("mine"), RunStatus.STOPPED)
    assert "finished by itself" in refusal("reproduce", "mine")
