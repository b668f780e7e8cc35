"""``evaluate`` and ``predict``: what came out of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from aquadash.cli import evaluation_lines
from aquadash.cli.output import StatusLine, import_tensorflow_quietly, json_option, percent, show, table
from aquadash.data.framing import FRAMING_MODES, Framing, FramingMode
from aquadash.errors import AquaDashError
from aquadash.lab import Lab
from aquadash.people import OWNER


@click.command()
@click.argument("run")
@json_option
def evaluate(run: str, as_json: bool) -> None:
    """Measure a run on the test images: accuracy, loss, confusion matrix, classification report."""
    from aquadash import evaluation

    runs = Lab(OWNER).runs
    found = runs.find(run)
    predictions = runs.predictions(found.run_id)
    measured = evaluation.evaluate(predictions.labels, predictions.probabilities, class_names=found.class_names)
    low, high = measured.accuracy_ci95
    deep = evaluation.summarize(
        measured,
        predictions,
        runs.validation_predictions(found.run_id),
        validated_on_test=found.config.training.validation == "test",
    )
    values = {"run_id": found.run_id, "name": found.name, **measured.to_dict(), **deep.to_dict()}
    if "unseen_test_accuracy" in found.metrics:
        values["unseen_test_accuracy"] = found.metrics["unseen_test_accuracy"]
        values["unseen_test_loss"] = found.metrics["unseen_test_loss"]

    def text() -> str:
        lines = [
            f"{found.name}: {percent(measured.accuracy)} of {measured.n} test images right "
            f"(95 % interval {percent(low)} to {percent(high)}), loss {measured.loss:.3f}"
        ]
        if "unseen_test_accuracy" in values:
            lines.append(
                f"The first test images decided when training stopped; on the others alone: "
                f"{percent(found.metrics['unseen_test_accuracy'])}."
            )
        matrix = [(name, *row) for name, row in zip(measured.classes, measured.confusion_matrix.tolist(), strict=True)]
        lines += ["", table(matrix, header=("true \\ predicted", *measured.classes)), ""]
        lines += evaluation_lines.classes(measured, deep) + [""]
        lines += evaluation_lines.further_scores(deep) + evaluation_lines.calibration(deep)
        return "\n".join(lines)

    show(values, as_json=as_json, text=text)


@click.command()
@click.argument("run")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--framing",
    type=click.Choice(FRAMING_MODES),
    default="part",
    show_default=True,
    help="What the network sees of a picture that has not its proportions: the largest part of them, or all of it, "
    "padded with grey or squeezed.",
)
@click.option(
    "--position",
    type=click.FloatRange(0, 100),
    default=50,
    show_default=True,
    help="Where the part lies, in per cent: 0 is left or top, 100 right or bottom.",
)
@click.option(
    "--csv", "table_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the answers here, too."
)
@json_option
def predict(
    run: str,
    images: tuple[Path, ...],
    framing: FramingMode,
    position: float,
    table_file: Path | None,
    as_json: bool,
) -> None:
    """Ask a run's model what pictures show. A picture that cannot be read is named; the others are predicted."""
    from aquadash.data.images import read
    from aquadash.predict import AnswerRow, Predictor, answers_csv, predict_files
    from aquadash.runs.artifacts import STRANGERS, read_artifact

    runs = Lab(OWNER).runs
    found = runs.find(run)
    path, strangers = runs.network(found)
    with StatusLine() as line:
        line.show("loading the model")
        import_tensorflow_quietly()
        detector = None if strangers is None else read_artifact(strangers, STRANGERS)
        predictor = Predictor.load(path, class_names=found.class_names, detector=detector)
        files = [(str(image), partial(read, image)) for image in images]
        predictions = []
        chosen = Framing(framing, position / 100 if framing == "part" else 0.5)
        for index, prediction in enumerate(predict_files(files, predictor, framing=chosen)):
            line.progress("predicting", index / len(images))
            predictions.append(prediction)
    if table_file is not None:
        rows = answers_csv((AnswerRow(found.name, each) for each in predictions), class_names=found.class_names)
        try:
            table_file.write_bytes(rows)
        except OSError as error:
            raise AquaDashError(
                f"{table_file} cannot be written: {error.strerror}. Give the path of a file in a folder of yours."
            ) from error

    def text() -> str:
        lines = []
        for prediction in predictions:
            if prediction.error:
                lines.append(f"{prediction.file}: {prediction.error}")
                continue
            shares = ", ".join(
                f"{name} {percent(share)}" for name, share in prediction.to_dict()["probabilities"].items()
            )
            doubt = "; perhaps none of these" if prediction.none_of_these else ""
            lines.append(f"{prediction.file}: {prediction.label} ({shares}){doubt}")
        return "\n".join(lines)

    show({"run_id": found.run_id, "predictions": [p.to_dict() for p in predictions]}, as_json=as_json, text=text)
    if all(prediction.error for prediction in predictions):
        raise AquaDashError(f"None of the {len(predictions)} files could be predicted; see the reason of each.")
