"""``predict`` and ``explain``: the answers of a run's model for pictures, and explanations of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aquadash.cli.output import (
    FILE,
    PATH,
    Command,
    NumberRange,
    Shown,
    StatusLine,
    import_tensorflow_quietly,
    lab,
    print_result,
    run_argument,
)
from aquadash.data.framing import fit
from aquadash.data.images import decode, read
from aquadash.errors import AquaDashError, ImageError, look_up
from aquadash.explain.methods import METHODS
from aquadash.store import Run
from aquadash.store.artifacts import OOD_DETECTOR, read_artifact

if TYPE_CHECKING:
    from aquadash.explain.results import Explanation

#: Side in pixels of each of the two pictures that ``--out`` writes, unless the image is larger.
_SIDE = 384
_MARGIN = 16
_LINE = 22


@click.command(cls=Command)
@run_argument
@click.argument("images", nargs=-1, required=True, type=PATH)
@click.option("--position", type=NumberRange(0, 100), default=50, help="Crop: 0 left or top, 100 right or bottom.")
@click.option("--csv", "table_file", type=FILE, help="Write the answers here, too.")
def predict(run: Run, images: tuple[Path, ...], position: float, table_file: Path | None) -> None:
    """Ask a run's model what pictures show. A picture that cannot be read is named; the others are predicted."""
    from aquadash.predict import AnswerRow, Predictor, answers_csv, predict_files

    path, detector_path = lab.runs.network(run)
    with StatusLine() as line:
        line.show("loading the model")
        import_tensorflow_quietly()
        detector = None if detector_path is None else read_artifact(detector_path, OOD_DETECTOR)
        predictor = Predictor.load(path, run.config.model, class_names=run.class_names, detector=detector)
        files = [(str(image), partial(read, image)) for image in images]
        predictions = []
        temperature = lab.runs.temperature(run)
        predicted = predict_files(files, predictor, position=position / 100, temperature=temperature)
        for index, prediction in enumerate(predicted):
            line.progress("predicting", index / len(images))
            predictions.append(prediction)
    if table_file is not None:
        rows = [AnswerRow(run.name, each) for each in predictions]
        table_file.write_bytes(answers_csv(rows, class_names=run.class_names))
    values = {"run_id": run.run_id, "temperature": temperature, "predictions": [p.to_dict() for p in predictions]}
    print_result(values, Shown("predictions", "file", "label", "probabilities", "none_of_these", "error"))
    if all(prediction.error for prediction in predictions):
        raise AquaDashError("No file could be predicted; see the reason above.")


@click.command(cls=Command)
@run_argument
@click.argument("image", type=PATH)
@click.option("--method", default="grad-cam", help=f"One of {', '.join(METHODS)}.")
@click.option("--class", "class_names", multiple=True, metavar="NAME", help="The class to explain; may be repeated.")
@click.option("--out", type=FILE, help="Write image and maps to this PNG file.")
def explain(run: Run, image: Path, method: str, class_names: tuple[str, ...], out: Path | None) -> None:
    """Show the parts of a picture that support a class, by default the one that a run's model takes it for."""
    look_up("explanation method", method, METHODS)
    if out is not None and out.suffix.lower() != ".png":
        raise ImageError(f"The file to write is {out.name!r}; expected a name that ends in .png.")
    path, _ = lab.runs.network(run)
    numbers = {name: number for number, name in enumerate(run.class_names)}
    classes = [look_up("class", name, numbers) for name in class_names]
    decoded = decode(read(image), name=str(image))
    with StatusLine() as line:
        line.show("loading the model")
        import_tensorflow_quietly()
        from aquadash.explain.explainer import Explainer

        explainer = Explainer.load(path, run.config.model, class_names=run.class_names)
        seen = fit(decoded.rgb, size=explainer.image_shape[:2])
        probs = explainer.predict_images(seen[None])[0]
        classes = classes or [int(probs.argmax())]
        repeated, asking = seen[None].repeat(len(classes), axis=0), partial(line.progress, "asking the model")
        explanations = explainer.explain_many(repeated, classes, method=method, progress=asking)
    if out is not None:
        _write_picture(out, explanations)
    values = {
        "run_id": run.run_id,
        "file": str(image),
        "label": run.class_names[int(probs.argmax())],
        "probabilities": dict(zip(run.class_names, map(float, probs), strict=True)),
        "method": method,
        "image_shape": list(explainer.image_shape),
        "explanations": [explanation.to_dict() for explanation in explanations],
        "out": None if out is None else str(out),
    }
    print_result(
        values,
        *map(Shown, ("file", "label", "probabilities", "method")),
        Shown("explanations", "class", "probability", "where"),
        Shown("out"),
    )


def _write_picture(path: Path, explanations: Sequence[Explanation]) -> None:
    """Write the image, and for each explanation its map over the image and the legend, as a PNG file."""
    from aquadash.explain import pictures

    panels = [_panel(explanations[0].image, "what the model sees")]
    for each in explanations:
        title = f"{METHODS[each.method].title}: {each.class_name}, {100 * each.probability:.1f} %"
        legend = pictures.legend(signed=each.signed, width=panels[0].width, height=_LINE - 8)
        panels.append(_panel(pictures.overlay(each), title, legend, pictures.legend_texts(each)))
    width, height = panels[0].size
    canvas = Image.new("RGB", (_MARGIN + (width + _MARGIN) * len(panels), height + 2 * _MARGIN), "white")
    for number, panel in enumerate(panels):
        canvas.paste(panel, (_MARGIN + (width + _MARGIN) * number, _MARGIN))
    canvas.save(path, format="PNG")


def _panel(
    pixels: np.ndarray, title: str, legend: np.ndarray | None = None, ends: tuple[str, str] = ("", "")
) -> Image.Image:
    """Return a picture, enlarged, above its title and its scale of colours; texts are cut at its right edge."""
    picture = Image.fromarray(pixels)
    factor = max(1, _SIDE // max(picture.size))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    panel = Image.new("RGB", (picture.width, picture.height + 4 * _LINE), "white")
    panel.paste(picture)
    if legend is not None:
        panel.paste(Image.fromarray(legend), (0, picture.height + _LINE + 10))
    draw, font, top = ImageDraw.Draw(panel), ImageFont.load_default(size=14), picture.height + 6
    draw.text((0, top), title, "black", font)
    draw.text((0, top + 2 * _LINE), ends[0], "black", font)
    draw.text((panel.width, top + 3 * _LINE), ends[1], "black", font, anchor="ra")
    return panel
