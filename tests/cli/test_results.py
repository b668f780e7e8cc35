"""Commands on results: evaluate, compare, explain, coach, and guesses."""

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquadash import data
from aquadash.cli import output
from aquadash.cli.describe import Table
from aquadash.cli.output import Shown, StatusLine, print_result
from aquadash.cli.train import read_guess
from aquadash.config import RunConfig
from aquadash.data.folder import store as folder_store
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.store import Guess, Predictions, RunStatus, RunStore
from tests.cli.test_cli import answer, call, refusal
from tests.support import job_rows
from tests.support.explained_models import CLASSES, CORNERED, SIZE, corner_network, picture
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.robust_runs import add_tiny_model
from tests.support.runs import make_run, skilled, too_confident
from tests.support.weights_files import keras_file


def test_evaluate_tells_all_that_is_measured(store: RunStore) -> None:
    run = make_run(store, "sharp")
    store.add_predictions(run.run_id, too_confident(np.arange(500) % 5, seed=1))
    store.add_validation_predictions(run.run_id, too_confident(np.arange(300) % 5, seed=2))

    values = answer("evaluate", "sharp")

    assert values["accuracy"] < values["top2_accuracy"] < 1 and 0.5 < values["macro_auc"] < 1
    low, high = values["accuracy_ci95"]
    assert low < values["accuracy"] < high and np.sum(values["confusion_matrix"]) == values["n"] == 500
    assert set(values["classes"]) == set(values["class_ci95"]) <= set(values["report"])
    assert sum(row["images"] for row in values["reliability"]) == 500
    scaling = values["temperature_scaling"]
    assert scaling["fitted_on"] == 300 and scaling["test_images"] == 500
    assert Lab(OWNER).runs.temperature(run) == values["temperature"] > 1.5, "own pictures are answered with it"
    assert scaling["ece_before"] == values["ece"] and scaling["ece_after"] < values["ece"] / 2
    assert scaling["loss_after"] < scaling["loss_before"] == pytest.approx(values["loss"], abs=1e-9)

    text = call("evaluate", "sharp").stdout
    assert "\ntemperature scaling:\n" in text and "\nTop-2 accuracy: " in text and "true \\ predicted  beaver" in text


def test_a_temperature_needs_validation_predictions_with_mistakes(store: RunStore) -> None:
    run = make_run(store, "old", {"training.validation": "test"})
    values = answer("evaluate", run.run_id)
    assert values["temperature"] is None and values["temperature_scaling"] is None
    assert 0 < values["ece"] < 1 and Lab(OWNER).runs.temperature(run) == 1.0
    assert "kept no predictions of its validation images" in call("evaluate", "old").stdout
    stored = store.predictions(run.run_id)
    first = Predictions(stored.indices[:400], stored.labels[:400], stored.probabilities[:400])
    perfect = replace(first, probabilities=np.eye(5, dtype=np.float32)[first.labels])
    store.add_validation_predictions(run.run_id, perfect)
    assert Lab(OWNER).runs.temperature(run) == 1.0
    store.add_validation_predictions(run.run_id, first)
    scaling = answer("evaluate", run.run_id)["temperature_scaling"]
    assert scaling["fitted_on"] == 400 and scaling["test_images"] == 100


def test_all_pairs_accuracies_and_costs_are_told(store: RunStore, tmp_path: Path) -> None:
    plain = make_run(store, "plain", predictions=skilled(0.5), history=8)
    store.add_artifact(plain.run_id, keras_file(tmp_path / "model.keras", 1000))
    make_run(store, "other", {"seed": 5}, predictions=skilled(0.52, seed=1))
    make_run(store, "better", {"training.optimizer": "adam"}, predictions=skilled(0.8, seed=2))
    values = answer("compare", "plain", "other", "better")
    ids = [run["run_id"] for run in values["runs"]]
    assert values["on"] == "test" and [run["name"] for run in values["runs"]] == ["plain", "other", "better"]
    assert values["config_diff"] == {"seed": [0, 5, 0], "training.optimizer": ["sgd", "sgd", "adam"]}
    told = [(pair["a"], pair["b"], pair["n"]) for pair in values["pairs"]]
    assert told == [(ids[0], ids[1], 500), (ids[0], ids[2], 500), (ids[1], ids[2], 500)]
    assert values["mcnemar"] == values["pairs"][:2] and values["pairs"][1]["p_value_holm"] < 0.001
    measured = [run["metrics"]["test_accuracy"] for run in values["runs"]]
    assert [entry["accuracy"] for entry in values["accuracy"]] == pytest.approx(measured)
    assert sum(values["right_by"]) == 500 and len(values["right_by"]) == 4
    assert [cost["epochs"] for cost in values["cost"]] == [8, 6, 6]
    assert [cost["parameters"] for cost in values["cost"]] == [1000, None, None]
    assert values["pareto_front"] == [ids[2]]

    text = call("compare", "plain", "other", "better").stdout
    assert "p value holm" in text and f"pareto front: {ids[2]}" in text and f"{ids[0][:8]}  {ids[1][:8]}" in text
    validated = answer("compare", "plain", "better", "--on", "validation")
    assert (validated["on"], validated["accuracy"][0]["n"], validated["pairs"][0]["n"]) == ("validation", 375, 375)
    assert "at least two" in refusal("compare", "plain")
    make_run(store, "elsewhere", dataset_fingerprint="e" * 64)
    values = answer("compare", "plain", "elsewhere")
    assert "different images" in values["pairs"][0]["error"] and values["right_by"] is None
    assert all(entry["accuracy"] for entry in values["accuracy"]) and values["pareto_front"] == []


def test_notes_with_their_evidence_and_changes(store: RunStore) -> None:
    run = make_run(store, "mine", {"training.validation": "test"})
    said = answer("coach", "mine")
    assert said["run_id"] == run.run_id and said["name"] == "mine"
    note = next(note for note in said["notes"] if note["key"] == "validation-on-test")
    assert set(note) == {"key", "level", "title", "evidence", "changes"}
    assert (note["level"], note["changes"]) == ("warning", {"training.validation": "training"})
    text = call("coach", "mine").stdout
    assert "warning: Test images decide" in text and "Try --set training.validation=training (was test)" in text
    make_run(store, "waiting", status=RunStatus.QUEUED)
    assert answer("coach", "waiting")["notes"] == []
    assert "nothing to say yet" in call("coach", "waiting").stdout


def test_results_outlast_the_pictures_that_were_trained_with(store: RunStore, tmp_path: Path) -> None:
    files = of_classes({name: 12 for name in ("<b>cat", "dog **big**", "eel", "fox")})
    source = imported(in_folder(tmp_path / "mine", files)).keep("Mine").source
    make_run(store, "kept", {"data.source": source})
    results = {command: answer(command, "kept") for command in ("evaluate", "coach")}
    assert results["evaluate"]["classes"] == list(data.load(source).class_names)
    folder_store.delete("mine")
    assert {command: answer(command, "kept") for command in results} == results


def test_a_guess_and_its_score_are_shown(store: RunStore) -> None:
    make_run(store, "done", predictions=skilled(0.6), guess=Guess(0.6, ("otter", "seal")))
    shown = answer("runs", "show", "done")["guess"]["score"]
    assert shown["accuracy"]["spot_on"] is True and shown["confused_pair"]["count"] > 0
    text = call("runs", "show", "done").stdout
    assert "The guess of the accuracy. Spot on: you guessed 60 %" in text and "The guess of the mistake." in text
    make_run(store, "gone", guess=Guess(confused_pair=("cat", "dog")))
    assert answer("runs", "show", "gone")["guess"]["score"] is None, "the classes are not there any more"


def test_what_is_typed_becomes_a_guess_or_is_refused_before_anything_is_trained(home: Path, store: RunStore) -> None:
    assert "Write 60 for 60 %" in refusal("train", "--guess-accuracy", "0.6")
    assert "TRUE,PREDICTED" in refusal("train", "--guess-pair", "otter")
    assert "'cat', which is not there" in refusal("train", "--guess-pair", "otter,cat")
    assert store.list_runs() == []
    assert read_guess(62.5, None, RunConfig()) == Guess(0.625)
    assert read_guess(0, "otter, seal", RunConfig()) == Guess(0.0, ("otter", "seal"))


@pytest.mark.slow
def test_explain_says_where_by_classes_and_methods_and_writes_a_picture(store: RunStore, tmp_path: Path) -> None:
    # The network looks at the lower left corner, where the picture has something.
    run = make_run(store, "cornered", RunConfig(model=CORNERED), class_names=CLASSES, dataset_fingerprint="0" * 64)
    corner_network(-1, 0).save(tmp_path / "model.keras")
    store.add_artifact(run.run_id, tmp_path / "model.keras")
    image = tmp_path / "sea.png"
    Image.fromarray(picture(-1, 0)).save(image)
    out = tmp_path / "why.png"
    values = answer("explain", run.name, image, "--out", out)
    assert (values["run_id"], values["label"], values["method"]) == (run.run_id, "cornered", "grad-cam")
    assert sum(values["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    (explanation,) = values["explanations"]
    assert explanation["class"] == "cornered" and explanation["where"] == "brightest at the lower left"
    assert np.shape(explanation["map"]) == (SIZE, SIZE)
    with Image.open(out) as written:
        # The image comes first, enlarged without smoothing: its red corner is as red as it was.
        assert written.getpixel((40, 16 + 12 * SIZE - 40))[0] == 250 and written.width > 2 * 12 * SIZE

    options = ("--class", "plain", "--class", "cornered", "--method", "occlusion")
    values = answer("explain", run.run_id[:8], image, *options)
    assert [each["class"] for each in values["explanations"]] == ["plain", "cornered"]
    assert "brightest at the lower left" in call("explain", run.name, image).stdout
    assert "Did you mean 'occlusion'" in refusal("explain", run.name, image, "--method", "oclusion")
    assert "no class called 'cat'" in refusal("explain", run.name, image, "--class", "cat")
    assert "ends in .png" in refusal("explain", run.name, image, "--out", tmp_path / "a.txt")
    assert "cannot be found" in refusal("explain", run.name, tmp_path / "none.png")
    without = make_run(store, "empty", status=RunStatus.QUEUED)
    assert "no trained model yet" in refusal("explain", without.name, image)


@pytest.mark.slow
def test_label_safety_says_how_far_a_parameter_goes(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(store)
    labels = data.load("synthetic").train.labels[::20]
    answers = np.full((len(labels), 5), 0.2, np.float32)
    store.add_validation_predictions(run.run_id, Predictions(np.arange(0, 2500, 20), labels, answers))
    add_tiny_model(store, run, tmp_path)
    job_rows.do_at_once(monkeypatch)
    arguments = ("label-safety", run.name, "--pipeline", "notebook-1", "--copies", 4, "--per-class", 2)
    # The blur, not the flip before it.
    values = answer(*arguments, "--high", 4, "--values", 5)
    assert (values["run_id"], values["pipeline"], values["branch"]) == (run.run_id, "notebook-1", 1)
    assert (values["split"], values["images"]) == ("validation", 10)
    sweep = values["sweep"]
    assert (sweep["title"], sweep["parameter"], sweep["values"]) == ("2. Blur", "sigma", [0, 1, 2, 3, 4])
    assert answer(*arguments, "--step", 2, "--high", 4, "--values", 5) == values
    assert "2. Blur: probability" in call(*arguments, "--step", 2, "--parameter", "probability").stdout
    assert "versions 1 to 5, not 6" in refusal("label-safety", run.name, "--pipeline", "notebook", "--branch", 6)


RUNS = Table(
    [
        ("3f2a91bc", "* the report's network, with flips (archived)", "finished", "notebook-1", "55.4 %", "1,091,045"),
        ("4f2a91bc", "random_rotation_layer_number_one", "stopped", "none", "", "417"),
    ],
    header=("id", "name", "status", "pipeline", "test accuracy", "parameters"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(
    monkeypatch: pytest.MonkeyPatch, *text: str | Table | Shown, to: io.StringIO, values: Mapping[str, object] = {}
) -> list[str]:
    """The lines that a command prints; a dumb terminal is one of 80 columns that shows letters alone."""
    monkeypatch.setenv("TERM", "dumb")
    command = output.Command("look", callback=lambda: print_result(values, *text))
    with redirect_stdout(to), command.make_context("look", []) as context:
        context.command.invoke(context)
    return to.getvalue().splitlines()


def test_a_terminal_breaks_long_texts_between_words_and_keeps_ids_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, RUNS, to=Terminal())
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for whole in ("3f2a91bc", "finished", "notebook-1", "55.4 %", "1,091,045", "parameters"):
        assert whole in text
    words = {word for line in lines for word in line.split()}
    assert {"report's", "network,", "flips", "(archived)"} <= words, "no word is cut that fits"
    assert any(word.startswith("random_rot") and word.endswith("…") for word in words)


def test_a_file_gets_whole_plain_lines_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    assert printed(monkeypatch, "two runs", "", RUNS, to=io.StringIO()) == [
        "two runs",
        "",
        "id        name                                           status    pipeline    test accuracy  parameters",
        "3f2a91bc  * the report's network, with flips (archived)  finished  notebook-1         55.4 %   1,091,045",
        "4f2a91bc  random_rotation_layer_number_one               stopped   none                              417",
    ]


def test_typed_text_is_no_markup_and_does_nothing_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([("[bold]mine[/] :whale:", "[/red]")], header=("[b]", ""))
    assert printed(monkeypatch, table, to=io.StringIO()) == ["[b]", "[bold]mine[/] :whale:  [/red]"]
    table = Table([("\x1b[2Jmine", "\x07")], header=("a\x9bb", "c"))
    lines = printed(monkeypatch, "\x1b]0;title\x07\r\nnote\rmine", table, to=Terminal())
    assert lines == ["\ufffd]0;title\ufffd", "note\ufffdmine", "", "a\ufffdb       c", "\ufffd[2Jmine  \ufffd"]


RESULT = {
    "run_id": 32 * "a",
    "accuracy": 0.5,
    "accuracy_ci95": [0.45, 0.55],
    "at_limit": False,
    "filters": [32, 64],
    "nothing": None,
    "metrics": {"seconds": 12.3, "val_loss": 1.0, "epochs": 8.0},
    "config_diff": {"model.dropout": [0.2, 0.4]},
    "config": {"data": {"source": "drawn"}, "seed": 3, "model": {"test_time_flip": True}},
    "report": {"otter": {"recall": 0.25, "support": 4}, "seal": {"recall": 1.0, "support": 5}, "accuracy": 0.5},
    "runs": [
        {"run_id": 32 * "a", "metrics": {"seconds": 9.9}, "note": "", "layers": [{}, {}], "archived": False},
        {"run_id": 32 * "b", "metrics": {}, "note": "", "layers": [], "archived": False},
    ],
    "groups": [{"value": {"seed": 1}, "test_accuracy": {"n": 2, "mean": 0.5}}],
}


def test_one_rule_prints_scalars_as_lines_and_records_as_tables_with_the_units_of_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = [
        *map(Shown, ("accuracy", "run_id", "filters", "nothing", "nothing.within", "metrics", "config_diff", "config")),
        Shown("report", "recall", "support"),
        Shown("runs"),
        Shown("groups", "value", "test_accuracy.n", "test_accuracy.mean"),
    ]
    assert printed(monkeypatch, "found", "", *shown, to=io.StringIO(), values=RESULT) == [
        *("found", "Test accuracy: 50.0 % (45.0 % to 55.0 %)", "run id: " + 32 * "a", "filters: 32, 64"),
        *("metrics:", "  seconds: 12 s", "  val loss: 1.000", "  epochs: 8"),
        *("config diff:", "  model.dropout: 0.2, 0.4"),
        *("config:", "  data.source: drawn", "  seed: 3", "  model.test_time_flip: yes"),
        *("", "report  recall  support", "otter     0.25        4", "seal         1        5"),
        *("", "run id    seconds  layers", "aaaaaaaa     10 s       2", "bbbbbbbb"),
        *("", "value   test_accuracy.n  test_accuracy.mean", "seed=1                2              50.0 %"),
    ]
    some = {name: RESULT[name] for name in ("accuracy", "accuracy_ci95", "nothing", "filters")}
    lines = ["Test accuracy: 50.0 % (45.0 % to 55.0 %)", "filters: 32, 64"]
    assert printed(monkeypatch, to=io.StringIO(), values=some) == lines, "without a choice all that is not empty"


def test_progress_is_one_line_that_is_drawn_over_again_or_a_line_for_each_beginning() -> None:
    for stream in (terminal := Terminal(), file := io.StringIO()):
        with redirect_stderr(stream), StatusLine() as line:
            line.show("[mine]: queued\x1b[2J")
            line.show("[mine]: epoch 1 of 3", 0.5, "99 images/s")
            line.show("[mine]: epoch 1 of 3", 0.9, "98 images/s")
    assert file.getvalue() == "[mine]: queued\ufffd[2J\n[mine]: epoch 1 of 3\n"
    assert "[mine]: epoch 1 of 3" in terminal.getvalue() and "98 images/s" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 1
