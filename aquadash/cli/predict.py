"""``predict`` and ``explain``: what a run's model takes pictures for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aquadash.cli.output import Command, Shown, StatusLine, import_tensorflow_quietly, lab, percent, print_result
from aquadash.data.framing import fit
from aquadash.data.images import decode, read
from aquadash.errors import AquaDashError, ImageError, UnknownNameError
from aquadash.explain.methods import METHODS, method_entry
from aquadash.store.artifacts import OOD_DETECTOR, read_artifact

if TYPE_CHECKING:
    from aquadash.explain.results import Explanation

#: Side in pixels of each of the two pictures that ``--out`` writes, unless the image is larger.
_SIDE = 384
_MARGIN = 16
_LINE = 22


@click.command(cls=Command)
@click.argument("run")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--position",
    type=click.FloatRange(0, 100),
    default=50,
    show_default=True,
    help="Which part the network sees of a picture that has not its proportions, in per cent: 0 is left or top, 100 "
    "right or bottom.",
)
@click.option(
    "--csv", "table_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the answers here, too."
)
def predict(
    run: str,
    images: tuple[Path, ...],
    position: float,
    table_file: Path | None,
) -> None:
    """Ask a run's model what pictures show. A picture that cannot be read is named; the others are predicted."""
    from aquadash.predict import AnswerRow, Predictor, answers_csv, predict_files

    found = lab.runs.find(run)
    path, detector_path = lab.runs.network(found)
    with StatusLine() as line:
        line.show("loading the model")
        import_tensorflow_quietly()
        detector = None if detector_path is None else read_artifact(detector_path, OOD_DETECTOR)
        predictor = Predictor.load(path, found.config.model, class_names=found.class_names, detector=detector)
        files = [(str(image), partial(read, image)) for image in images]
        predictions = []
        temperature = lab.runs.temperature(found)
        predicted = predict_files(files, predictor, position=position / 100, temperature=temperature)
        for index, prediction in enumerate(predicted):
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
    values = {"run_id": found.run_id, "temperature": temperature, "predictions": [p.to_dict() for p in predictions]}
    print_result(values, Shown("predictions", "file", "label", "probabilities", "none_of_these", "error"))
    if len(predictions) == 1 and predictions[0].error:
        raise AquaDashError("The file could not be predicted; see the reason above.")
    if all(prediction.error for prediction in predictions):
        raise AquaDashError(f"None of the {len(predictions)} files could be predicted; see the reason of each.")


@click.command(cls=Command)
@click.argument("run")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--method", default="grad-cam", show_default=True, help=f"One of {', '.join(METHODS)}.")
@click.option("--class", "class_names", multiple=True, metavar="NAME", help="The class to explain; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write image and maps to this PNG file.")
def explain(run: str, image: Path, method: str, class_names: tuple[str, ...], out: Path | None) -> None:
    """Show what in a picture speaks for a class, by default the one that a run's model takes it for."""
    method_entry(method)
    if out is not None and out.suffix.lower() != ".png":
        raise ImageError(f"The file to write is {out.name!r}; expected a name that ends in .png.")
    found = lab.runs.find(run)
    path, _ = lab.runs.network(found)
    for name in class_names:
        if name not in found.class_names:
            raise UnknownNameError.of("class", name, found.class_names)
    decoded = decode(read(image), name=str(image))
    with StatusLine() as line:
        line.show("loading the model")
        import_tensorflow_quietly()
        from aquadash.explain.explainer import Explainer

        explainer = Explainer.load(path, found.config.model, class_names=found.class_names)
        seen = fit(decoded.rgb, size=explainer.image_shape[:2])
        probs = explainer.predict_images(seen[None])[0]
        classes = [found.class_names.index(name) for name in class_names] or [int(probs.argmax())]
        explanations = explainer.explain_many(
            seen[None].repeat(len(classes), axis=0),
            classes,
            method=method,
            progress=lambda fraction: line.progress("asking the model", fraction),
        )
    if out is not None:
        _write_picture(out, explanations)
    values = {
        "run_id": found.run_id,
        "file": str(image),
        "label": found.class_names[int(probs.argmax())],
        "probabilities": dict(zip(found.class_names, map(float, probs), strict=True)),
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

    height, width = explanations[0].image.shape[:2]
    factor = max(1, _SIDE // max(height, width))
    height, width = height * factor, width * factor
    step = width + _MARGIN
    canvas = Image.new("RGB", (_MARGIN + step * (len(explanations) + 1), height + 4 * _LINE + 2 * _MARGIN), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=14)

    def enlarged(pixels: np.ndarray) -> Image.Image:
        return Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)

    top = _MARGIN + height + 6
    canvas.paste(enlarged(explanations[0].image), (_MARGIN, _MARGIN))
    draw.text((_MARGIN, top), "what the model sees", fill="black", font=font)
    for number, explanation in enumerate(explanations, start=1):
        left = _MARGIN + number * step
        canvas.paste(enlarged(pictures.overlay(explanation)), (left, _MARGIN))
        title = f"{METHODS[explanation.method].title}: {explanation.class_name}, {percent(explanation.probability)}"
        low, high = pictures.legend_texts(explanation)
        draw.text((left, top), _fitting(title, width, draw, font), fill="black", font=font)
        bar = Image.fromarray(pictures.legend(signed=explanation.signed, width=width, height=_LINE - 8))
        canvas.paste(bar, (left, top + _LINE + 4))
        draw.text((left, top + 2 * _LINE), _fitting(low, width, draw, font), fill="black", font=font)
        draw.text((left + width, top + 3 * _LINE), _fitting(high, width, draw, font), "black", font=font, anchor="ra")
    canvas.save(path, format="PNG")


def _fitting(text: str, width: int, draw: object, font: object) -> str:
    """The text without what does not fit the width in pixels, and without letters that the font does not have."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    while len(text) > 1 and draw.textlength(text, font=font) > width:  # type: ignore[attr-defined]
        text = text[:-1]
    return text
