"""Checks of the recipes of ``docs/extending.md`` that bring no test, on the pages and in the commands.

``tests/test_extending.py`` runs these tests in a copy of the sources with all recipes applied.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aquadash import augment, data
from aquadash.cli import cli
from aquadash.config import SETTINGS, RunConfig, with_values
from aquadash.evaluation import evaluate, stored_scores
from aquadash.export.script import Recipe, train_script
from aquadash.search import suggested
from aquadash.store import Run, open_store
from aquadash.training.optimizers import build_optimizer
from aquadash.training.prepare import split_positions
from scripts.generate_runs import generate_runs
from tests.pages.test_train import open_advanced
from tests.support.app_pages import address_of, metrics, open_app_page

pytestmark = pytest.mark.usefixtures("no_engine")


def test_hyperparameter() -> None:
    """Form, searches and export have the setting; the optimizer follows."""
    name = "training.clip_norm"
    (field,) = [field for field in open_advanced().number_input if field.label == "Gradient clipping (norm)"]
    assert (field.min, field.max, field.step, field.value) == (0.0, 100.0, 0.5, 0.0) and field.help
    config = with_values(RunConfig(), {name: 1.5})
    assert name in suggested(RunConfig())
    script = train_script(_script_recipe(config))
    assert "    clip_norm=1.5,\n" in script and "global_clipnorm=clip_norm" in script
    assert build_optimizer(config.training).global_clipnorm == 1.5


def test_split_setting() -> None:
    """Another number holds out other images in the run and in its script; such figures are not compared."""
    name, dataset = "training.split_number", data.load("synthetic")
    configs = [with_values(RunConfig(), {name: number}) for number in (0, 1)]
    held_out = [split_positions(config, dataset)[1] for config in configs]
    assert len(held_out[0]) == len(held_out[1]) and set(held_out[0]) != set(held_out[1])
    assert "Split number" in [field.label for field in open_advanced().number_input]
    assert SETTINGS[name].incomparable and name not in suggested(RunConfig())
    script = train_script(_script_recipe(configs[1]))
    assert "    split_number=1,\n" in script and "SEED + TRAINING.split_number" in script


def test_run_figure() -> None:
    """Compare can show the figure and filter by it; the command can sort by it, too, and prints it."""
    first, _ = _runs()
    app = open_app_page("compare", where="mean_epoch_seconds > 1.5")
    assert app.dataframe[0].value["Seconds per epoch (mean)"].tolist() == [2.0, 2.0]
    assert _command("runs", "show", first.run_id)["metrics"]["mean_epoch_seconds"] == 2.0


def test_evaluate_metric() -> None:
    """Evaluate and the command show the metric, and new runs store it."""
    from sklearn.metrics import matthews_corrcoef

    first, _ = _runs()
    predictions = open_store().predictions(first.run_id)
    expected = matthews_corrcoef(predictions.labels, predictions.probabilities.argmax(axis=1))
    shown = metrics(open_app_page("evaluate", run=first.run_id, section="classes"))
    assert shown["Matthews correlation"] == f"{expected:.2f}"
    assert _command("evaluate", first.run_id)["matthews_correlation"] == pytest.approx(expected)
    measured = evaluate(predictions.labels, predictions.probabilities, class_names=first.class_names)
    assert stored_scores(measured, predictions)["test_matthews_correlation"] == pytest.approx(expected)


def test_augmenter(tmp_path: Path) -> None:
    """Augment's catalogue explains the step; a pipeline with it can be saved and makes images."""
    app = open_app_page("augment", view="catalogue", family="meta")
    assert any("<code>RandAugment</code>" in str(element.proto.body) for element in app.get("html"))

    step = {"name": "RandAugment", "settings": {"n": {"low": 1, "high": 2}, "m": 9}}
    pipeline = {"branches": [{"title": "Changed", "operators": [step]}]}
    about = {"format": "aquadash-pipeline", "version": 1, "name": "rand", "title": "Rand", "summary": ""}
    file = tmp_path / "rand.json"
    file.write_text(json.dumps(about | pipeline), encoding="utf-8")
    saved = _command("pipelines", "save", str(file), "--title", "Rand")["name"]
    options = ("--pipeline", saved, "--count", "8", "--out", str(tmp_path / "images"))
    assert len(_command("augment", *options)["files"]) == 8


def test_network(tmp_path: Path) -> None:
    """Train's menu has the network and its setting; its preset trains it; a saved network may be loaded again."""
    from aquadash import models
    from aquadash.config import ModelConfig
    from aquadash.presets import preset

    app = open_advanced()
    menu = app.selectbox(key="set:model.name")
    assert "LeNet-5" in menu.options, menu.options
    menu.select("lenet").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="set:model.activation").label == "Activation"
    assert _command("model", "summary", "--set", "model.name=lenet")["params"] == 61_581

    config = preset("lenet").config.model
    assert config == ModelConfig(name="lenet", activation="tanh")
    model = models.build(config, image_shape=(32, 32, 3), num_classes=5)
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", config, num_classes=5)
    assert loaded.count_params() == model.count_params()


def test_data_source() -> None:
    """Data's menu has the source and shows it; the commands know it."""
    app = open_app_page("data", source="shapes")
    assert "Drawn shapes" in app.selectbox(key="data-set").options
    assert "**4** classes" in "".join(block.value for block in app.markdown)

    described = _command("data", "info", "--source", "shapes")
    assert (described["train"], described["test"], described["image_shape"]) == (1000, 200, [32, 32, 3])
    assert described["train_per_class"] == [250] * 4 and described["drawn"]


def test_chart_section() -> None:
    """Evaluate has the section with the chart and its text; a clicked bar shows its images."""
    first, _ = _runs()
    app = open_app_page("evaluate", run=first.run_id, section="ranks")
    assert not app.exception and not app.error
    assert "How near was the right class?" in [heading.value for heading in app.subheader]
    (chart,) = app.get("plotly_chart")
    assert "rank 1 in" in str(chart.proto), chart.proto

    app.session_state["ranks-clicked"] = (first.run_id, None), [1]
    app.run()
    assert not app.exception and address_of(app, "rank") == "2"
    assert any(text.value.startswith("**Right class on rank 2: ") for text in app.markdown)


def _script_recipe(config: RunConfig) -> Recipe:
    return Recipe("mine", config, augment.plan(config.augmentation), "f" * 64, "float32", None, True)


def _command(*arguments: str) -> dict[str, Any]:
    """Return the JSON of a command."""
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _runs() -> tuple[Run, Run]:
    """Two made-up runs with predictions, of three epochs of two seconds each."""
    store = open_store()
    first, second = generate_runs(store, runs=2, epochs=3, predicted=2)
    return store.get(first), store.get(second)
