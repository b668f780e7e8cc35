"""What a run will cost: two epochs of each of its phases, as ``model probe`` measures and prints them."""

from typing import Any

import pytest

from aquadash.data import Dataset
from aquadash.training import probe as module
from tests.cli.test_cli import answer, call
from tests.support.drawn_images import few_drawings, use_images
from tests.support.tiny_networks import assigned

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("narrow_bodies", "uncompiled")]


def measured(dataset: Dataset, changes: str) -> dict[str, Any]:
    """Probe a small network with these changes; a fifth of the training images validate."""
    small = assigned(
        "model.name=cnn model.filters=8 model.dense_units= augmentation.pipeline=none training.epochs=10 "
        "training.patience=1 training.batch_size=16 training.validation_fraction=0.2"
    )
    return module.probe(assigned(changes, base=small), dataset, on_progress=lambda progress: None)


def test_a_run_of_one_phase_visits_all_variants_that_fill_its_batches(tiny_dataset: Dataset) -> None:
    changes = "augmentation.pipeline=notebook training.batch_size=32 training.drop_remainder=true"
    probe = measured(tiny_dataset, changes)
    (phase,) = probe["phases"]
    assert (phase["epochs"], phase["on_features"]) == (10, False)
    assert 0 < phase["seconds_per_epoch"] == probe["seconds_per_epoch"]
    assert probe["seconds_total_at_most"] == pytest.approx(probe["seconds_preparing"] + 10 * phase["seconds_per_epoch"])
    # Of 5 variants of each of 48 images.
    assert (probe["measured_steps"], probe["step_images"]) == (7, 32)
    assert probe["images_per_second"] == pytest.approx(7 * 32 / probe["seconds_per_epoch"])


def test_a_pretrained_network_has_a_phase_for_its_head(tiny_dataset: Dataset) -> None:
    probe = measured(tiny_dataset, "model.name=backbone model.fine_tuning=all training.head_epochs=3")
    assert [(phase["epochs"], phase["on_features"]) for phase in probe["phases"]] == [(3, True), (7, False)]
    head, whole = (phase["seconds_per_epoch"] for phase in probe["phases"])
    assert probe["seconds_per_epoch"] == max(head, whole)
    assert probe["seconds_total_at_most"] == pytest.approx(probe["seconds_preparing"] + 3 * head + 7 * whole)
    assert {layer["part"] for layer in probe["layers"]} == {"body", "head"}


def test_the_command_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use_images(monkeypatch, few_drawings(train_per_class=8, test_per_class=4))
    settings = ("--preset", "notebook", "--set", "augmentation.pipeline=none", "--set", "training.epochs=7")
    values = answer("model", "probe", *settings)
    assert (values["preset"], values["epochs"], values["parameters"]) == ("notebook", 7, 1_091_045)
    assert values["phases"] == [{"epochs": 7, "seconds_per_epoch": values["seconds_per_epoch"], "on_features": False}]
    assert values["memory_bytes"] > 2e8 and values["measured_steps"] >= 1 and values["step_images"] == 32
    monkeypatch.setattr(module, "probe", lambda *_, **__: values)
    text = call("model", "probe", *settings).stdout
    assert "\nparameters: 1,091,045\n" in text and "\nepochs: 7\n" in text
